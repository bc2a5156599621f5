/** On which interfaces a speaker may announce at all (chapter 03 section 2.2). */
import type { NetworkInterface } from '../../ports/index.ts'

export type Ineligible = 'excluded' | 'down' | 'hasMaster' | 'noArp' | 'noBroadcast' | 'notEthernet' | 'noLinkLocal'

/** Why ARP is not answered on the interface; undefined where it is. Carrier and addresses play no part. */
export function arpIneligible(link: NetworkInterface, excluded: (name: string) => boolean): Ineligible | undefined {
  const reason = ineligible(link, excluded)
  return reason ?? (link.broadcast ? undefined : 'noBroadcast')
}

/** Why NDP is not answered on the interface: it needs a link-local address that has passed duplicate detection. */
export function ndpIneligible(link: NetworkInterface, excluded: (name: string) => boolean): Ineligible | undefined {
  const reason = ineligible(link, excluded)
  return reason ?? (linkLocal(link) === undefined ? 'noLinkLocal' : undefined)
}

/** The first fe80::/10 address (RFC 4291 section 2.5.6). */
export function linkLocal(link: NetworkInterface) {
  return link.addresses.find(({ address }) => address.family === 'ipv6' && address.value >> 118n === 0x3fan)?.address
}

/** The first IPv4 address, as a signed 32-bit number. */
export function ipv4Of({ addresses }: NetworkInterface): number | undefined {
  const own = addresses.find(({ address }) => address.family === 'ipv4')?.address
  return own && Number(own.value) | 0
}

function ineligible(link: NetworkInterface, excluded: (name: string) => boolean): Ineligible | undefined {
  if (excluded(link.name)) return 'excluded'
  if (!link.up) return 'down'
  if (link.master !== undefined) return 'hasMaster'
  if (link.noArp) return 'noArp'
  return link.mac === undefined ? 'notEthernet' : undefined
}
