/**
 * Which announcements a station keeps to itself (README, "Quiet takeover"): a claim is quiet on an interface while every
 * node that had it before is seen there. Holds one vigil for each of those nodes and interfaces.
 */
import type { Mac } from '../../core/ip/index.ts'
import type { Claim } from './claim.ts'
import type { Whereabouts } from './handover.ts'
import { answered, ask, type Vigil, type VigilEnd, vigil } from './vigil.ts'

export type DiscretionStep<K> =
  | { readonly kind: 'ask'; readonly link: number; readonly target: K; readonly mac?: Mac }
  | { readonly kind: 'end'; readonly link: number; readonly node: string; readonly reason: VigilEnd }

export class Discretion<K> {
  /** Own addresses of the nodes that had claims before. */
  #predecessors: ReadonlyMap<string, readonly K[]> = new Map()
  /** By interface and node; 'ended' stays, so that what was once told is not kept quiet again. */
  readonly #vigils = new Map<number, Map<string, Vigil<K> | 'ended'>>()
  #nextMs: number | undefined

  /** Replaces the predecessors; who is none any more is forgotten. */
  know(predecessors: ReadonlyMap<string, readonly K[]>): void {
    this.#predecessors = predecessors
    for (const vigils of this.#vigils.values())
      for (const node of vigils.keys()) if (!predecessors.has(node)) vigils.delete(node)
    this.#plan()
  }

  /** Whether nobody on the interface is to be told of the claim. */
  covers(link: number, { after = [] }: Claim, nowMs: number): boolean {
    if (after.length === 0) return false
    const vigils = this.#vigils.get(link) ?? new Map<string, Vigil<K> | 'ended'>()
    this.#vigils.set(link, vigils)
    const fresh = after.filter(node => !vigils.has(node))
    for (const node of fresh) vigils.set(node, vigil(this.#predecessors.get(node) ?? [], nowMs))
    if (fresh.length > 0) this.#plan()
    return after.every(node => vigils.get(node) !== 'ended')
  }

  /** What is due: questions to send, and vigils that ended. */
  take(nowMs: number): DiscretionStep<K>[] {
    const steps: DiscretionStep<K>[] = []
    for (const [link, node, state] of this.#live()) {
      if (state.askAtMs > nowMs) continue
      const next = ask(state, nowMs)
      if (typeof next === 'string') steps.push({ kind: 'end', link, node, reason: next })
      else if (next.at === 'watching') steps.push({ kind: 'ask', link, target: next.target, mac: next.mac })
      else for (const target of next.targets) steps.push({ kind: 'ask', link, target })
      this.#vigils.get(link)!.set(node, typeof next === 'string' ? 'ended' : next)
    }
    this.#plan()
    return steps
  }

  /** On the interface somebody said that it has the address. */
  heard(link: number, target: K, mac: Mac): void {
    const vigils = this.#vigils.get(link)
    for (const [node, state] of vigils ?? []) if (state !== 'ended') vigils!.set(node, answered(state, target, mac))
    this.#plan()
  }

  /** Where the node is on the interface. */
  whereabouts(link: number, node: string): Whereabouts {
    const state = this.#vigils.get(link)?.get(node)
    if (state === undefined || state === 'ended') return 'gone'
    return state.at === 'seeking' ? 'seeking' : state.mac
  }

  get isWatching(): boolean {
    return this.#nextMs !== undefined
  }

  /** Everything on the interface is to be told: e.g. it has another MAC. Answers whether anything was quiet. */
  end(link: number): boolean {
    const vigils = this.#vigils.get(link)
    const live = [...(vigils ?? [])].filter(([, state]) => state !== 'ended')
    for (const [node] of live) vigils!.set(node, 'ended')
    this.#plan()
    return live.length > 0
  }

  /** The interface is gone. */
  forget(link: number): void {
    this.#vigils.delete(link)
    this.#plan()
  }

  /** When to take the next steps; undefined for never. */
  nextAt(): number | undefined {
    return this.#nextMs
  }

  #plan(): void {
    this.#nextMs = undefined
    for (const [, , { askAtMs }] of this.#live()) this.#nextMs = Math.min(this.#nextMs ?? Infinity, askAtMs)
  }

  *#live(): Generator<[link: number, node: string, state: Vigil<K>]> {
    for (const [link, vigils] of this.#vigils)
      for (const [node, state] of vigils) if (state !== 'ended') yield [link, node, state]
  }
}
