/**
 * What kube-proxy would make of Services and EndpointSlices on one node: a table of nftables for each family. A connection to a
 * Service address goes to a ready endpoint chosen at random; every packet of it follows by connection tracking.
 */
import { type EndpointSliceResource, SERVICE_NAME_LABEL, type ServiceResource } from '../../api/kubernetes/index.ts'
import { POD_CIDR, POD_CIDR6 } from './topology.ts'

interface Family {
  readonly name: 'ip' | 'ip6'
  readonly pods: string
  readonly includes: (address: string) => boolean
}

const isIPv6 = (address: string) => address.includes(':')

const FAMILIES: readonly Family[] = [
  { name: 'ip', pods: POD_CIDR, includes: address => address !== '' && !isIPv6(address) },
  { name: 'ip6', pods: POD_CIDR6, includes: isIPv6 },
]

interface Target {
  readonly address: string
  readonly port: number
  readonly nodeName?: string
}

/** A Service port with the endpoints behind it. */
interface Frontend {
  readonly key: string
  readonly protocol: string
  readonly port: number
  readonly clusterIPs: readonly string[]
  readonly ingressIPs: readonly string[]
  readonly local: boolean
  readonly targets: readonly Target[]
}

/** The rules of a node, in one transaction that replaces the former ones. The same input gives the same text. */
export function proxyRules(
  node: string,
  services: readonly ServiceResource[],
  slices: readonly EndpointSliceResource[],
): string {
  return FAMILIES.map(family => {
    const all = frontends(services, slices, family)
    return table(
      family,
      all.flatMap(frontend => frontendRules(node, frontend, family)),
    )
  }).join('')
}

function table({ name }: Family, rules: readonly string[]): string {
  return `add table ${name} kube-proxy
delete table ${name} kube-proxy
table ${name} kube-proxy {
  chain services {
${rules.map(rule => `    ${rule}\n`).join('')}  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    jump services
  }
  chain output {
    type nat hook output priority -100; policy accept;
    jump services
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    meta mark ${MASQUERADE} masquerade
  }
}
`
}

const MASQUERADE = '0x4000'

function frontendRules(node: string, frontend: Frontend, { name: ip, pods }: Family): string[] {
  const { key, protocol, port, clusterIPs, ingressIPs, local, targets } = frontend
  const to = (address: string) => `${ip} daddr ${address} ${protocol} dport ${port}`
  const name = `comment "${key}"`
  const own = targets.filter(({ nodeName }) => nodeName === node)
  const inside = clusterIPs.map(address => `${to(address)} ${choose(ip, targets)} ${name}`)
  const outside = ingressIPs.flatMap(address =>
    local
      ? // Local: the client's address is kept and only this node's endpoints serve; pods are not held to that.
        [
          `${to(address)} ${ip} saddr ${pods} ${choose(ip, targets)} ${name}`,
          `${to(address)} fib saddr type local ${choose(ip, targets)} ${name}`,
          `${to(address)} ${choose(ip, own)} ${name}`,
        ]
      : // Cluster: any endpoint serves; the answer must come back through this node, hence the masquerade.
        [`${to(address)} meta mark set ${MASQUERADE} ${choose(ip, targets)} ${name}`],
  )
  return [...inside, ...outside]
}

/** Without endpoints the packet is dropped: forwarding it would only ask the LAN for the address again. */
function choose(ip: Family['name'], targets: readonly Target[]): string {
  if (targets.length === 0) return 'drop'
  const choices = targets.map(({ address, port }, i) => `${i} : ${address} . ${port}`)
  return `dnat ${ip} to numgen random mod ${targets.length} map { ${choices.join(', ')} }`
}

function frontends(
  services: readonly ServiceResource[],
  slices: readonly EndpointSliceResource[],
  { includes }: Family,
): Frontend[] {
  const sorted = services.map(service => ({ service, key: keyOf(service) }))
  sorted.sort((a, b) => (a.key < b.key ? -1 : 1))
  return sorted.flatMap(({ service: { metadata, spec = {}, status = {} }, key }) => {
    const own = slices.filter(slice => sliceOf(slice) === key)
    const ingress = (status.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== 'Proxy')
    return (spec.ports ?? []).map(({ name, protocol = 'TCP', port }) => ({
      key: `${key}${metadata.deletionTimestamp ? ' (terminating)' : ''}`,
      protocol: protocol.toLowerCase(),
      port,
      clusterIPs: (spec.clusterIPs ?? []).filter(includes),
      ingressIPs: ingress.map(({ ip = '' }) => ip).filter(includes),
      local: spec.externalTrafficPolicy === 'Local',
      targets: targetsOf(own, name).filter(({ address }) => includes(address)),
    }))
  })
}

function targetsOf(slices: readonly EndpointSliceResource[], portName = ''): Target[] {
  const targets = slices.flatMap(({ endpoints = [], ports = [] }) =>
    ports
      .filter(({ name = '', port }) => name === portName && port !== undefined)
      .flatMap(({ port }) =>
        endpoints
          .filter(({ conditions = {} }) => conditions.ready !== false)
          .map(({ addresses = [], nodeName }) => ({ address: addresses[0] ?? '', port: port!, nodeName })),
      ),
  )
  return targets.sort((a, b) => (a.address < b.address ? -1 : 1))
}

function keyOf({ metadata }: ServiceResource): string {
  return `${metadata.namespace}/${metadata.name}`
}

function sliceOf({ metadata }: EndpointSliceResource): string {
  return `${metadata.namespace}/${metadata.labels?.[SERVICE_NAME_LABEL]}`
}
