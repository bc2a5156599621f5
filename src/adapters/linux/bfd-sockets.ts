/** UDP for BFD: one socket to receive per family, port and device; one to send per session (RFC 5881 section 4). */
import { endianness } from 'node:os'
import type { Address, Family } from '../../core/ip/index.ts'
import type { LivenessTarget, Random } from '../../ports/index.ts'
import type { Arrival } from '../../protocols/bfd/index.ts'
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  ERRNO,
  errno,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SystemError,
  sendto,
  setsockopt,
  socket,
} from './ffi.ts'
import { attachFilter, type Instruction } from './packet-socket.ts'
import { socketAddress, UdpReader } from './udp-message.ts'

const SINGLE_HOP_PORT = 3784
const MULTIHOP_PORT = 4784
const FIRST_SOURCE_PORT = 49152
const SOURCE_PORTS = 65536 - FIRST_SOURCE_PORT
const SOURCE_PORT_ATTEMPTS = 64
const TTL = 255
/** CS6 in the upper six bits. */
const TRAFFIC_CLASS = 0xc0
const RECEIVE_BUFFER = 1 << 20
const LARGEST = 256

const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8
const SO_PRIORITY = 12
const SO_BINDTODEVICE = 25
const IPPROTO_IP = 0
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
/** Options that mean the same in both families: send with, receive with. */
const OPTIONS = {
  ipv4: { level: IPPROTO_IP, ttl: 2, trafficClass: 1, receive: [12, 8] }, // IP_RECVTTL, IP_PKTINFO
  ipv6: { level: IPPROTO_IPV6, ttl: 16, trafficClass: 67, receive: [51, 49] }, // IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO
} as const

/** Packets from farther than one hop do not even fill the buffer (RFC 5881 section 5). */
function ttlFilter(family: Family): readonly Instruction[] {
  const field = family === 'ipv4' ? 8 : 7
  return [
    [0x30, 0, 0, (0xfff00000 + field) >>> 0], // ldb [SKF_NET_OFF + field]
    [0x15, 0, 1, TTL],
    [0x06, 0, 0, LARGEST],
    [0x06, 0, 0, 0],
  ]
}

export interface ReceiveKey {
  readonly family: Family
  readonly multihop: boolean
  readonly device?: string
}

export class BfdReceiver {
  readonly fd: number
  readonly key: ReceiveKey
  readonly #reader: UdpReader

  /** `shared`: another socket of this process has the port. @throws SystemError EADDRINUSE where another process has it */
  constructor(key: ReceiveKey, shared: boolean) {
    const { family, multihop, device } = key
    this.key = key
    this.#reader = new UdpReader(family, LARGEST)
    this.fd = socket(family === 'ipv4' ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
    try {
      if (!multihop) attachFilter(this.fd, ttlFilter(family))
      const { level, receive } = OPTIONS[family]
      for (const name of receive) setNumber(this.fd, level, name, 1)
      if (family === 'ipv6') setNumber(this.fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
      setNumber(this.fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER)
      bindToDevice(this.fd, device)
      if (shared) setNumber(this.fd, SOL_SOCKET, SO_REUSEADDR, 1)
      bind(this.fd, socketAddress(family, undefined, multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT))
      setNumber(this.fd, SOL_SOCKET, SO_REUSEADDR, 1) // only now: the first finds out whether another process is there
    } catch (error) {
      close(this.fd)
      throw error
    }
  }

  /** The next packet, valid until the next call. */
  receive(): Arrival | undefined {
    const bytes = this.#reader.read(this.fd)
    if (bytes === undefined) return undefined
    const { ttl } = this.#reader
    const { multihop, device } = this.key
    const source = () => this.#reader.source
    return { bytes, source, destination: () => this.#reader.destination, interface: device, multihop, ttl }
  }

  close(): void {
    close(this.fd)
  }
}

/** Sends for one session; opened when first needed, and again after a failure, because addresses and devices come and go. */
export class BfdSender {
  readonly #target: LivenessTarget
  readonly #random: Random
  readonly #to: Uint8Array
  #fd = -1
  /** Kept over the life of the session. */
  #port: number | undefined

  constructor(target: LivenessTarget, random: Random) {
    this.#target = target
    this.#random = random
    const { peer, multihop } = target
    this.#to = socketAddress(peer.family, peer, multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT)
  }

  /** @throws SystemError */
  send(bytes: Uint8Array): void {
    if (this.#fd < 0) this.#open()
    if (sendto(this.#fd, bytes, bytes.length, MSG_DONTWAIT, this.#to, this.#to.length) >= 0) return
    const error = new SystemError('sendto', errno())
    this.close()
    throw error
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd)
    this.#fd = -1
  }

  #open(): void {
    const { peer, local, interface: device } = this.#target
    const fd = socket(peer.family === 'ipv4' ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
    try {
      const { level, ttl, trafficClass } = OPTIONS[peer.family]
      setNumber(fd, level, ttl, TTL)
      setNumber(fd, level, trafficClass, TRAFFIC_CLASS)
      setNumber(fd, SOL_SOCKET, SO_PRIORITY, 6)
      bindToDevice(fd, device)
      this.#port = this.#bind(fd, local)
      this.#fd = fd
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /** RFC 5881 section 4: a port of this range that no other session has, and the same for all packets of the session. */
  #bind(fd: number, local: Address | undefined): number {
    const { family } = this.#target.peer
    for (let attempt = 0; ; attempt++) {
      const port =
        attempt === 0 && this.#port !== undefined
          ? this.#port
          : FIRST_SOURCE_PORT + Math.floor(this.#random.next() * SOURCE_PORTS)
      try {
        bind(fd, socketAddress(family, local, port))
        return port
      } catch (error) {
        const taken = error instanceof SystemError && error.errno === ERRNO.EADDRINUSE
        if (!taken || attempt >= SOURCE_PORT_ATTEMPTS) throw error
      }
    }
  }
}

function bindToDevice(fd: number, device: string | undefined): void {
  if (device !== undefined) setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${device}\0`))
}

function setNumber(fd: number, level: number, name: number, value: number): void {
  const bytes = new DataView(new ArrayBuffer(4))
  bytes.setInt32(0, value, endianness() === 'LE')
  setsockopt(fd, level, name, new Uint8Array(bytes.buffer))
}
