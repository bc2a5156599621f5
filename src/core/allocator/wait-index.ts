import type { Family } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { admissionRefusal } from './admission.ts'
import { byAge } from './age.ts'
import type { Need } from './refusal.ts'
import { clashingPort, type Holding } from './space.ts'
import type { Place } from './table.ts'

interface Waiter {
  readonly service: Service
  readonly holding: Holding
  readonly needs: readonly Need[]
  readonly tokens: readonly string[]
}

/**
 * Who waits for what. A place that was touched is an opening; `next` names the oldest waiting Service that could use an
 * opening, each at most once for one opening, until nobody is left who could (D13).
 */
export class WaitIndex {
  readonly #waiters = new Map<string, Waiter>()
  /** Token to its waiters, oldest first. */
  readonly #queues = new Map<string, Waiter[]>()
  readonly #openings = new Map<string, { place: Place; tried?: Service }>()

  has(key: string): boolean {
    return this.#waiters.has(key)
  }

  /** Replaces what the Service waits for; without needs it waits for nothing. */
  file(service: Service, holding: Holding, needs: readonly Need[]): void {
    this.forget(service.key)
    if (needs.length === 0) return
    const bases = [...new Set(needs.map(needToken))]
    const { group } = holding.share
    const tokens = group === '' ? bases : bases.flatMap(base => [base, `${base} ${group}`])
    const waiter = { service, holding, needs, tokens }
    this.#waiters.set(service.key, waiter)
    for (const token of tokens) {
      const queue = this.#queues.get(token) ?? []
      queue.splice(firstAfter(queue, service), 0, waiter)
      this.#queues.set(token, queue)
    }
  }

  forget(key: string): void {
    const waiter = this.#waiters.get(key)
    if (waiter === undefined) return
    this.#waiters.delete(key)
    for (const token of waiter.tokens) {
      const queue = this.#queues.get(token)!
      queue.splice(firstAfter(queue, waiter.service) - 1, 1)
      if (queue.length === 0) this.#queues.delete(token)
    }
  }

  /** The use of an address changed: somebody may be able to have it now. */
  open(place: Place): void {
    if (this.#waiters.size === 0) return
    this.#openings.set(`${place.state.pool.name} ${place.family} ${place.rank}`, { place })
  }

  /** The Service to try again next, if any. */
  next(): string | undefined {
    for (const [id, opening] of this.#openings) {
      const waiter = this.#oldestFor(opening.place, opening.tried)
      if (waiter !== undefined) {
        opening.tried = waiter.service
        return waiter.service.key
      }
      this.#openings.delete(id)
    }
    return undefined
  }

  #oldestFor(place: Place, after: Service | undefined): Waiter | undefined {
    const use = place.state.spaces[place.family].uses.get(place.rank)
    if (use !== undefined && use.group === '') return undefined
    let oldest: Waiter | undefined
    for (const base of placeTokens(place)) {
      const queue = this.#queues.get(use === undefined ? base : `${base} ${use.group}`) ?? []
      const found = firstThat(queue, after, waiter => couldUse(waiter, place))
      if (found && (oldest === undefined || byAge(found.service, oldest.service) < 0)) oldest = found
    }
    return oldest
  }
}

function needToken(need: Need): string {
  switch (need.kind) {
    case 'auto':
      return `auto ${need.family}`
    case 'pool':
      return `pool ${need.family} ${need.pool}`
    case 'address':
      return `address ${need.family} ${need.value}`
  }
}

function placeTokens({ state, family, rank }: Place): string[] {
  const { pool, spaces } = state
  const tokens = [`address ${family} ${spaces[family].addressAt(rank)}`, `pool ${family} ${pool.name}`]
  return pool.autoAssign ? [...tokens, `auto ${family}`] : tokens
}

/** A cheap answer that may be too hopeful, never too gloomy. */
function couldUse({ service, holding, needs }: Waiter, { state, family, rank }: Place): boolean {
  const use = state.spaces[family].uses.get(rank)
  if (use !== undefined && clashingPort(use, holding) !== undefined) return false
  if (admissionRefusal(state.pool, service) !== undefined) return false
  const other: Family = family === 'ipv4' ? 'ipv6' : 'ipv4'
  const both = needs.every(need => need.kind !== 'address' && need.both === true)
  return !both || state.spaces[other].firstUsable(holding) !== undefined
}

/** Index of the first waiter younger than the Service. */
function firstAfter(queue: readonly Waiter[], service: Service): number {
  let low = 0
  for (let high = queue.length; low < high; ) {
    const middle = (low + high) >> 1
    if (byAge(queue[middle]!.service, service) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

function firstThat(queue: readonly Waiter[], after: Service | undefined, fits: (waiter: Waiter) => boolean) {
  for (let index = after === undefined ? 0 : firstAfter(queue, after); index < queue.length; index++)
    if (fits(queue[index]!)) return queue[index]
  return undefined
}
