/** Whether a Service may hold exactly some addresses (chapter 02 section 2.5). */
import { type Address, formatAddress } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { admissionRefusal } from './admission.ts'
import { sharingObjection, useAt } from './holding.ts'
import { quotaReason, withheld } from './limits.ts'
import { poolReason, Refusal, refuse } from './refusal.ts'
import { addressesPerFamily, firstOfEachFamily } from './request.ts'
import type { Holding } from './space.ts'
import type { Place, PoolState, PoolTable } from './table.ts'
import { quoteAddresses } from './text.ts'

/** A Service that would hold these addresses of one pool. */
export interface Claim {
  readonly service: Service
  readonly holding: Holding
  readonly addresses: readonly Address[]
  /** Where they lie, in the same order. */
  readonly places: readonly Place[]
  /** A status says so already: the older sharing rule counts, and what was free to give then (D7). */
  readonly learned: boolean
  /** The pool it holds addresses of now. */
  readonly held: PoolState | undefined
}

/** The first that speaks against the claim. */
export function objectionTo(claim: Claim): Refusal | undefined {
  const { service, places } = claim
  const { pool } = places[0]!.state
  const excluded = admissionRefusal(pool, service)
  if (excluded !== undefined) return new Refusal(`pool ${pool.name} not compatible for ip assignment`, [excluded])
  return shapeObjection(claim) ?? useObjection(claim) ?? quotaObjection(claim)
}

export function notInOnePool(table: PoolTable, addresses: readonly Address[]): Refusal {
  const whereabouts = addresses.map(address => {
    const pool = table.find(address)?.state.pool
    const text = formatAddress(address)
    return pool === undefined
      ? { code: 'notInAnyPool', message: `${text} is in no pool` }
      : poolReason(pool, 'inPool', `has ${text}`)
  })
  return new Refusal(`${quoteAddresses(addresses)} is not allowed in config`, whereabouts)
}

/** How many addresses of which families. */
function shapeObjection({ service, addresses }: Claim): Refusal | undefined {
  const most = addressesPerFamily(service)
  const shown = quoteAddresses(addresses)
  if (most > 1) {
    const fits = firstOfEachFamily(addresses, most).length === addresses.length
    return fits ? undefined : refuse('tooMany', `more addresses than asked for ${shown}`)
  }
  if (addresses.length > 2) return refuse('tooMany', `more than two addresses ${shown}`)
  if (addresses.length < 2 || addresses[0]!.family !== addresses[1]!.family) return undefined
  return refuse('sameFamily', `${shown.slice(1, -1)} has the same family`)
}

/** What others hold, and what is kept for others. */
function useObjection({ service, holding, addresses, places, learned }: Claim): Refusal | undefined {
  for (const [index, place] of places.entries()) {
    const objection = sharingObjection(service, holding, place, addresses[index]!, learned)
    if (objection !== undefined) return objection
    const kept = learned || useAt(place) !== undefined ? undefined : withheld(place, addresses[index]!, service.key)
    if (kept !== undefined) return kept
  }
  return undefined
}

function quotaObjection({ service, addresses, places, learned, held }: Claim): Refusal | undefined {
  const { state } = places[0]!
  const quota = learned || held === state ? undefined : quotaReason(state, service)
  if (quota === undefined) return undefined
  const needs = addresses.map(({ family }) => ({ kind: 'pool' as const, pool: state.pool.name, family }))
  return new Refusal(quota.message, [quota], needs)
}
