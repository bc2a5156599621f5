/** The structures of ip(7), ipv6(7) and recvmsg(2): socket addresses, and a datagram with its source, destination and TTL. */
import { endianness } from 'node:os'
import { type Address, addressBytes, addressFromBytes, type Family } from '../../core/ip/index.ts'
import { AF_INET, AF_INET6, addressOf, MSG_DONTWAIT, recvmsg } from './ffi.ts'

const LITTLE = endianness() === 'LE'
/** Levels and types of control messages. */
const IPPROTO_IP = 0
const IP_TTL = 2
const IP_PKTINFO = 8
const IPPROTO_IPV6 = 41
const IPV6_PKTINFO = 50
const IPV6_HOPLIMIT = 52
/** struct cmsghdr {size_t length; int level; int type} */
const CMSG_HEADER = 16

/** struct sockaddr_in or sockaddr_in6; without an address, any. */
export function socketAddress(family: Family, address: Address | undefined, port: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(family === 'ipv4' ? 16 : 28))
  view.setUint16(0, family === 'ipv4' ? AF_INET : AF_INET6, LITTLE)
  view.setUint16(2, port)
  const bytes = new Uint8Array(view.buffer)
  if (address !== undefined) bytes.set(addressBytes(address), family === 'ipv4' ? 4 : 8)
  return bytes
}

/** One datagram at a time, into buffers that are used again. */
export class UdpReader {
  readonly #family: Family
  readonly #data: Uint8Array
  readonly #name = Buffer.allocUnsafeSlow(28)
  readonly #control = Buffer.allocUnsafeSlow(128)
  readonly #controlView = viewOf(this.#control)
  readonly #vector = Buffer.allocUnsafeSlow(16)
  /** struct msghdr {name, u32 length, iovec, count, control, length, flags} */
  readonly #header = Buffer.allocUnsafeSlow(56).fill(0)
  readonly #headerView = viewOf(this.#header)
  ttl = 0
  #length = 0
  #destinationAt = 0

  constructor(family: Family, capacity: number) {
    this.#family = family
    this.#data = Buffer.allocUnsafeSlow(capacity)
    const vector = viewOf(this.#vector)
    vector.setBigUint64(0, addressOf(this.#data), LITTLE)
    vector.setBigUint64(8, BigInt(capacity), LITTLE)
    this.#headerView.setBigUint64(0, addressOf(this.#name), LITTLE)
    this.#headerView.setBigUint64(16, addressOf(this.#vector), LITTLE)
    this.#headerView.setBigUint64(24, 1n, LITTLE)
    this.#headerView.setBigUint64(32, addressOf(this.#control), LITTLE)
  }

  /** The next datagram; its bytes are valid until the next call. Undefined where none waits. */
  read(fd: number): Uint8Array | undefined {
    this.#headerView.setUint32(8, this.#name.length, LITTLE)
    this.#headerView.setBigUint64(40, BigInt(this.#control.length), LITTLE)
    this.#length = recvmsg(fd, this.#header, MSG_DONTWAIT)
    if (this.#length < 0) return undefined
    this.#readControl(Number(this.#headerView.getBigUint64(40, LITTLE)))
    return this.#data.subarray(0, this.#length)
  }

  get source(): Address {
    const at = this.#family === 'ipv4' ? 4 : 8
    return addressFromBytes(this.#name.subarray(at, at + this.#width))!
  }

  get destination(): Address {
    return addressFromBytes(this.#control.subarray(this.#destinationAt, this.#destinationAt + this.#width))!
  }

  get #width(): number {
    return this.#family === 'ipv4' ? 4 : 16
  }

  #readControl(end: number): void {
    this.ttl = 0
    for (let at = 0; at + CMSG_HEADER <= end; ) {
      const length = Number(this.#controlView.getBigUint64(at, LITTLE))
      if (length < CMSG_HEADER) return
      this.#note(
        this.#controlView.getInt32(at + 8, LITTLE),
        this.#controlView.getInt32(at + 12, LITTLE),
        at + CMSG_HEADER,
      )
      at += (length + 7) & ~7
    }
  }

  #note(level: number, type: number, at: number): void {
    if ((level === IPPROTO_IP && type === IP_TTL) || (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT))
      this.ttl = this.#controlView.getInt32(at, LITTLE)
    if (level === IPPROTO_IP && type === IP_PKTINFO) this.#destinationAt = at + 8 // {int ifindex; in_addr local; in_addr to}
    if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) this.#destinationAt = at
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
