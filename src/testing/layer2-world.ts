/** The world of the acceptance examples of chapter 03 section 7, to be varied by tests. */
import { sha256 } from '../adapters/system/hash.ts'
import type { L2Advertisement, Pool } from '../core/config/index.ts'
import { parseAddress, parseAddressEntry, type Range } from '../core/ip/index.ts'
import { holdersIn, type World } from '../core/plan/index.ts'
import type { Endpoint, Node, Service } from '../core/service.ts'

export const NODES = ['node-a', 'node-b', 'node-c']

export function aService(change: Partial<Service> & { ips?: string[] } = {}): Service {
  const { ips = ['192.168.1.240'], ...rest } = change
  const name = rest.name ?? 'web'
  const namespace = rest.namespace ?? 'default'
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    uid: `uid-${name}`,
    resourceVersion: '1',
    created: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    type: 'LoadBalancer',
    clusterIPs: ['10.96.0.10'],
    ipFamilyPolicy: 'SingleStack',
    ports: [{ protocol: 'TCP', port: 80 }],
    localTrafficPolicy: false,
    selector: { app: name },
    loadBalancerIP: '',
    ingress: ips.map(text => ({ text, address: parseAddress(text) })),
    ...rest,
  }
}

export function aPool(change: Partial<Omit<Pool, 'entries' | 'ranges'>> & { entries?: string[] } = {}): Pool {
  const entries = change.entries ?? ['192.168.1.240-192.168.1.255', '10.0.0.0-10.0.0.255', '2001:db8::-2001:db8::ff']
  const ranges = entries.map(entry => (parseAddressEntry(entry) as { range: Range }).range)
  const base = { name: 'p', namespace: 'metallb-system', autoAssign: true, avoidBuggyIPs: false }
  return { ...base, ...change, entries, ranges }
}

export function anAdvertisement(change: Partial<L2Advertisement> = {}): L2Advertisement {
  return {
    name: 'l2',
    nodes: new Set([...NODES, 'worker-2']),
    pools: new Set(['p']),
    interfaces: 'all',
    serviceSelectors: [],
    preferredNodes: new Map(),
    ...change,
  }
}

export function aNode(name: string, change: Partial<Node> = {}): Node {
  const base = { labels: {}, networkUnavailable: false, ready: true, unschedulable: false, addresses: [] }
  return { name, ...base, ...change }
}

export function anEndpoint(nodeName?: string, canServe = true): Endpoint {
  return { addresses: ['10.244.0.1'], nodeName, canServe }
}

export interface Scenario {
  service?: Service
  /** Other Services of the cluster. */
  others?: Service[]
  endpoints?: Endpoint[] | Record<string, Endpoint[]>
  members?: string[] | undefined
  /** Usable interfaces that nodes publish. */
  interfaces?: Record<string, string[]>
  nodes?: Node[]
  ads?: L2Advertisement[]
  pools?: Pool[]
  ignoreExcludeLb?: boolean
  drainCordoned?: boolean
  lbClass?: string
  balanced?: boolean
  held?: string[]
}

/** node-a, node-b and node-c alive, one pool, one advertisement for all, `default/web` with one endpoint on node-a. */
export function aWorld(scenario: Scenario = {}): World & { service: Service } {
  const { service = aService(), others = [], endpoints = [anEndpoint('node-a')], ads = [anAdvertisement()] } = scenario
  const members = 'members' in scenario ? scenario.members : NODES
  const nodes = scenario.nodes ?? NODES.map(name => aNode(name))
  return {
    service,
    config: { pools: scenario.pools ?? [aPool()], l2Advertisements: ads },
    nodes: new Map(nodes.map(node => [node.name, node])),
    members: members && new Set(members),
    interfaces: new Map(Object.entries(scenario.interfaces ?? {}).map(([node, names]) => [node, new Set(names)])),
    endpointsOf: key => (Array.isArray(endpoints) ? endpoints : (endpoints[key] ?? [])),
    holdersOf: holdersIn([service, ...others]),
    services: () => [service, ...others],
    held: new Set(scenario.held),
    hash: sha256,
    options: {
      ignoreExcludeLb: scenario.ignoreExcludeLb ?? false,
      drainCordoned: scenario.drainCordoned ?? false,
      lbClass: scenario.lbClass ?? '',
      balanced: scenario.balanced ?? false,
    },
  }
}
