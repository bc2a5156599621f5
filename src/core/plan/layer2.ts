/** Which node announces a Service by layer 2, and why the others do not (chapter 03 section 1.8). */
import type { L2Advertisement } from '../config/index.ts'
import { electionOrder } from '../election/index.ts'
import { type Address, formatAddress } from '../ip/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import { annotationOf, EXCLUDE_LABEL } from '../service.ts'
import { type Admitted, admit, handlesClass, objectOf } from './admission.ts'
import type { World } from './world.ts'

export interface Layer2Decision {
  readonly announces: boolean
  /** Where the node does not announce, the first code is the word of chapter 05 section 1.15. */
  readonly reasons: readonly [Reason, ...Reason[]]
  /** Interfaces that the advertisements select on this node; meaningless where it does not announce. */
  readonly interfaces: ReadonlySet<string> | 'all'
  /** Candidates in order of claim; empty where nobody can announce. */
  readonly order: readonly string[]
}

/** What one Service brings into the election of its addresses. */
interface Standing extends Admitted {
  /** Advertisements of the pool that match the Service. */
  readonly ads: readonly L2Advertisement[]
  readonly hasEndpoints: boolean
  /** Nodes with a serving endpoint, where the traffic policy is Local. */
  readonly localNodes: ReadonlySet<string> | undefined
  /** The advertisement that forbids sharing an address. */
  readonly conflict: L2Advertisement | undefined
  readonly candidates: ReadonlySet<string>
}

interface Election {
  /** The address whose text was hashed. */
  readonly address: Address
  readonly order: readonly string[]
  readonly services: readonly string[]
}

/** Decides for one state of the world; what it worked out for a Service serves all that share an address with it. */
export class Layer2Planner {
  readonly #world: World
  readonly #standings = new Map<string, Standing>()
  readonly #elections = new Map<string, Election>()

  constructor(world: World) {
    this.#world = world
  }

  decide(admitted: Admitted, node: string): Layer2Decision {
    const standing = this.#standing(admitted)
    const election = this.#election(standing)
    const owner = election.order[0]
    const announces = owner === node && standing.candidates.has(node)
    const reasons = announces ? [owns(election)] : this.#against(standing, election, node)
    const interfaces = selectedInterfaces(standing.ads, node)
    return { announces, reasons: reasons as [Reason, ...Reason[]], interfaces, order: election.order }
  }

  /** Sum of the preferences of all matching advertisements for a node. */
  scoreOf(admitted: Admitted, node: string): number {
    return scoresOf(this.#standing(admitted).ads).get(node) ?? 0
  }

  #standing(admitted: Admitted): Standing {
    const { key } = admitted.service
    const known = this.#standings.get(key)
    if (known !== undefined) return known
    const standing = standingOf(admitted, this.#world)
    this.#standings.set(key, standing)
    return standing
  }

  /**
   * One election for all Services that are tied together by shared addresses, so that no address ever has two owners
   * (IMP-3). Candidates are those of every Service, or, where no node could serve all, those of any. Where the
   * candidates and first addresses agree, the outcome is the reference's.
   */
  #election(standing: Standing): Election {
    const known = this.#elections.get(standing.service.key)
    if (known !== undefined) return known
    const group = this.#sharers(standing)
    const contenders = group.filter(({ candidates }) => candidates.size > 0).sort(byAge)
    const lead = contenders[0] ?? standing
    const address = lead.addresses[0]!
    const order = electionOrder(commonCandidates(contenders), address, scoresOf(lead.ads), this.#world.hash)
    const election = { address, order, services: group.map(({ service }) => service.key) }
    for (const key of election.services) this.#elections.set(key, election)
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

  /** Every reason why the node does not announce, in the order of chapter 03 section 1.8. */
  #against(standing: Standing, election: Election, node: string): Reason[] {
    const { service, pool, ads, hasEndpoints, conflict, localNodes } = standing
    const object = objectOf(service)
    const reasons: Reason[] = []
    if (!hasEndpoints) reasons.push({ code: 'noEndpoints', message: 'no endpoint of the service can serve', object }) // R1
    if (conflict !== undefined) reasons.push(sharedWithSelector(conflict)) // R2
    if (!ads.some(ad => ad.nodes.has(node))) reasons.push(noAdvertisement(ads, pool.name, node)) // R3
    reasons.push(...nodeReasons(node, this.#world))
    if (localNodes !== undefined && !localNodes.has(node))
      reasons.push({
        code: 'noLocalEndpoints',
        message: `externalTrafficPolicy is Local and no endpoint on node ${node} can serve`,
        object,
        field: 'spec.externalTrafficPolicy',
      })
    if (reasons.length === 0) reasons.push(lost(election)) // R5
    const first = reasons[0]!.code
    const says = first === 'sharedIPWithServiceSelector' || first === 'noMatchingAdvertisement'
    return says ? reasons : [{ code: 'notOwner', message: `node ${node} does not answer for the service` }, ...reasons]
  }
}

function standingOf(admitted: Admitted, world: World): Standing {
  const { service, pool } = admitted
  const ads = world.config.l2Advertisements.filter(
    ({ pools, serviceSelectors }) =>
      pools.has(pool.name) && (serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, service.labels)),
  )
  const serving = world.endpointsOf(service.key).filter(({ canServe }) => canServe)
  const local = service.localTrafficPolicy ? new Set(serving.map(({ nodeName }) => nodeName ?? '')) : undefined
  const shares = annotationOf(service, 'allow-shared-ip') !== undefined
  const conflict = shares ? ads.find(({ serviceSelectors }) => serviceSelectors.length > 0) : undefined
  const hopeless = serving.length === 0 || conflict !== undefined
  const candidates = hopeless
    ? []
    : [...(world.members ?? world.nodes.keys())].filter(
        node =>
          nodeReasons(node, world).length === 0 &&
          ads.some(ad => ad.nodes.has(node)) &&
          (local === undefined || local.has(node)),
      )
  const hasEndpoints = serving.length > 0
  return { ...admitted, ads, hasEndpoints, localNodes: local, conflict, candidates: new Set(candidates) }
}

/** Why a node can be no candidate for any Service. */
function nodeReasons(name: string, { members, nodes, options }: World): Reason[] {
  const reasons: Reason[] = []
  const node = nodes.get(name)
  const object = { kind: 'Node', name }
  if (members !== undefined && !members.has(name))
    reasons.push({ code: 'memberMissing', message: 'no live speaker on this node', object })
  if (members === undefined && node === undefined)
    reasons.push({ code: 'nodeMissing', message: 'no such node', object })
  if (node?.networkUnavailable)
    // E1
    reasons.push({
      code: 'nodeNetworkUnavailable',
      message: "speaker's node has NodeNetworkUnavailable condition",
      object,
      field: 'status.conditions',
    })
  if (!options.ignoreExcludeLb && node !== undefined && Object.hasOwn(node.labels, EXCLUDE_LABEL))
    // E2
    reasons.push({
      code: 'nodeLabeledExcludeBalancers',
      message: `speaker's node has labeled '${EXCLUDE_LABEL}'`,
      object,
      field: 'metadata.labels',
    })
  return reasons
}

function commonCandidates(contenders: readonly Standing[]): Set<string> {
  const [first, ...others] = contenders.map(({ candidates }) => candidates)
  if (first === undefined) return new Set()
  const common = [...first].filter(node => others.every(candidates => candidates.has(node)))
  return new Set(common.length > 0 ? common : contenders.flatMap(({ candidates }) => [...candidates]))
}

/** Oldest first, so that a Service that joins an address does not move it. */
function byAge(a: Standing, b: Standing): number {
  const [left, right] = [`${a.service.created} ${a.service.key}`, `${b.service.created} ${b.service.key}`]
  return left < right ? -1 : left > right ? 1 : 0
}

function scoresOf(ads: readonly L2Advertisement[]): Map<string, number> {
  const scores = new Map<string, number>()
  for (const { preferredNodes } of ads)
    for (const [node, score] of preferredNodes) scores.set(node, (scores.get(node) ?? 0) + score)
  return scores
}

/** Chapter 03 section 1.11: all where any advertisement that selects the node says so, else every name they list. */
function selectedInterfaces(ads: readonly L2Advertisement[], node: string): ReadonlySet<string> | 'all' {
  const names = new Set<string>()
  for (const { nodes, interfaces } of ads) {
    if (!nodes.has(node)) continue
    if (interfaces === 'all') return 'all'
    for (const name of interfaces) names.add(name)
  }
  return names
}

function owns({ order, address, services }: Election): Reason {
  const shared = services.length > 1 ? `, shared by ${services.length} services` : ''
  return { code: 'owner', message: `first of ${order.length} candidates for ${formatAddress(address)}${shared}` }
}

function lost({ order, address, services }: Election): Reason {
  const text = formatAddress(address)
  const shared = services.length > 1 ? ` (elected for ${services.length} services that share addresses)` : ''
  return { code: 'electionLost', message: `node ${order[0]} comes first of ${order.length} for ${text}${shared}` }
}

function sharedWithSelector({ name }: L2Advertisement): Reason {
  return {
    code: 'sharedIPWithServiceSelector',
    message: 'allow-shared-ip is incompatible with serviceSelectors on L2 advertisements',
    object: { kind: 'L2Advertisement', name },
    field: 'spec.serviceSelectors',
  }
}

function noAdvertisement(ads: readonly L2Advertisement[], pool: string, node: string): Reason {
  const code = 'noMatchingAdvertisement'
  if (ads.length === 0) return { code, message: `no L2Advertisement for pool ${pool} matches the service` }
  const names = ads.map(({ name }) => name).join(', ')
  return { code, message: `no advertisement matching service on node ${node}: ${names} select other nodes` }
}
