/** Follows links and addresses as the kernel tells of them: a full dump first, then notifications, no polling. */
import { endianness } from 'node:os'
import type { NetworkInterface } from '../../ports/index.ts'
import {
  AF_NETLINK,
  bind,
  close,
  ERRNO,
  errno,
  MSG_DONTWAIT,
  POLLIN,
  poll,
  recv,
  SOCK_RAW,
  SystemError,
  send,
  socket,
} from './ffi.ts'
import { InterfaceTable } from './interface-table.ts'
import { dumpRequest, parseNetlink } from './netlink-message.ts'

const NETLINK_ROUTE = 0
const GROUPS = 0x1 | 0x10 | 0x100 // RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
const BUFFER_BYTES = 65536
const ANSWER_TIMEOUT_MS = 1000
const DUMP_ATTEMPTS = 10
/** After these there may be more to read. */
const PASSING: ReadonlySet<number> = new Set([ERRNO.EINTR, ERRNO.ENOBUFS])
const LITTLE = endianness() === 'LE'

export class NetlinkReader {
  readonly fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #table: InterfaceTable

  /** Subscribes first and dumps then, so that no change falls between. @throws SystemError */
  constructor() {
    this.fd = netlinkSocket(GROUPS)
    this.#table = dump(this.#buffer)
  }

  current(): readonly NetworkInterface[] {
    return this.#table.list()
  }

  /** Takes in what waits, to be called when `fd` is readable. True where something was said. */
  read(): boolean {
    let heard = false
    for (;;) {
      const length = recv(this.fd, this.#buffer, BUFFER_BYTES, MSG_DONTWAIT)
      if (length >= 0)
        for (const message of parseNetlink(this.#buffer.subarray(0, length), LITTLE)) this.#table.apply(message)
      else if (errno() === ERRNO.ENOBUFS) this.#startAnew()
      else if (errno() !== ERRNO.EINTR) return heard
      heard = true
    }
  }

  close(): void {
    close(this.fd)
  }

  /** Messages were lost, netlink(7). Those that still wait are older than they: what is dumped after them is not to be undone. */
  #startAnew(): void {
    while (recv(this.fd, this.#buffer, BUFFER_BYTES, MSG_DONTWAIT) >= 0 || PASSING.has(errno()));
    this.#table = dump(this.#buffer)
  }
}

/** Everything there is now. The tables may change while they are read; then the kernel says so and we ask again. */
function dump(buffer: Uint8Array): InterfaceTable {
  const fd = netlinkSocket(0)
  try {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const table = new InterfaceTable()
      const whole = request(fd, 'links', 2 * attempt, buffer, table)
      if (request(fd, 'addresses', 2 * attempt + 1, buffer, table) && whole) return table
    }
    throw new Error(`netlink: interfaces changed during each of ${DUMP_ATTEMPTS} dumps`)
  } finally {
    close(fd)
  }
}

/** False where the answer is not one consistent picture. */
function request(
  fd: number,
  what: 'links' | 'addresses',
  id: number,
  buffer: Uint8Array,
  table: InterfaceTable,
): boolean {
  const message = dumpRequest(what, id, LITTLE)
  if (send(fd, message, message.length, 0) < 0) throw new SystemError('send', errno())
  for (;;) {
    awaitAnswer(fd)
    const length = recv(fd, buffer, buffer.length, MSG_DONTWAIT)
    if (length < 0) throw new SystemError('recv', errno())
    for (const answer of parseNetlink(buffer.subarray(0, length), LITTLE)) {
      if (answer.kind === 'done') return !answer.interrupted
      if (answer.kind === 'error') throw new SystemError(`netlink dump of ${what}`, answer.errno)
      table.apply(answer)
    }
  }
}

function awaitAnswer(fd: number): void {
  const descriptor = new DataView(new ArrayBuffer(8))
  descriptor.setInt32(0, fd, LITTLE)
  descriptor.setInt16(4, POLLIN, LITTLE)
  const ready = poll(new Uint8Array(descriptor.buffer), 1, ANSWER_TIMEOUT_MS)
  if (ready === 0) throw new Error(`netlink: no answer within ${ANSWER_TIMEOUT_MS} ms`)
}

function netlinkSocket(groups: number): number {
  const fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
  const address = new DataView(new ArrayBuffer(12)) // struct sockaddr_nl {u16 family; u16; u32 pid; u32 groups}
  address.setUint16(0, AF_NETLINK, LITTLE)
  address.setUint32(8, groups, LITTLE)
  try {
    bind(fd, new Uint8Array(address.buffer))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}
