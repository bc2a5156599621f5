import { parseConfig, parseEndpoints, parseNode, parseService, SERVICE_NAME_LABEL } from '../../api/index.ts'
import { type AllocationExplained, Allocator, explainAllocation, learn } from '../../core/allocator/index.ts'
import type { Config, Problem } from '../../core/config/index.ts'
import type { Hash } from '../../core/election/index.ts'
import { objectKey } from '../../core/object.ts'
import {
  type BgpExplanation,
  explainBgp,
  explainLayer2,
  handlesClass,
  holdersIn,
  type Layer2Explanation,
  type World,
} from '../../core/plan/index.ts'
import type { Endpoint, Service } from '../../core/service.ts'
import { type Cluster, speakerNodes } from './cluster.ts'

export interface ExplainOptions {
  readonly hash: Hash
  /** `--lb-class` of controller and speakers. */
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  /** `--balanced-placement` of the speakers. */
  readonly balanced?: boolean
}

export type Explanation =
  | { kind: 'no such service' }
  /** The processes go on with the last valid configuration, which cannot be seen from outside. */
  | { kind: 'invalid configuration'; problems: readonly Problem[] }
  | {
      kind: 'explained'
      service: Service
      allocation: AllocationExplained
      layer2: Layer2Explanation
      bgp: BgpExplanation
      /** Nodes that say they announce it (ServiceL2Status). */
      reported: readonly string[]
      /** What was not known and had to be assumed. */
      assumptions: readonly string[]
    }

/** Why the Service has its address or none, and why each node announces it or not: the decisions, taken once more. */
export function explainService(cluster: Cluster, key: string, options: ExplainOptions): Explanation {
  const services = cluster.services.map(parseService)
  const service = services.find(one => one.key === key)
  if (service === undefined) return { kind: 'no such service' }
  const parsed = parseConfig(cluster.snapshot)
  if ('problems' in parsed) return { kind: 'invalid configuration', problems: parsed.problems }
  const { config } = parsed
  const world = worldOf(cluster, config, services, options)
  return {
    kind: 'explained',
    service,
    allocation: explainAllocation(learnedAllocator(config, services, options.lbClass), service),
    layer2: explainLayer2(service, world),
    bgp: explainBgp(service, world),
    reported: reportedNodes(cluster, service),
    assumptions: assumptionsOf(cluster, service),
  }
}

/** The allocator as it is after the statuses were read. */
function learnedAllocator(config: Config, services: readonly Service[], lbClass: string): Allocator {
  const allocator = new Allocator()
  allocator.setPools(config.pools)
  learn(
    allocator,
    services.filter(service => handlesClass(service, lbClass)),
  )
  return allocator
}

/** The world as the speakers will see it. */
export function worldOf(
  cluster: Cluster,
  config: Config,
  services: readonly Service[],
  options: ExplainOptions,
): World {
  const endpoints = endpointsByService(cluster)
  return {
    config,
    nodes: new Map((cluster.snapshot.nodes ?? []).map(parseNode).map(node => [node.name, node])),
    members: speakerNodes(cluster.pods),
    endpointsOf: key => endpoints.get(key) ?? [],
    holdersOf: holdersIn(services),
    services: () => services,
    hash: options.hash,
    options,
  }
}

function endpointsByService({ endpointSlices }: Cluster): Map<string, Endpoint[]> {
  const endpoints = new Map<string, Endpoint[]>()
  for (const slice of endpointSlices) {
    const { namespace, labels = {} } = slice.metadata
    const key = objectKey({ namespace, name: labels[SERVICE_NAME_LABEL] ?? '' })
    endpoints.set(key, [...(endpoints.get(key) ?? []), ...parseEndpoints(slice)])
  }
  return endpoints
}

function reportedNodes({ l2Statuses }: Cluster, { namespace, name }: Service): string[] {
  const own = l2Statuses.filter(({ status }) => status?.serviceNamespace === namespace && status.serviceName === name)
  return own.flatMap(({ status }) => status?.node ?? []).sort()
}

function assumptionsOf({ snapshot, endpointSlices, pods }: Cluster, { namespace, name }: Service): string[] {
  const isOwn = ({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }) =>
    metadata.namespace === namespace && metadata.labels?.[SERVICE_NAME_LABEL] === name
  return [
    ...(snapshot.nodes?.length ? [] : ['no Node objects are known, so no node can be a candidate']),
    ...(endpointSlices.some(isOwn) ? [] : ['no EndpointSlice of the Service is known']),
    ...(speakerNodes(pods) ? [] : ['which speakers run is not known: every Node counts as a candidate']),
  ]
}
