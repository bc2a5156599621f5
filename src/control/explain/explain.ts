import { parseConfig, parseEndpoints, parseNode, parseService, SERVICE_NAME_LABEL } from '../../api/index.ts'
import { type AllocationExplained, Allocator, explainAllocation, learn } from '../../core/allocator/index.ts'
import type { Config, Problem } from '../../core/config/index.ts'
import type { Hash } from '../../core/election/index.ts'
import { objectKey } from '../../core/object.ts'
import {
  type BgpExplanation,
  type BgpNodeExplanation,
  explainBgp,
  explainLayer2,
  handlesClass,
  holdersIn,
  type Layer2Explanation,
  type NodeExplanation,
  type World,
} from '../../core/plan/index.ts'
import type { Endpoint, Service } from '../../core/service.ts'
import { type Cluster, speakerNodes } from './cluster.ts'
import { type Answers, NOT_ASKED, type ServiceView, withVerdicts, withViews } from './speakers.ts'

export interface ExplainOptions {
  readonly hash: Hash
  /** `--lb-class` of controller and speakers. */
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  /** `--balanced-placement` of the speakers. */
  readonly balanced?: boolean
  /** `--drain-cordoned` of the speakers. */
  readonly drainCordoned?: boolean
}

/** A process that does not run the configuration of the cluster, by its ConfigurationState. */
export interface StaleProcess {
  /** `controller`, or `speaker-NODE`. */
  readonly process: string
  /** RFC 3339. */
  readonly since?: string
  readonly refused: string
}

/** `speaker`: the speaker of the node says so. `computed`: worked out here from what is known. */
export type Told<R> = R & { readonly by: 'speaker' | 'computed' }

export interface Explained {
  readonly kind: 'explained'
  readonly service: Service
  readonly allocation: AllocationExplained
  readonly layer2: Omit<Layer2Explanation, 'nodes'> & { readonly nodes: readonly Told<NodeExplanation>[] }
  readonly bgp: Omit<BgpExplanation, 'nodes'> & { readonly nodes: readonly Told<BgpNodeExplanation>[] }
  /** Nodes that say they announce it (ServiceL2Status). */
  readonly reported: readonly string[]
  /** What the speakers that answered see, decide and run with. */
  readonly views: readonly ServiceView[]
  /** Of those that were not asked themselves. */
  readonly stale: readonly StaleProcess[]
  /** What was not known and had to be assumed. */
  readonly assumptions: readonly string[]
}

export type Explanation =
  | { kind: 'no such service' }
  /** The processes go on with the last valid configuration, which only they can tell of. */
  | {
      kind: 'invalid configuration'
      problems: readonly Problem[]
      views: readonly ServiceView[]
      stale: readonly StaleProcess[]
    }
  | Explained

/**
 * Why the Service has its address or none, and why each node announces it or not: what the speakers say that answered,
 * and for the others the decisions, taken once more.
 */
export function explainService(
  cluster: Cluster,
  key: string,
  options: ExplainOptions,
  answers: Answers = NOT_ASKED,
): Explanation {
  const { views } = answers
  const services = cluster.services.map(parseService)
  const service = services.find(one => one.key === key)
  if (service === undefined) return { kind: 'no such service' }
  const parsed = parseConfig(cluster.snapshot)
  const stale = staleProcesses(cluster, views)
  if ('problems' in parsed) return { kind: 'invalid configuration', problems: parsed.problems, views, stale }
  const { config } = parsed
  const world = withViews(worldOf(cluster, config, services, options), views)
  const [layer2, bgp] = [explainLayer2(service, world), explainBgp(service, world)]
  const bgpViews = bgp.configured ? views : []
  return {
    kind: 'explained',
    service,
    allocation: explainAllocation(learnedAllocator(config, services, options.lbClass), service),
    layer2: { ...layer2, nodes: withVerdicts(layer2.nodes, views, verdict => verdict.layer2) },
    bgp: { ...bgp, nodes: withVerdicts(spoken(bgp.nodes, cluster), bgpViews, verdict => verdict.bgp) },
    reported: reportedNodes(cluster, service),
    views,
    stale,
    assumptions: assumptionsOf(cluster, service, answers),
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

/** BGP asks nobody who else lives, but without a speaker of its own a node announces nothing. */
function spoken(rows: readonly BgpNodeExplanation[], { pods }: Cluster): BgpNodeExplanation[] {
  const speakers = speakerNodes(pods)
  return rows.map(row => {
    if (speakers?.has(row.node) ?? true) return row
    const object = { kind: 'Node', name: row.node }
    const missing = { code: 'memberMissing', message: 'no speaker runs on this node', object }
    const reasons = [missing, ...(row.announces ? [] : row.reasons)]
    return { ...row, announces: false, reasons, warnings: [], prefixes: [], peers: [] }
  })
}

function reportedNodes({ l2Statuses }: Cluster, { namespace, name }: Service): string[] {
  const own = l2Statuses.filter(({ status }) => status?.serviceNamespace === namespace && status.serviceName === name)
  return own.flatMap(({ status }) => status?.node ?? []).sort()
}

function staleProcesses({ configurationStates = [] }: Cluster, views: readonly ServiceView[]): StaleProcess[] {
  const asked = new Set(views.map(({ node }) => `speaker-${node}`))
  return configurationStates.flatMap(({ metadata: { name }, status = {} }) => {
    const { result = 'Valid', errorSummary = '', conditions = [] } = status
    if (result === 'Valid' || errorSummary === '' || asked.has(name)) return []
    const since = conditions.find(({ status }) => status === 'False')?.lastTransitionTime
    return { process: name, ...(since && { since }), refused: errorSummary }
  })
}

function assumptionsOf(cluster: Cluster, { namespace, name }: Service, answers: Answers): string[] {
  const { snapshot, endpointSlices, pods } = cluster
  const isOwn = ({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }) =>
    metadata.namespace === namespace && metadata.labels?.[SERVICE_NAME_LABEL] === name
  const known = speakerNodes(pods) !== undefined || answers.views.some(({ speaker }) => speaker.members !== undefined)
  return [
    ...(snapshot.nodes?.length ? [] : ['no Node objects are known, so no node can be a candidate']),
    ...(endpointSlices.some(isOwn) ? [] : ['no EndpointSlice of the Service is known']),
    ...(known ? [] : ['which speakers run is not known: every Node counts as a candidate']),
    ...runTimeAssumptions(answers),
  ]
}

/** What speakers know at run time and no object says; one that answers knows it for all that it sees. */
function runTimeAssumptions({ views, silent }: Answers): string[] {
  const errors = new Map<string, string[]>()
  for (const { node, error } of silent) errors.set(error, [...(errors.get(error) ?? []), node])
  const unheard = [...errors].map(([error, nodes]) => `no answer of the speaker on ${nodes.join(', ')}: ${error}`)
  return views.length > 0 ? unheard : [...unheard, RUN_TIME]
}

const RUN_TIME =
  'what speakers know at run time: assumed are flags as given here, no node held down or in a minority, and usable interfaces'
