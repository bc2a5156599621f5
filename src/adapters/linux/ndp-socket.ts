/** Neighbor messages on one interface, and membership in the groups that solicitations for our addresses go to. */
import { endianness } from 'node:os'
import { ETHERTYPE_IPV6 } from '../../protocols/ethernet/index.ts'
import { ADVERTISEMENT, bytesOf, SOLICITATION, solicitedNode } from '../../protocols/ndp/index.ts'
import { AF_INET6, close, ERRNO, SOCK_DGRAM, SystemError, setsockopt, socket } from './ffi.ts'
import { icmpv6Frames, PacketSocket } from './packet-socket.ts'

const IPPROTO_IPV6 = 41
const IPV6_JOIN_GROUP = 20
const IPV6_LEAVE_GROUP = 21
const FRAME_BYTES = 256

interface Membership {
  readonly fd: number
  /** Addresses that share the group: equal in their low 24 bits. */
  readonly addresses: Set<bigint>
}

export class NdpSocket extends PacketSocket {
  readonly #interfaceIndex: number
  readonly #memberships = new Map<bigint, Membership>()
  /** A socket holds as many memberships as the kernel's net.core.optmem_max allows: then there is another one. */
  readonly #members: number[] = []

  constructor(interfaceIndex: number) {
    super(interfaceIndex, ETHERTYPE_IPV6, icmpv6Frames([SOLICITATION, ADVERTISEMENT], FRAME_BYTES))
    this.#interfaceIndex = interfaceIndex
  }

  /** Joins the solicited-node group of the address, harmless when repeated. @throws SystemError */
  watch(address: bigint): void {
    const group = solicitedNode(address)
    const membership = this.#memberships.get(group) ?? { fd: this.#join(group), addresses: new Set() }
    this.#memberships.set(group, membership)
    membership.addresses.add(address)
  }

  /** Leaves the group with the last address that needs it, harmless when repeated. @throws SystemError */
  unwatch(address: bigint): void {
    const group = solicitedNode(address)
    const membership = this.#memberships.get(group)
    if (!membership?.addresses.delete(address) || membership.addresses.size > 0) return
    this.#memberships.delete(group)
    setsockopt(membership.fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, this.#request(group))
  }

  override close(): void {
    super.close()
    for (const fd of this.#members.splice(0)) close(fd)
    this.#memberships.clear()
  }

  #join(group: bigint): number {
    const fd = this.#members.at(-1) ?? this.#addMember()
    try {
      setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
      return fd
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== ERRNO.ENOMEM) throw error
      const another = this.#addMember()
      setsockopt(another, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
      return another
    }
  }

  #addMember(): number {
    const fd = socket(AF_INET6, SOCK_DGRAM, 0)
    this.#members.push(fd)
    return fd
  }

  /** struct ipv6_mreq {struct in6_addr group; int interface} */
  #request(group: bigint): Uint8Array {
    const request = new Uint8Array(20)
    request.set(bytesOf(group))
    new DataView(request.buffer).setInt32(16, this.#interfaceIndex, endianness() === 'LE')
    return request
  }
}
