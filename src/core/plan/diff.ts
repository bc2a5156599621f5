/** From what is announced for a Service by one protocol, and what should be, to the steps that lead there. */
import { type Address, sameAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { routeKey, type ServiceRoute } from './bgp.ts'

export interface AnnouncedAs {
  readonly address: Address
  readonly interfaces: ReadonlySet<string> | 'all'
  /** Why the address is not announced although this node should. */
  readonly failure?: Reason
  /** Names of the interfaces there are, where it failed. */
  readonly localInterfaces?: readonly string[]
}

export interface Announcement {
  readonly pool: string
  readonly addresses: readonly AnnouncedAs[]
  /** By BGP: what the peers are told. */
  readonly routes?: readonly ServiceRoute[]
  /** What the user should know although the Service is announced. */
  readonly warnings?: readonly Reason[]
}

/** Why a Service is not announced. */
export interface Refusal {
  /** The word for logs and events: the code of the first reason. */
  readonly code: string
  readonly reasons: () => readonly [Reason, ...Reason[]]
  /** The code of the reason that decided, for a metric: cheaper than all reasons. `notAdvertised`: no advertisement asks for it. */
  readonly cause: () => string
}

export type Step =
  | { readonly kind: 'start'; readonly announcement: Announcement }
  | { readonly kind: 'change'; readonly announcement: Announcement; readonly before: Announcement }
  | { readonly kind: 'stop'; readonly before: Announcement; readonly reason: Reason }
  /** An address that should be announced cannot be; said once, not on every pass. */
  | { readonly kind: 'fail'; readonly address: AnnouncedAs; readonly reason: Reason }

/** The addresses that are announced in truth. */
export function liveAddresses(announcement: Announcement | undefined): AnnouncedAs[] {
  return (announcement?.addresses ?? []).filter(({ failure }) => failure === undefined)
}

/** Nothing changed, no steps (IMP-9). */
export function diffAnnouncement(current: Announcement | undefined, wish: Announcement | Refusal): Step[] {
  const before = liveAddresses(current)
  if (!('addresses' in wish))
    return before.length === 0 ? [] : [{ kind: 'stop', before: current!, reason: wish.reasons()[0] }]
  const after = liveAddresses(wish)
  const steps: Step[] = newFailures(current, wish)
  if (before.length === 0) return after.length === 0 ? steps : [...steps, { kind: 'start', announcement: wish }]
  if (after.length === 0) return [...steps, { kind: 'stop', before: current!, reason: wish.addresses[0]!.failure! }]
  if (current!.pool !== wish.pool || !sameAnnounced(before, after) || !sameRoutes(current!, wish))
    steps.push({ kind: 'change', announcement: wish, before: current! })
  return steps
}

function newFailures(current: Announcement | undefined, wish: Announcement): Step[] {
  const steps: Step[] = []
  for (const address of wish.addresses) {
    const reason = address.failure
    const known = current?.addresses.find(other => sameAddress(other.address, address.address))?.failure
    if (reason !== undefined && reason.message !== known?.message) steps.push({ kind: 'fail', address, reason })
  }
  return steps
}

function sameAnnounced(a: readonly AnnouncedAs[], b: readonly AnnouncedAs[]): boolean {
  return (
    a.length === b.length &&
    a.every(one =>
      b.some(other => sameAddress(one.address, other.address) && sameNames(one.interfaces, other.interfaces)),
    )
  )
}

function sameRoutes({ routes: a = [] }: Announcement, { routes: b = [] }: Announcement): boolean {
  if (a.length !== b.length) return false
  const known = new Set(a.map(routeKey))
  return b.every(route => known.has(routeKey(route)))
}

function sameNames(a: ReadonlySet<string> | 'all', b: ReadonlySet<string> | 'all'): boolean {
  if (a === 'all' || b === 'all') return a === b
  return a.size === b.size && [...a].every(name => b.has(name))
}
