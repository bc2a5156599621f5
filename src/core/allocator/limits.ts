/** What a pool keeps from a Service although it is free: reservations, quarantine, quotas. All off unless a pool has them. */
import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { type Need, poolReason, Refusal } from './refusal.ts'
import type { Place, PoolState } from './table.ts'
import { quote } from './text.ts'

/** Why the Service may not have the free address, by reservation or quarantine. */
export function withheld(place: Place, address: Address, key: string): Refusal | undefined {
  const { state, family, rank } = place
  const space = state.spaces[family]
  const text = quote(formatAddress(address))
  const reservation = space.reservationOf(rank)
  if (reservation !== undefined && reservation.owner !== key) {
    const note = reservation.note === '' ? '' : ` (${reservation.note})`
    const message = `${text} is reserved${reservation.owner === undefined ? '' : ` for ${reservation.owner}`}${note}`
    return refusal(state, 'reserved', message, 'metadata.annotations[metallb.io/reservations]')
  }
  const kept = space.quarantine.get(rank)
  if (kept === undefined || kept.key === key) return undefined
  const message = `${text} is in quarantine, it was released by ${kept.key}`
  const needs: Need[] = [{ kind: 'address', ...address }]
  return refusal(state, 'quarantined', message, 'metadata.annotations[metallb.io/quarantine]', needs)
}

function refusal({ pool }: PoolState, code: string, message: string, field: string, needs: Need[] = []): Refusal {
  return new Refusal(message, [poolReason(pool, code, message, field)], needs)
}

/** Undefined where the namespace may have one more Service in the pool. */
export function quotaReason({ pool, byNamespace }: PoolState, { namespace }: Service): Reason | undefined {
  const quota = pool.quotas?.get(namespace) ?? pool.quotas?.get('*')
  if (quota === undefined) return undefined
  const held = byNamespace.get(namespace) ?? 0
  if (held < quota) return undefined
  const message = `quota of namespace ${quote(namespace)} reached (${held}/${quota} services)`
  return poolReason(pool, 'quotaReached', message, 'metadata.annotations[metallb.io/quotas]')
}
