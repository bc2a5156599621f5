/** Routing netlink as bytes: links and addresses (netlink(7), rtnetlink(7)). Fields are in the machine's byte order. */
import { type Address, addressFromBytes, macFromBytes } from '../../core/ip/index.ts'
import type { NetworkInterface } from '../../ports/index.ts'

const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_GETADDR = 22

const NLM_F_REQUEST = 0x1
const NLM_F_DUMP_INTR = 0x10
const NLM_F_DUMP = 0x300

const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MASTER = 10
const IFLA_WIRELESS = 11
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_FLAGS = 8
const ARPHRD_ETHER = 1

const IFF_UP = 0x1
const IFF_BROADCAST = 0x2
const IFF_NOARP = 0x80
const IFF_LOWER_UP = 0x10000

/** Duplicate address detection has not passed it (RFC 4862 section 5.4): not usable yet, or never. */
const IFA_F_DADFAILED_OR_TENTATIVE = 0x08 | 0x40

/** What a link message tells; `mac` only of Ethernet interfaces. */
export type LinkRecord = Omit<NetworkInterface, 'addresses'>

export type NetlinkMessage =
  | { readonly kind: 'link'; readonly link: LinkRecord }
  | { readonly kind: 'link gone'; readonly index: number }
  | { readonly kind: 'address' | 'address gone'; readonly index: number; address: Address; length: number }
  /** `interrupted`: the tables changed meanwhile, ask again. */
  | { readonly kind: 'done'; readonly interrupted: boolean }
  /** A positive errno. */
  | { readonly kind: 'error'; readonly errno: number }

/** Every message of a datagram that says something about links or addresses. What is cut short ends the list. */
export function parseNetlink(bytes: Uint8Array, little: boolean): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: NetlinkMessage[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = view.getUint32(at, little)
    if (length < 16 || at + length > bytes.length) break
    const interrupted = (view.getUint16(at + 6, little) & NLM_F_DUMP_INTR) !== 0
    const body = new DataView(view.buffer, view.byteOffset + at + 16, length - 16)
    const message = parseMessage(view.getUint16(at + 4, little), body, interrupted, little)
    if (message !== undefined) messages.push(message)
    at += aligned(length)
  }
  return messages
}

function parseMessage(type: number, body: DataView, interrupted: boolean, little: boolean): NetlinkMessage | undefined {
  switch (type) {
    case NLMSG_DONE:
      return { kind: 'done', interrupted }
    case NLMSG_ERROR:
      return body.byteLength < 4 ? undefined : { kind: 'error', errno: -body.getInt32(0, little) }
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return body.byteLength < 16 ? undefined : parseLink(type, body, little)
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return body.byteLength < 8 ? undefined : parseAddress(type, body, little)
  }
  return undefined
}

function parseLink(type: number, body: DataView, little: boolean): NetlinkMessage | undefined {
  const index = body.getInt32(4, little)
  const attributes = parseAttributes(body, 16, little)
  // A bridge tells of its ports by the same types with family AF_BRIDGE, and wireless events carry a bare header.
  if (body.getUint8(0) !== 0 || attributes.has(IFLA_WIRELESS)) return undefined
  if (type === RTM_DELLINK) return { kind: 'link gone', index }
  const flags = body.getUint32(8, little)
  const name = attributes.get(IFLA_IFNAME)
  if (name === undefined) return undefined
  const mac = attributes.get(IFLA_ADDRESS)
  const ethernet = body.getUint16(2, little) === ARPHRD_ETHER && mac?.length === 6
  const master = attributes.get(IFLA_MASTER)
  const link = {
    index,
    name: new TextDecoder().decode(name).replace(/\0.*$/, ''),
    ...(ethernet ? { mac: macFromBytes(mac) } : {}),
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_LOWER_UP) !== 0,
    broadcast: (flags & IFF_BROADCAST) !== 0,
    noArp: (flags & IFF_NOARP) !== 0,
    ...(master?.length === 4 ? { master: uint32(master, little) } : {}),
  }
  return { kind: 'link', link }
}

function parseAddress(type: number, body: DataView, little: boolean): NetlinkMessage | undefined {
  const attributes = parseAttributes(body, 8, little)
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) // IFA_ADDRESS is the peer's on point-to-point
  const address = bytes && addressFromBytes(bytes)
  if (address === undefined) return undefined
  const wideFlags = attributes.get(IFA_FLAGS)
  const flags = wideFlags?.length === 4 ? uint32(wideFlags, little) : body.getUint8(2)
  const usable = type === RTM_NEWADDR && (flags & IFA_F_DADFAILED_OR_TENTATIVE) === 0
  const place = { index: body.getUint32(4, little), address, length: body.getUint8(1) }
  return { kind: usable ? 'address' : 'address gone', ...place }
}

/** {u16 length; u16 type} and the value, each aligned to four bytes; the upper two bits of the type are flags. */
function parseAttributes(body: DataView, start: number, little: boolean): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>()
  for (let at = start; at + 4 <= body.byteLength; ) {
    const length = body.getUint16(at, little)
    if (length < 4 || at + length > body.byteLength) break
    const type = body.getUint16(at + 2, little) & 0x3fff
    attributes.set(type, new Uint8Array(body.buffer, body.byteOffset + at + 4, length - 4))
    at += aligned(length)
  }
  return attributes
}

/** Asks for every link or every address. */
export function dumpRequest(what: 'links' | 'addresses', sequence: number, little: boolean): Uint8Array {
  const message = new DataView(new ArrayBuffer(32))
  message.setUint32(0, 32, little)
  message.setUint16(4, what === 'links' ? RTM_GETLINK : RTM_GETADDR, little)
  message.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, little)
  message.setUint32(8, sequence, little)
  return new Uint8Array(message.buffer)
}

function uint32(bytes: Uint8Array, little: boolean): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, little)
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
