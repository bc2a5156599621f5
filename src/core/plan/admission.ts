/** Whether a Service has anything to announce at all, by any protocol (chapter 03 sections 1.4 and 1.5). */
import type { Config, Pool } from '../config/index.ts'
import { type Address, formatAddress, rangeContains, sameAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'

/** A Service whose addresses are valid and lie in one pool. */
export interface Admitted {
  readonly service: Service
  /** In the order of the status; never empty. */
  readonly addresses: readonly Address[]
  readonly pool: Pool
}

export type Admission = Admitted | { readonly reasons: readonly [Reason, ...Reason[]] }

/** Without `--lb-class` only Services without a class, with it only those of exactly that class. */
export function handlesClass({ loadBalancerClass }: Pick<Service, 'loadBalancerClass'>, lbClass: string): boolean {
  return loadBalancerClass === undefined ? lbClass === '' : loadBalancerClass === lbClass
}

export function admit(service: Service, config: Config): Admission {
  const refuse = (code: string, field: string, message: string): Admission => ({
    reasons: [{ code, message, object: objectOf(service), field }],
  })
  if (service.type !== 'LoadBalancer') return refuse('notLoadBalancer', 'spec.type', `type is ${service.type}`)
  const field = 'status.loadBalancer.ingress'
  if (service.ingress.length === 0) return refuse('noIPAllocated', field, 'the controller has assigned no address yet')
  const addresses: Address[] = []
  for (const { text, address } of service.ingress) {
    if (address === undefined) return refuse('invalidIP', field, `invalid LoadBalancer IP ${JSON.stringify(text)}`)
    addresses.push(address)
  }
  const pool = poolOf(addresses, config)
  if (pool === undefined)
    return refuse(
      'ipNotAllowed',
      field,
      `no pool holds ${addresses.map(formatAddress).join(' and ')} (all in one pool)`,
    )
  return { service, addresses, pool }
}

/** The pool that contains all the addresses. */
export function poolOf(addresses: readonly Address[], config: Config): Pool | undefined {
  return config.pools.find(pool => addresses.every(address => pool.ranges.some(range => rangeContains(range, address))))
}

/** Whether both hold the same addresses, in whatever order. */
export function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every(address => b.some(other => sameAddress(address, other)))
}

export function objectOf({ namespace, name }: Service): Reason['object'] {
  return { kind: 'Service', namespace, name }
}
