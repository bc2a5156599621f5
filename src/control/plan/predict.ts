/** What the controller would make of the Services of a cluster: its pass, without a cluster (chapter 02 section 7, D1). */
import { Allocator, byAge, converge, learn, type Outcome } from '../../core/allocator/index.ts'
import type { Pool } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import { handlesClass } from '../../core/plan/index.ts'
import type { Service } from '../../core/service.ts'

export interface Prediction {
  /** Every Service as it will be, in the order given. */
  readonly services: readonly Service[]
  readonly allocator: Allocator
  /** By Service key: what was said on the way. */
  readonly outcomes: ReadonlyMap<string, Pick<Outcome, 'reasons' | 'events'>>
}

export function predict(pools: readonly Pool[], services: readonly Service[], lbClass: string): Prediction {
  const allocator = new Allocator()
  allocator.setPools(pools)
  const ours = services.filter(service => handlesClass(service, lbClass))
  learn(allocator, ours)
  const current = new Map(services.map(service => [service.key, service]))
  const outcomes = new Map<string, Pick<Outcome, 'reasons' | 'events'>>()
  const run = (key: string) => {
    const service = current.get(key)!
    const { addresses, needs, reasons, events } = converge(allocator, service)
    allocator.wait(service, needs)
    const ingress = addresses.map(address => ({ text: formatAddress(address), address }))
    current.set(key, { ...service, ingress })
    outcomes.set(key, { reasons, events: merged(outcomes.get(key)?.events ?? [], events) })
  }
  for (const { key } of inOrder(ours)) run(key)
  for (let key = allocator.waiting.next(); key !== undefined; key = allocator.waiting.next()) run(key)
  return { services: [...current.values()], allocator, outcomes }
}

/** Those that show an address first, each group by age: the controller's queue after a start (D1, D14). */
function inOrder(services: readonly Service[]): Service[] {
  const claims = services.filter(({ ingress }) => ingress.length > 0).sort(byAge)
  return [...claims, ...services.filter(({ ingress }) => ingress.length === 0).sort(byAge)]
}

/** What lasts is said once (D8). */
function merged(before: Outcome['events'], now: Outcome['events']): Outcome['events'] {
  return [
    ...before,
    ...now.filter(event => !event.standing || !before.some(({ message }) => message === event.message)),
  ]
}
