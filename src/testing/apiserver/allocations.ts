/** Cluster IPs and node ports in use, followed from the stored Services; the next free one of each. */
import {
  type Address,
  type Family,
  formatAddress,
  parseAddress,
  parsePrefix,
  prefixRange,
  type Range,
} from '../../core/ip/index.ts'
import { fieldsAt, type KubeJson, listAt } from './object.ts'
import type { Store } from './store.ts'

export type IpFamily = 'IPv4' | 'IPv6'

const NODE_PORTS = { first: 30000, last: 32767 }

export class ServiceAllocations {
  /** The cluster's families, the primary first. */
  readonly families: readonly IpFamily[]
  readonly #ranges = new Map<IpFamily, Range>()
  readonly #used = new Map<string, string>()
  readonly #next = new Map<IpFamily, bigint>()
  #nextPort = NODE_PORTS.first

  constructor(store: Store, cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const prefix = parsePrefix(cidr)
      if (prefix === undefined) throw new Error(`invalid service CIDR "${cidr}"`)
      this.#ranges.set(familyName(prefix.family), prefixRange(prefix))
    }
    this.families = [...this.#ranges.keys()]
    store.followAll(({ resource, type, entry, before }) => {
      if (resource !== '/services') return
      if (before !== undefined) for (const name of held(before.object)) this.#used.delete(name)
      if (type !== 'DELETED') for (const name of held(entry.object)) this.#used.set(name, entry.key)
    })
  }

  /** Why the address cannot be the Service's cluster IP; undefined where it can. */
  refusesIp(ip: string, key: string): string | undefined {
    const address = parseAddress(ip)
    const range = address && this.#ranges.get(familyName(address.family))
    if (address === undefined || range === undefined) return `the cluster has no addresses of the family of ${ip}`
    if (!usable(range, address)) return 'the provided IP is not in the valid range'
    const holder = this.#used.get(ip)
    return holder === undefined || holder === key ? undefined : 'provided IP is already allocated'
  }

  freeIp(family: IpFamily): string | undefined {
    const range = this.#ranges.get(family)!
    const size = range.last - range.first + 1n
    for (let tried = 0n; tried < size; tried++) {
      const at = this.#next.get(family) ?? 10n
      this.#next.set(family, (at + 1n) % size)
      const address = { family: range.family, value: range.first + at }
      const ip = formatAddress(address)
      if (usable(range, address) && !this.#used.has(ip)) return ip
    }
    return undefined
  }

  refusesNodePort(port: number, protocol: string, key: string): string | undefined {
    const { first, last } = NODE_PORTS
    if (port < first || port > last)
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
    const holder = this.#used.get(`${protocol}/${port}`)
    return holder === undefined || holder === key ? undefined : 'provided port is already allocated'
  }

  freeNodePort(taken: ReadonlySet<number>): number | undefined {
    const { first, last } = NODE_PORTS
    for (let tried = first; tried <= last; tried++) {
      const port = this.#nextPort
      this.#nextPort = port === last ? first : port + 1
      const used = ['TCP', 'UDP', 'SCTP'].some(protocol => this.#used.has(`${protocol}/${port}`))
      if (!used && !taken.has(port)) return port
    }
    return undefined
  }
}

function familyName(family: Family): IpFamily {
  return family === 'ipv4' ? 'IPv4' : 'IPv6'
}

/** Without the network's own address and, in IPv4, the broadcast address. */
function usable(range: Range, { family, value }: Address): boolean {
  return family === range.family && value > range.first && value <= (family === 'ipv4' ? range.last - 1n : range.last)
}

function held(service: KubeJson): string[] {
  const spec = fieldsAt(service, 'spec')
  const ips = Array.isArray(spec.clusterIPs) ? spec.clusterIPs.filter(ip => ip !== 'None').map(String) : []
  const ports = listAt(service, 'spec.ports')
    .filter(port => port.nodePort)
    .map(port => `${port.protocol ?? 'TCP'}/${port.nodePort}`)
  return spec.healthCheckNodePort ? [...ips, ...ports, `TCP/${spec.healthCheckNodePort}`] : [...ips, ...ports]
}
