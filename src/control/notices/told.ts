import type { EventTarget } from '../../ports/index.ts'

/** One thing that somebody should know of one object. */
export interface Notice {
  readonly on: EventTarget
  readonly reason: string
  readonly message: string
}

/** What is seen for as long is told, once; orders in which objects are applied are no news. */
export const GRACE_MS = 5000
/** Told in one go; the rest a grace later, so that a missing advertisement does not flood the API. */
export const AT_ONCE = 100

/** Remembers what was told as long as it is true. */
export class Told {
  readonly #known = new Map<string, { readonly sinceMs: number; told: boolean }>()

  /** Of all that is true now, what is to be told now; `pending` where more will have to be told later. */
  review(notices: readonly Notice[], nowMs: number): { now: Notice[]; pending: boolean } {
    const keyed = new Map(notices.map(notice => [keyOf(notice), notice]))
    for (const key of this.#known.keys()) if (!keyed.has(key)) this.#known.delete(key)
    const now: Notice[] = []
    let pending = false
    for (const [key, notice] of keyed) {
      const known = this.#known.get(key) ?? { sinceMs: nowMs, told: false }
      this.#known.set(key, known)
      if (known.told) continue
      if (nowMs - known.sinceMs >= GRACE_MS && now.length < AT_ONCE) {
        known.told = true
        now.push(notice)
      } else pending = true
    }
    return { now, pending }
  }

  forget(): void {
    this.#known.clear()
  }
}

function keyOf({ on, reason, message }: Notice): string {
  return [on.kind, on.namespace, on.name, on.uid, reason, message].join('|')
}
