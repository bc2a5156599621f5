/** What a Service asks for: families, addresses, a pool (chapter 02 sections 1.7 and 1.10). */
import { type Address, type Family, parseAddress, sameAddress } from '../ip/index.ts'
import { annotationOf, type Service } from '../service.ts'
import { Refusal, refuse } from './refusal.ts'
import { quoteList } from './text.ts'

export type Families = Family | 'dual'

/** The families a new allocation must or may have. */
export interface Want {
  readonly families: Families
  /** One family of two is enough (PreferDualStack). */
  readonly oneIsEnough: boolean
  /** The family to have when only one is to be had. */
  readonly primary: Family
}

/** One address gives its family, two of different families give `dual`; everything else is refused. */
export function familiesOf(addresses: readonly { text: string; address?: Address }[]): Families | Refusal {
  const shown = () => quoteList(addresses.map(({ text }) => text))
  const failed = (what: string) => refuse('invalidFamilies', `IPFamilyForAddresses: ${what} ${shown()}`)
  if (addresses.length < 1 || addresses.length > 2) return failed(`invalid ips length ${addresses.length}`)
  const [first, second] = addresses.map(({ address }) => address?.family)
  if (first === undefined || (addresses.length === 2 && second === undefined)) return failed('Invalid address')
  if (second === undefined) return first
  return first === second ? failed('same address family') : 'dual'
}

function clusterFamilies({ clusterIPs }: Service): Families | Refusal {
  return familiesOf(clusterIPs.map(text => ({ text, address: parseAddress(text) })))
}

/** The families wanted, or why the cluster IPs do not say. */
export function wantOf(service: Service): Want | Refusal {
  const families = clusterFamilies(service)
  if (families instanceof Refusal) return families
  return { families, oneIsEnough: prefersDual(service), primary: service.primaryFamily ?? 'ipv4' }
}

export function prefersDual(service: Service): boolean {
  return service.ipFamilyPolicy === 'PreferDualStack'
}

const MOST_PER_FAMILY = 8

/**
 * How many addresses of each of its families a Service asks for (`metallb.io/addresses-per-family`, an option): 1 where it
 * says nothing, names its addresses, or says what is no number from 1 to 8.
 */
export function addressesPerFamily(service: Service): number {
  const text = service.annotations['metallb.io/addresses-per-family'] ?? '1'
  const named = service.loadBalancerIP !== '' || (annotationOf(service, 'loadBalancerIPs') ?? '') !== ''
  const count = /^[0-9]+$/.test(text) && !named ? Number(text) : 1
  return count >= 1 && count <= MOST_PER_FAMILY ? count : 1
}

/** The first so many of each family, in order. */
export function firstOfEachFamily(addresses: readonly Address[], count: number): Address[] {
  const seen: Record<Family, number> = { ipv4: 0, ipv6: 0 }
  return addresses.filter(({ family }) => seen[family]++ < count)
}

/** `metallb.io/address-pool`, taken literally; undefined where no pool is asked for. */
export function requestedPool(service: Service): string | undefined {
  return annotationOf(service, 'address-pool') || undefined
}

const BOTH = 'service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP'

/** The addresses asked for, in the order written; none where the Service leaves the choice to us. */
export function requestedAddresses(service: Service): Address[] | Refusal {
  const annotation = annotationOf(service, 'loadBalancerIPs') ?? ''
  const { loadBalancerIP } = service
  if (annotation !== '' && loadBalancerIP !== '') return refuse('conflictingRequest', BOTH)
  if (loadBalancerIP !== '') {
    const address = parseAddress(loadBalancerIP)
    if (address !== undefined) return [address]
    return refuse('invalidRequest', `invalid spec.loadBalancerIP ${quoteList([loadBalancerIP]).slice(1, -1)}`)
  }
  return annotation === '' ? [] : annotatedAddresses(annotation)
}

function annotatedAddresses(annotation: string): Address[] | Refusal {
  const entries = annotation.split(',').map(part => ({ text: part.trim(), address: parseAddress(part.trim()) }))
  if (entries.some(({ address }) => address === undefined))
    return refuse('invalidRequest', `invalid metallb.io/loadBalancerIPs: ${quoteList([annotation]).slice(1, -1)}`)
  const families = familiesOf(entries)
  return families instanceof Refusal ? families : entries.map(({ address }) => address!)
}

/**
 * Whether the addresses held are those asked for. Order does not matter (D9); where one family of two is asked for
 * and both are liked, the other family is free (D15).
 */
export function requestMet(requested: readonly Address[], held: readonly Address[], otherFamilyFree: boolean): boolean {
  const has = requested.every(wanted => held.some(address => sameAddress(wanted, address)))
  return has && (otherFamilyFree || held.length === requested.length)
}
