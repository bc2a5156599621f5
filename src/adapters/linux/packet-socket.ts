/** Whole Ethernet frames of one type on one interface: AF_PACKET, see packet(7). Needs CAP_NET_RAW. */
import { endianness } from 'node:os'
import type { Link } from '../../ports/index.ts'
import {
  AF_PACKET,
  addressOf,
  bind,
  close,
  errno,
  getsockopt,
  MSG_DONTWAIT,
  recv,
  SOCK_RAW,
  SystemError,
  send,
  setsockopt,
  socket,
} from './ffi.ts'
import { int32 } from './socket-options.ts'

const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_ATTACH_FILTER = 26
const SO_RCVBUFFORCE = 33
const SOL_PACKET = 263
const PACKET_STATISTICS = 6

/**
 * Room for a burst of 10,000 requests while this thread is off the processor: the kernel takes twice the number, and counts
 * 768 bytes for a short frame from a veth, about 2300 for one from a network card. It is used only while frames wait.
 */
const RECEIVE_BUFFER = 8 << 20

/** One instruction of a classic BPF program: operation, jump where true, jump where false, operand. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number]

/** Loads to whom the frame was, as the kernel sees it: 0 this host, 1 broadcast, 2 a group, 3 another host. */
export const PACKET_TYPE = [0x20, 0, 0, 0xfffff004] as const // ld [SKF_AD_OFF + SKF_AD_PKTTYPE]
const RETURN = 0x06
const JUMP_GREATER = 0x25
const JUMP_EQUAL = 0x15
const LOAD_BYTE = 0x30
const ICMPV6 = 58

/**
 * Frames for this host (0) and broadcasts (1), the first 128 bytes of each. A parent interface can be handed frames of
 * VLANs that have no device of their own; those are marked OTHERHOST (IMP-12).
 */
export const HOST_AND_BROADCAST: readonly Instruction[] = [
  PACKET_TYPE,
  [JUMP_GREATER, 1, 0, 1],
  [RETURN, 0, 0, 128],
  [RETURN, 0, 0, 0],
]

/** The first `bytes` of frames for this host, broadcasts and groups (0 to 2) with ICMPv6 of one of two types right behind IPv6. */
export function icmpv6Frames(types: readonly [number, number], bytes: number): readonly Instruction[] {
  return [
    PACKET_TYPE,
    [JUMP_GREATER, 6, 0, 2],
    [LOAD_BYTE, 0, 0, 14 + 6], // next header
    [JUMP_EQUAL, 0, 4, ICMPV6],
    [LOAD_BYTE, 0, 0, 14 + 40], // ICMPv6 type
    [JUMP_EQUAL, 1, 0, types[0]],
    [JUMP_EQUAL, 0, 1, types[1]],
    [RETURN, 0, 0, bytes],
    [RETURN, 0, 0, 0],
  ]
}

export class PacketSocket implements Link {
  #fd: number

  /** @throws SystemError EPERM without CAP_NET_RAW, ENODEV where the interface is gone */
  constructor(interfaceIndex: number, etherType: number, filter: readonly Instruction[]) {
    this.#fd = socket(AF_PACKET, SOCK_RAW, 0) // protocol 0: nothing arrives before the filter is in place
    try {
      attachFilter(this.#fd, filter)
      growReceiveBuffer(this.#fd)
      bind(this.#fd, linkLayerAddress(interfaceIndex, etherType))
    } catch (error) {
      close(this.#fd)
      throw error
    }
  }

  /** For `poll`. */
  get fd(): number {
    return this.#fd
  }

  send(frame: Uint8Array): void {
    if (send(this.#fd, frame, frame.length, MSG_DONTWAIT) < 0) throw new SystemError('send', errno())
  }

  receive(into: Uint8Array): number {
    return recv(this.#fd, into, into.length, MSG_DONTWAIT) // that the interface went down is told here once: no frame either
  }

  dropped(): number {
    const statistics = new Uint32Array(2) // struct tpacket_stats {unsigned packets; unsigned drops}, zeroed when read
    getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer))
    return statistics[1]!
  }

  /** Harmless when it already happened: by then the number may be somebody else's. */
  close(): void {
    if (this.#fd >= 0) close(this.#fd)
    this.#fd = -1
  }
}

/** Packets it does not let through never reach the socket, socket(7). struct sock_fprog {u16 len; struct sock_filter *}, each instruction {u16 code; u8 jt; u8 jf; u32 k}. */
export function attachFilter(fd: number, filter: readonly Instruction[]): void {
  const program = Buffer.allocUnsafeSlow(8 * filter.length)
  const view = new DataView(program.buffer)
  const little = endianness() === 'LE'
  for (const [index, [code, jt, jf, k]] of filter.entries()) {
    view.setUint16(8 * index, code, little)
    program[8 * index + 2] = jt
    program[8 * index + 3] = jf
    view.setUint32(8 * index + 4, k, little)
  }
  const header = new DataView(new ArrayBuffer(16))
  header.setUint16(0, filter.length, little)
  header.setBigUint64(8, addressOf(program), little)
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(header.buffer))
}

/** To what is wanted with CAP_NET_ADMIN, else to twice net.core.rmem_max at most (socket(7)). */
function growReceiveBuffer(fd: number): void {
  try {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(RECEIVE_BUFFER))
  } catch {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, int32(RECEIVE_BUFFER))
  }
}

/** struct sockaddr_ll, 20 bytes; the protocol alone is in network byte order. */
function linkLayerAddress(interfaceIndex: number, etherType: number): Uint8Array {
  const address = new DataView(new ArrayBuffer(20))
  const little = endianness() === 'LE'
  address.setUint16(0, AF_PACKET, little)
  address.setUint16(2, etherType, false)
  address.setInt32(4, interfaceIndex, little)
  return new Uint8Array(address.buffer)
}
