/**
 * What becomes of an event so that a loop cannot flood the API: the rules of client-go's EventCorrelator, which
 * `kubectl describe` and users know. Time comes in as milliseconds that never jump.
 */
import { objectKey } from '../../core/object.ts'
import type { EventTarget } from '../../ports/index.ts'
import { LruMap } from './lru.ts'

export interface EventFacts {
  readonly on: EventTarget
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export type Correlated =
  | { action: 'create'; message: string; sighting: Sighting }
  /** Seen before: the stored event gets a higher count. */
  | { action: 'count'; message: string; sighting: Sighting }
  | { action: 'drop' }

/** One event as it stands in the API. */
export interface Sighting {
  count: number
  /** Wall clock, milliseconds. */
  firstMs: number
  /** Name of the stored event, once there is one. */
  name?: string
}

interface Group {
  readonly messages: Set<string>
  lastMs: number
}

interface Bucket {
  tokens: number
  filledMs: number
}

const CACHE_SIZE = 4096
/** So many different messages of one reason within ten minutes; what follows is combined. */
const SIMILAR_EVENTS = 10
const SIMILAR_MS = 600_000
/** Events an object may have at once, and the time in which one more is granted. */
const BURST = 25
const REFILL_MS = 300_000

export class EventCorrelator {
  readonly #groups = new LruMap<Group>(CACHE_SIZE)
  readonly #sightings = new LruMap<Sighting>(CACHE_SIZE)
  readonly #buckets = new LruMap<Bucket>(CACHE_SIZE)

  correlate(event: EventFacts, now: { monotonicMs: number; wallMs: number }): Correlated {
    const object = [event.on.kind, objectKey(event.on), event.on.uid].join('|')
    const group = [object, event.type, event.reason].join('|')
    const combined = this.#isOneOfMany(group, event.message, now.monotonicMs)
    const message = combined ? `(combined from similar events): ${event.message}` : event.message
    const key = combined ? group : `${group}|${event.message}`
    const known = this.#sightings.get(key)
    const sighting = known ?? { count: 0, firstMs: now.wallMs }
    sighting.count++
    this.#sightings.set(key, sighting)
    if (!this.#allowed(object, now.monotonicMs)) return { action: 'drop' }
    return { action: sighting.name === undefined ? 'create' : 'count', message, sighting }
  }

  #isOneOfMany(key: string, message: string, nowMs: number): boolean {
    const known = this.#groups.get(key)
    const group =
      known !== undefined && nowMs - known.lastMs <= SIMILAR_MS ? known : { messages: new Set<string>(), lastMs: nowMs }
    this.#groups.set(key, group)
    group.lastMs = nowMs
    if (group.messages.has(message)) return false
    if (group.messages.size >= SIMILAR_EVENTS - 1) return true
    group.messages.add(message)
    return false
  }

  #allowed(object: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(object) ?? { tokens: BURST, filledMs: nowMs }
    const tokens = Math.min(BURST, bucket.tokens + (nowMs - bucket.filledMs) / REFILL_MS)
    const allowed = tokens >= 1
    this.#buckets.set(object, { tokens: allowed ? tokens - 1 : tokens, filledMs: nowMs })
    return allowed
  }
}
