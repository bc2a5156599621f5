/** Why a node announces a Service by layer 2 or not, in words. */
import type { L2Advertisement } from '../config/index.ts'
import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { objectOf } from './admission.ts'
import { isExclusion, skippedByLabel } from './skipped.ts'
import { nodeReasons, type Standing, selectedInterfaces } from './standing.ts'
import type { World } from './world.ts'

/** How the election of the addresses came out. */
export interface Outcome {
  /** The address whose text was hashed. */
  readonly address: Address
  /** Candidates in order of claim. */
  readonly order: readonly string[]
  /** Services elected together. */
  readonly services: readonly string[]
  /** Where the first was not elected, but placed so that no node has more than its share (IMP-5). */
  readonly balance?: Balance & { readonly preferred: ReadonlySet<string> }
}

/** How many addresses nodes have, and how many they may have. */
export interface Balance {
  readonly loads: ReadonlyMap<string, number>
  readonly limits: ReadonlyMap<string, number>
}

/** The word of chapter 05 section 1.15 where the node does not announce. */
export function refusalCode({ hasEndpoints, conflict, ads }: Standing, node: string): string {
  if (!hasEndpoints) return 'notOwner' // R1
  if (conflict !== undefined) return 'sharedIPWithServiceSelector' // R2
  return ads.some(ad => ad.nodes.has(node)) ? 'notOwner' : 'noMatchingAdvertisement' // R3, R4 and R5
}

/** Every reason why the node does not announce, in the order of chapter 03 section 1.8, the word first. */
export function reasonsAgainst(
  standing: Standing,
  outcome: Outcome,
  node: string,
  world: World,
): [Reason, ...Reason[]] {
  const skipped = outcome.order.length === 0 ? skippedByLabel(labelledNodes(standing, world), node) : []
  const [first = lost(outcome, node), ...others] = [...objectionsTo(standing, node, world), ...skipped] // R5
  if (first.code === refusalCode(standing, node)) return [first, ...others]
  return [{ code: 'notOwner', message: `node ${node} does not answer for the service` }, first, ...others]
}

/** The code of the first that is in the way; `electionLost` where nothing is. */
export function causeAgainst(standing: Standing, node: string, world: World): string {
  if (standing.ads.length === 0) return 'notAdvertised'
  return objectionsTo(standing, node, world)[0]?.code ?? 'electionLost'
}

/** All that keeps the node from being a candidate. */
function objectionsTo(standing: Standing, node: string, world: World): Reason[] {
  const { service, pool, ads, hasEndpoints, conflict, localNodes } = standing
  const object = objectOf(service)
  const reasons: Reason[] = []
  if (!hasEndpoints) reasons.push({ code: 'noEndpoints', message: 'no endpoint of the service can serve', object }) // R1
  if (conflict !== undefined) reasons.push(sharedWithSelector(conflict)) // R2
  if (!ads.some(ad => ad.nodes.has(node))) reasons.push(noAdvertisement(ads, pool.name, node)) // R3
  reasons.push(...nodeReasons(node, world))
  if (localNodes !== undefined && !localNodes.has(node))
    reasons.push({
      code: 'noLocalEndpoints',
      message: `externalTrafficPolicy is Local and no endpoint on node ${node} can serve`,
      object,
      field: 'spec.externalTrafficPolicy',
    })
  if (standing.unlinked.has(node)) reasons.push(noInterface(ads, node)) // IMP-25
  if (world.held?.has(node) && !standing.candidates.has(node)) reasons.push(heldDown(node)) // IMP-4
  return reasons
}

/** Nodes that would be candidates without their label. */
function labelledNodes(standing: Standing, world: World): string[] {
  const names = world.members ?? world.nodes.keys()
  return [...names].filter(name => {
    const objections = objectionsTo(standing, name, world)
    return objections.length > 0 && objections.every(isExclusion)
  })
}

export function owns({ order, address, services, balance }: Outcome): Reason {
  const shared = services.length > 1 ? `, shared by ${services.length} services` : ''
  if (balance) {
    const message = `has ${formatAddress(address)}${shared} by balanced placement on ${order.length} candidates`
    return { code: 'owner', message }
  }
  return { code: 'owner', message: `first of ${order.length} candidates for ${formatAddress(address)}${shared}` }
}

function lost(outcome: Outcome, node: string): Reason {
  const { order, address, services, balance } = outcome
  const text = formatAddress(address)
  if (balance) return { code: 'electionLost', message: `node ${order[0]} has ${text}: ${whyNotPlaced(balance, node)}` }
  const shared = services.length > 1 ? ` (elected for ${services.length} services that share addresses)` : ''
  return { code: 'electionLost', message: `node ${order[0]} comes first of ${order.length} for ${text}${shared}` }
}

function whyNotPlaced({ loads, limits, preferred }: NonNullable<Outcome['balance']>, node: string): string {
  if (!preferred.has(node)) return `${node} is preferred less`
  const [load, limit] = [loads.get(node) ?? 0, limits.get(node) ?? 0]
  if (load >= limit) return `${node} holds its share, ${load} addresses`
  return `it comes first of those with room, ${node} holds ${load} of at most ${limit} addresses`
}

function sharedWithSelector({ name }: L2Advertisement): Reason {
  return {
    code: 'sharedIPWithServiceSelector',
    message: 'allow-shared-ip is incompatible with serviceSelectors on L2 advertisements',
    object: { kind: 'L2Advertisement', name },
    field: 'spec.serviceSelectors',
  }
}

function heldDown(node: string): Reason {
  const message = `node ${node} came back a short time ago and leaves the addresses where they are`
  return { code: 'heldDown', message, object: { kind: 'Node', name: node } }
}

function noInterface(ads: readonly L2Advertisement[], node: string): Reason {
  const selecting = ads.filter(ad => ad.nodes.has(node))
  const names = [...selectedInterfaces(ads, node)].sort().join(', ')
  return {
    code: 'noUsableInterface',
    message: `none of the selected interfaces (${names}) can be used on node ${node}`,
    object: { kind: 'L2Advertisement', name: selecting.map(({ name }) => name).join(', ') },
    field: 'spec.interfaces',
  }
}

function noAdvertisement(ads: readonly L2Advertisement[], pool: string, node: string): Reason {
  const code = 'noMatchingAdvertisement'
  if (ads.length === 0) return { code, message: `no L2Advertisement for pool ${pool} matches the service` }
  const names = ads.map(({ name }) => name).join(', ')
  return { code, message: `no advertisement matching service on node ${node}: ${names} select other nodes` }
}
