/** Which node announces a Service by layer 2 (chapter 03 section 1.8). */
import {
  type Election,
  electionOrder,
  placeBalanced,
  placementLimits,
  preferredCandidates,
  winsElection,
} from '../election/index.ts'
import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { type Admitted, admit, handlesClass } from './admission.ts'
import { type Balance, causeAgainst, type Outcome, owns, reasonsAgainst, refusalCode } from './layer2-reasons.ts'
import { inMinority } from './majority.ts'
import { eligibleNodes, type Standing, scoresOf, selectedInterfaces, standingOf } from './standing.ts'
import type { World } from './world.ts'

export interface Layer2Decision {
  readonly announces: boolean
  /** `owner`, or the word of chapter 05 section 1.15: the code of the first reason. */
  readonly code: string
  /** Every reason, worked out when asked: that takes the whole order of candidates, the decision itself does not. */
  readonly reasons: () => readonly [Reason, ...Reason[]]
  /** As in `Refusal`. */
  readonly cause: () => string
  /** Interfaces that the advertisements select on this node; meaningless where it does not announce. */
  readonly interfaces: ReadonlySet<string> | 'all'
}

interface GroupElection extends Election {
  readonly services: readonly string[]
}

interface Placement extends Balance {
  /** Owners by address. */
  readonly owners: ReadonlyMap<string, string>
}

/** Decides for one state of the world; what it worked out for a Service serves all that share an address with it. */
export class Layer2Planner {
  readonly #world: World
  readonly #eligible: readonly string[]
  readonly #standings = new Map<string, Standing>()
  readonly #elections = new Map<string, GroupElection>()
  #placement: Placement | undefined

  constructor(world: World) {
    this.#world = world
    this.#eligible = eligibleNodes(world)
  }

  decide(admitted: Admitted, node: string): Layer2Decision {
    const standing = this.#standing(admitted)
    const election = this.#election(standing)
    const wins = standing.candidates.has(node) && this.#wins(node, election)
    const minority = wins ? this.#world.minorities?.get(node) : undefined
    const announces = wins && minority === undefined
    return {
      announces,
      code: announces ? 'owner' : minority ? 'minorityPartition' : refusalCode(standing, node),
      reasons: () => {
        if (minority !== undefined) return [inMinority(node, minority)]
        const outcome = this.#outcome(election)
        return announces ? [owns(outcome)] : reasonsAgainst(standing, outcome, node, this.#world)
      },
      cause: () => (minority ? 'minorityPartition' : causeAgainst(standing, node, this.#world)),
      interfaces: selectedInterfaces(standing.ads, node),
    }
  }

  /** Candidates in order of claim; empty where nobody can announce. */
  orderOf(admitted: Admitted): readonly string[] {
    return this.#outcome(this.#election(this.#standing(admitted))).order
  }

  /** Sum of the preferences of all matching advertisements for a node. */
  scoreOf(admitted: Admitted, node: string): number {
    return scoresOf(this.#standing(admitted).ads).get(node) ?? 0
  }

  #wins(node: string, election: GroupElection): boolean {
    const { hash, options } = this.#world
    return options.balanced ? this.#placedOwner(election) === node : winsElection(node, election, hash)
  }

  #outcome(election: GroupElection): Outcome {
    const { address, services } = election
    const order = electionOrder(election, this.#world.hash)
    if (!this.#world.options.balanced) return { address, services, order }
    const owner = this.#placedOwner(election)
    const others = order.filter(node => node !== owner)
    const preferred = new Set(preferredCandidates(election))
    const balance = { ...this.#placed(), preferred }
    return { address, services, order: owner === undefined ? others : [owner, ...others], balance }
  }

  #placedOwner({ address }: Election): string | undefined {
    return this.#placed().owners.get(formatAddress(address))
  }

  /** Every address of the world is placed at once (IMP-5); preferences come first. */
  #placed(): Placement {
    if (this.#placement !== undefined) return this.#placement
    const items = [...this.#allElections()].map(election => ({
      key: formatAddress(election.address),
      candidates: preferredCandidates(election),
    }))
    const owners = placeBalanced(items, this.#world.hash)
    const loads = new Map<string, number>()
    for (const node of owners.values()) loads.set(node, (loads.get(node) ?? 0) + 1)
    this.#placement = { owners, loads, limits: placementLimits(items) }
    return this.#placement
  }

  #allElections(): Set<GroupElection> {
    const { services = () => [], config, options } = this.#world
    const elections = new Set<GroupElection>()
    for (const service of services()) {
      if (!handlesClass(service, options.lbClass)) continue
      const admission = admit(service, config)
      if ('pool' in admission) elections.add(this.#election(this.#standing(admission)))
    }
    return elections
  }

  #standing(admitted: Admitted): Standing {
    const { key } = admitted.service
    const known = this.#standings.get(key)
    if (known !== undefined) return known
    const standing = standingOf(admitted, this.#world, this.#eligible)
    this.#standings.set(key, standing)
    return standing
  }

  /**
   * One election for all Services that are tied together by shared addresses, so that no address ever has two owners
   * (IMP-3). Candidates are those of every Service, or, where no node could serve all, those of any. Where the
   * candidates and first addresses agree, the outcome is the reference's.
   */
  #election(standing: Standing): GroupElection {
    const known = this.#elections.get(standing.service.key)
    if (known !== undefined) return known
    const group = this.#sharers(standing)
    const contenders = group.filter(({ candidates }) => candidates.size > 0).sort(byAge)
    const lead = contenders[0] ?? standing
    const services = group.map(({ service }) => service.key)
    const candidates = commonCandidates(contenders)
    const election = { candidates, address: lead.addresses[0]!, scores: scoresOf(lead.ads), services }
    for (const key of services) this.#elections.set(key, election)
    return election
  }

  /** The Service and all that share an address with it, or with one of those. */
  #sharers(standing: Standing): Standing[] {
    const group = new Map([[standing.service.key, standing]])
    const seen = new Set<string>()
    for (const { addresses } of group.values()) {
      for (const address of addresses) {
        const text = formatAddress(address)
        if (seen.has(text)) continue
        seen.add(text)
        for (const other of this.#holders(address))
          if (!group.has(other.service.key)) group.set(other.service.key, other)
      }
    }
    return [...group.values()]
  }

  *#holders(address: Address): Iterable<Standing> {
    const { config, options, holdersOf } = this.#world
    for (const service of holdersOf(address)) {
      if (!handlesClass(service, options.lbClass)) continue
      const admission = admit(service, config)
      if ('pool' in admission) yield this.#standing(admission)
    }
  }
}

function commonCandidates(contenders: readonly Standing[]): ReadonlySet<string> {
  const [first, ...others] = contenders.map(({ candidates }) => candidates)
  if (first === undefined || others.length === 0) return first ?? new Set()
  const common = [...first].filter(node => others.every(candidates => candidates.has(node)))
  return new Set(common.length > 0 ? common : contenders.flatMap(({ candidates }) => [...candidates]))
}

/** Oldest first, so that a Service that joins an address does not move it. */
function byAge(a: Standing, b: Standing): number {
  const [left, right] = [`${a.service.created} ${a.service.key}`, `${b.service.created} ${b.service.key}`]
  return left < right ? -1 : left > right ? 1 : 0
}
