import { parseConfig, parseService } from '../../api/index.ts'
import { explainAllocation } from '../../core/allocator/index.ts'
import type { Problem } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import { admit, explainLayer2, handlesClass, type World } from '../../core/plan/index.ts'
import { formatReason, type Reason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import { type Cluster, type ExplainOptions, worldOf } from '../explain/index.ts'
import { bgpAnnouncements } from './bgp.ts'
import { type Prediction, predict } from './predict.ts'

/** One address announced by one node. The names of the fields are those of the JSON output. */
export type PlannedAnnouncement =
  | { protocol: 'layer2'; node: string; address: string; interfaces: readonly string[] | 'all' }
  | {
      protocol: 'bgp'
      node: string
      address: string
      prefix: string
      peers: readonly string[]
      advertisement: string
      /** The peers are told to prefer other nodes. */
      drained?: true
    }

export interface PlannedService {
  readonly namespace: string
  readonly name: string
  readonly addresses: readonly string[]
  /** Null where it has no address. */
  readonly pool: string | null
  /** Why it has these addresses or none, then why no node announces them, where none does. */
  readonly reasons: readonly Reason[]
  readonly announcements: readonly PlannedAnnouncement[]
  /** What `kubectl describe service` would show. */
  readonly events: readonly { type: string; reason: string; message: string }[]
}

export type Plan =
  /** Controller and speakers would go on with the last valid configuration. */
  | { readonly kind: 'invalid configuration'; readonly problems: readonly Problem[] }
  /** In order of namespace and name; Services that are no LoadBalancer and had no address are left out. */
  | { readonly kind: 'plan'; readonly services: readonly PlannedService[]; readonly cluster: Cluster }

/** What becomes of the cluster; `cluster` of the answer is the cluster afterwards. */
export function planCluster(cluster: Cluster, options: ExplainOptions): Plan {
  const parsed = parseConfig(cluster.snapshot)
  if ('problems' in parsed) return { kind: 'invalid configuration', problems: parsed.problems }
  const before = cluster.services.map(parseService)
  const prediction = predict(parsed.config.pools, before, options.lbClass)
  const world = worldOf(cluster, parsed.config, prediction.services, options)
  const services = prediction.services
    .filter(({ type, ingress }, index) => type === 'LoadBalancer' || ingress.length + before[index]!.ingress.length > 0)
    .map(service => planService(service, prediction, world))
    .sort(byName)
  return { kind: 'plan', services, cluster: withStatuses(cluster, prediction) }
}

function planService(service: Service, { allocator, outcomes }: Prediction, world: World): PlannedService {
  const { namespace, name, key } = service
  const { reasons = [], events = [] } = outcomes.get(key) ?? {}
  const explained = handlesClass(service, world.options.lbClass) ? explainAllocation(allocator, service).reasons : []
  const layer2 = explainLayer2(service, world)
  const announcements = announcementsOf(service, layer2, world)
  const silence = announcements.length > 0 ? [] : [...layer2.refused, ...layer2.nodes.flatMap(node => node.reasons)]
  const addresses = service.ingress.flatMap(({ address }) => (address ? [formatAddress(address)] : []))
  return {
    namespace,
    name,
    addresses,
    pool: allocator.allocationOf(key)?.pool ?? null,
    reasons: distinct([...reasons, ...explained, ...silence]),
    announcements,
    events: events.map(({ type, reason, message }) => ({ type, reason, message })),
  }
}

function announcementsOf(service: Service, layer2: ReturnType<typeof explainLayer2>, world: World) {
  const announcements: PlannedAnnouncement[] = []
  for (const { node, announces, interfaces } of layer2.nodes)
    if (announces)
      for (const address of layer2.addresses)
        announcements.push({ protocol: 'layer2', node, address: formatAddress(address), interfaces })
  const admission = admit(service, world.config)
  if (!('pool' in admission) || !handlesClass(service, world.options.lbClass)) return announcements
  const bgp = bgpAnnouncements(admission, world).map(({ node, address, ...rest }): PlannedAnnouncement => {
    return { protocol: 'bgp', node, address: formatAddress(address), ...rest }
  })
  return [...announcements, ...bgp]
}

function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map(reason => [`${reason.code} ${formatReason(reason)}`, reason])).values()]
}

function withStatuses(cluster: Cluster, { services }: Prediction): Cluster {
  const after = cluster.services.map((resource, index) => {
    const ingress = services[index]!.ingress.map(({ text }) => ({ ip: text }))
    return { ...resource, status: { ...resource.status, loadBalancer: ingress.length === 0 ? {} : { ingress } } }
  })
  return { ...cluster, services: after }
}

function byName(a: PlannedService, b: PlannedService): number {
  const [first, second] = [`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`]
  return first < second ? -1 : first > second ? 1 : 0
}
