/**
 * Whether a node whose speaker stopped by plan still forwards: its kernel answers for the node's own address, with no
 * speaker at hand. As long as it does, clients that send to it lose nothing, and nobody has to be told of the new owner.
 */
import type { Mac } from '../../core/ip/index.ts'

export type Vigil<K> =
  /** Where the node is on this segment is not known yet: everybody is asked for its addresses. */
  | { readonly at: 'seeking'; readonly targets: readonly K[]; readonly untilMs: number; readonly askAtMs: number }
  /** The node alone is asked; `asked` is how often since its last answer. */
  | {
      readonly at: 'watching'
      readonly target: K
      readonly mac: Mac
      readonly asked: number
      readonly askAtMs: number
    }

/** Never answered on this segment, so nothing is known; or answered before and does not any more. */
export type VigilEnd = 'noEvidence' | 'unreachable'

/** Without any answer for this long the node is taken to be elsewhere. */
export const SEEK_MS = 1500
const ASK_MS = 100
/** After a miss. */
const AGAIN_MS = 50
/**
 * Misses in a row that mean death, noticed 300 to 400 ms after it. With 1 % loss five in a row come by chance once in a
 * year of watching, three once in three hours.
 */
const MISSES = 5

export function vigil<K>(targets: readonly K[], nowMs: number): Vigil<K> {
  return { at: 'seeking', targets, untilMs: nowMs + SEEK_MS, askAtMs: nowMs }
}

/** At `askAtMs`: whom to ask next, or the end. Answers that wait unread have to be read before. */
export function ask<K>(state: Vigil<K>, nowMs: number): Vigil<K> | VigilEnd {
  if (state.at === 'seeking') {
    if (nowMs >= state.untilMs || state.targets.length === 0) return 'noEvidence'
    return { ...state, askAtMs: nowMs + ASK_MS }
  }
  if (state.asked >= MISSES) return 'unreachable'
  const pauseMs = state.asked === 0 ? ASK_MS : AGAIN_MS
  return { ...state, asked: state.asked + 1, askAtMs: nowMs + pauseMs }
}

/** Somebody said that it has the address. Only the node that was found first counts from then on. */
export function answered<K>(state: Vigil<K>, target: K, mac: Mac): Vigil<K> {
  if (state.at === 'seeking')
    return state.targets.includes(target) ? { at: 'watching', target, mac, asked: 0, askAtMs: state.askAtMs } : state
  return state.target === target && state.mac === mac ? { ...state, asked: 0 } : state
}
