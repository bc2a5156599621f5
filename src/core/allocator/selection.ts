/** Which pool and which addresses a Service gets when it holds none (chapter 02 sections 2.4 and 2.7). */
import type { Pool } from '../config/index.ts'
import type { Address, Family } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { admissionRefusal, compareNames, comparePinned } from './admission.ts'
import { quotaReason } from './limits.ts'
import { type Need, poolReason, Refusal, refuse } from './refusal.ts'
import type { Want } from './request.ts'
import type { Holding } from './space.ts'
import type { PoolState } from './table.ts'
import { quote } from './text.ts'

/** The pools in the order they are tried: those with a serviceAllocation by priority, then the open ones (D14). */
export interface Candidates {
  readonly pinned: readonly PoolState[]
  readonly open: readonly PoolState[]
}

export function candidatesOf(states: readonly PoolState[]): Candidates {
  const pinned = states.filter(({ pool }) => pool.allocation !== undefined)
  const open = states.filter(({ pool }) => pool.allocation === undefined)
  pinned.sort((a, b) => comparePinned(a.pool, b.pool))
  open.sort((a, b) => compareNames(a.pool, b.pool))
  return { pinned, open }
}

/** The first usable address of each family. */
type Offer = Readonly<Partial<Record<Family, Address>>>

/** Automatic choice; pinned pools are exhausted before an open one is looked at. */
export function chooseAny(candidates: Candidates, service: Service, holding: Holding, want: Want): Address[] | Refusal {
  const { pinned, open } = candidates
  const owner = pinned.find(({ pool }) => isExclusive(pool, service)) // D22
  const chosen = allowsDual(service, want)
    ? (tryPools(pinned, service, holding, want) ?? tryPools(owner ? [] : open, service, holding, want))
    : undefined
  if (chosen !== undefined) return chosen
  const others = open.map(state => (owner ? closed(state.pool, owner.pool) : unsuitable(state, service, holding, want)))
  const reasons = [...pinned.map(state => unsuitable(state, service, holding, want)), ...others]
  const needs = familiesIn(want).map((family): Need => ({ kind: 'auto', family, both: needsBoth(want) }))
  return new Refusal('no available IPs', reasons, needs)
}

function isExclusive(pool: Pool, service: Service): boolean {
  return pool.exclusive === true && pool.autoAssign && admissionRefusal(pool, service) === undefined
}

function closed(pool: Pool, owner: Pool): Reason {
  return poolReason(pool, 'exclusivePool', `not used: pool ${owner.name} serves this service exclusively`)
}

function tryPools(states: readonly PoolState[], service: Service, holding: Holding, want: Want) {
  let primary: Address[] | undefined
  let secondary: Address[] | undefined
  for (const state of states) {
    const { pool } = state
    if (!pool.autoAssign || admissionRefusal(pool, service) !== undefined) continue
    if (quotaReason(state, service) !== undefined) continue
    const offer = offerOf(state, holding, want)
    const taken = satisfying(offer, want)
    if (taken !== undefined) return taken
    if (!want.oneIsEnough) continue
    const only = offer.ipv4 ?? offer.ipv6
    if (only === undefined) continue
    if (only.family === want.primary) primary ??= [only]
    else secondary ??= [only]
  }
  return primary ?? secondary
}

/** From one pool only, whatever its autoAssign says; admission is checked when the addresses are assigned. */
export function chooseFrom(state: PoolState, service: Service, holding: Holding, want: Want): Address[] | Refusal {
  const { name } = state.pool
  const offer = offerOf(state, holding, { ...want, families: 'dual' })
  if (allowsDual(service, want) && quotaReason(state, service) === undefined) {
    const taken = satisfying(offer, want)
    if (taken !== undefined) return taken
    const only = offer.ipv4 ?? offer.ipv6 // spec.ipFamilies has no say here (section 2.7)
    if (want.families === 'dual' && want.oneIsEnough && only !== undefined) return [only]
  }
  const empty = offer.ipv4 === undefined && offer.ipv6 === undefined
  const message = `no available IPs in pool ${name}${empty ? '' : ` for ${want.families} IPFamily`}`
  const needs = familiesIn(want).map((family): Need => ({ kind: 'pool', pool: name, family, both: needsBoth(want) }))
  return new Refusal(message, [unsuitable(state, service, holding, want)], needs)
}

export function unknownPool(name: string): Refusal {
  return refuse('unknownPool', `unknown pool ${quote(name)}`)
}

/** The first usable address of the family a Service lacks, from the pool it holds (section 2.8, D8). */
export function chooseOther(state: PoolState, family: Family, holding: Holding): Address | Refusal {
  const rank = state.spaces[family].firstUsable(holding)
  if (rank !== undefined) return { family, value: state.spaces[family].addressAt(rank) }
  const { name } = state.pool
  const reasons = [poolReason(state.pool, ...lack(state, family))]
  return new Refusal(`no available IPs in pool ${name} for ${family} IPFamily`, reasons, [
    { kind: 'pool', pool: name, family },
  ])
}

/** A free address of the family; for Services that ask for several. */
export function chooseMore(state: PoolState, family: Family): Address | Refusal {
  const { pool, spaces } = state
  const rank = spaces[family].lowestFree
  if (rank !== undefined) return { family, value: spaces[family].addressAt(rank) }
  const reasons = [poolReason(pool, ...lack(state, family))]
  const needs: Need[] = [{ kind: 'pool', pool: pool.name, family }]
  return new Refusal(`no available IPs in pool ${pool.name} for ${family} IPFamily`, reasons, needs)
}

function offerOf(state: PoolState, holding: Holding, want: Want): Offer {
  const offer: { -readonly [family in Family]?: Address } = {}
  for (const family of familiesIn(want)) {
    const rank = state.spaces[family].firstUsable(holding)
    if (rank !== undefined) offer[family] = { family, value: state.spaces[family].addressAt(rank) }
  }
  return offer
}

/** The addresses, where the offer has everything that is wanted; IPv4 comes first whatever `spec.ipFamilies` says. */
function satisfying(offer: Offer, { families }: Want): Address[] | undefined {
  if (families !== 'dual') return offer[families] && [offer[families]]
  return offer.ipv4 && offer.ipv6 && [offer.ipv4, offer.ipv6]
}

function familiesIn({ families }: Want): Family[] {
  return families === 'dual' ? ['ipv4', 'ipv6'] : [families]
}

function needsBoth({ families, oneIsEnough }: Want): boolean {
  return families === 'dual' && !oneIsEnough
}

/** Two cluster IPs under SingleStack have never been given an address (section 1.7). */
function allowsDual({ ipFamilyPolicy }: Service, { families }: Want): boolean {
  return families !== 'dual' || ipFamilyPolicy !== 'SingleStack'
}

/** Why the pool did not serve. */
function unsuitable(state: PoolState, service: Service, holding: Holding, want: Want): Reason {
  const { pool } = state
  if (!allowsDual(service, want)) {
    const message = 'two cluster IPs need ipFamilyPolicy PreferDualStack or RequireDualStack'
    return poolReason(pool, 'singleStack', message)
  }
  const refused = admissionRefusal(pool, service)
  if (refused !== undefined) return refused
  const quota = quotaReason(state, service)
  if (quota !== undefined) return quota
  const offer = offerOf(state, holding, want)
  const lacking = familiesIn(want).filter(family => offer[family] === undefined)
  if (lacking.length > 0) return poolReason(pool, ...lack(state, ...lacking))
  return poolReason(pool, 'autoAssignOff', 'not used for automatic assignment', 'spec.autoAssign')
}

function lack({ spaces }: PoolState, ...families: Family[]): [string, string] {
  const none = families.filter(family => spaces[family].capacity === 0n)
  if (none.length > 0) return ['familyMissing', `has no ${none.join(' and no ')} addresses`]
  const counts = families.map(family => `${spaces[family].uses.size}/${spaces[family].capacity} ${family}`)
  const back = families.reduce((sum, family) => sum + spaces[family].heldBack, 0n)
  const kept = back === 0n ? '' : `, ${back} reserved or in quarantine`
  return ['poolFull', `exhausted (${counts.join(' and ')} addresses in use${kept})`]
}
