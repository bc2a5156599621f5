/** What the status of a Service shows. */
import { type Address, sameAddress } from '../ip/index.ts'
import type { Service } from '../service.ts'
import type { Want } from './request.ts'

/** Step 4: the addresses of the status; undefined for what is no address. */
export function shownIngress({ ingress }: Service): (Address | undefined)[] {
  return ingress.filter(({ text }) => text !== '').map(({ address }) => address)
}

/** Step 6d with D3: what of the current addresses is of a family still wanted. */
export function wantedOf(
  current: readonly Address[],
  { families }: Want,
  { ipFamilyPolicy }: Service,
): readonly Address[] {
  if (families !== 'dual') return current.filter(({ family }) => family === families)
  return current.length === 1 && ipFamilyPolicy === 'SingleStack' ? [] : current
}

/** Whether the status holds these addresses; whatever else its entries say is not ours (D5). */
export function shows(service: Service, addresses: readonly Address[]): boolean {
  if (addresses.length === 0) return service.ingress.length === 0
  const shown = shownIngress(service)
  if (shown.length !== addresses.length) return false
  return shown.every((address, index) => address !== undefined && sameAddress(address, addresses[index]!))
}
