import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { type Admission, type Admitted, admit, handlesClass, objectOf } from './admission.ts'
import { Layer2Planner } from './layer2.ts'
import type { World } from './world.ts'

export interface NodeExplanation {
  readonly node: string
  readonly announces: boolean
  /** Never empty; the first code is the word that logs and events use. */
  readonly reasons: readonly Reason[]
  /** Interfaces that the advertisements select, where it announces; names sorted. */
  readonly interfaces: readonly string[] | 'all'
  /** Sum of the preferences for the node. */
  readonly score: number
}

export interface Layer2Explanation {
  readonly service: string
  /** Why no node looks at the Service; empty where its addresses can be announced. */
  readonly refused: readonly Reason[]
  readonly addresses: readonly Address[]
  readonly pool?: string
  /** Candidates in order of claim. */
  readonly order: readonly string[]
  /** In name order: every Node object, every member and every node an advertisement names. */
  readonly nodes: readonly NodeExplanation[]
}

/** For each node, or for those named, why it announces the Service or not: the same decision the speakers take. */
export function explainLayer2(service: Service, world: World, names = nodeNames(world)): Layer2Explanation {
  const admission = admissionOf(service, world)
  if ('pool' in admission) return explainAdmitted(admission, world, names)
  const nodes = names.map(node => ({
    node,
    announces: false,
    reasons: admission.reasons,
    interfaces: [],
    score: 0,
  }))
  return { service: service.key, refused: admission.reasons, addresses: [], order: [], nodes }
}

function explainAdmitted(admitted: Admitted, world: World, names: readonly string[]): Layer2Explanation {
  const { service, addresses, pool } = admitted
  const planner = new Layer2Planner(world)
  const nodes = names.map(node => {
    const { announces, reasons, interfaces } = planner.decide(admitted, node)
    const names = interfaces === 'all' ? interfaces : [...interfaces].sort()
    return {
      node,
      announces,
      reasons: reasons(),
      interfaces: announces ? names : [],
      score: planner.scoreOf(admitted, node),
    }
  })
  const order = planner.orderOf(admitted)
  return { service: service.key, refused: [], addresses, pool: pool.name, order, nodes }
}

function nodeNames({ nodes, members, config }: World): string[] {
  const advertised = config.l2Advertisements.flatMap(ad => [...ad.nodes])
  return [...new Set([...nodes.keys(), ...(members ?? []), ...advertised])].sort()
}

/** `admit`, after the class of the load balancer. */
export function admissionOf(service: Service, { config, options }: World): Admission {
  if (handlesClass(service, options.lbClass)) return admit(service, config)
  return { reasons: [otherClass(service, options.lbClass)] }
}

function otherClass(service: Service, lbClass: string): Reason {
  const { loadBalancerClass } = service
  const wanted = lbClass === '' ? 'Services without a class' : `class ${JSON.stringify(lbClass)}`
  const has = loadBalancerClass === undefined ? 'has no class' : `is of class ${JSON.stringify(loadBalancerClass)}`
  const message = `${has}, this speaker handles ${wanted}`
  return { code: 'otherLoadBalancerClass', message, object: objectOf(service), field: 'spec.loadBalancerClass' }
}

/** The Services that hold each address, for a `World` made from a plain list. */
export function holdersIn(services: Iterable<Service>): World['holdersOf'] {
  const holders = new Map<string, Service[]>()
  for (const service of services)
    for (const { address } of service.ingress) {
      if (address === undefined) continue
      const text = formatAddress(address)
      holders.set(text, [...(holders.get(text) ?? []), service])
    }
  return address => holders.get(formatAddress(address)) ?? []
}
