/**
 * TCP with what BGP asks of it: signatures, TTLs, devices. The descriptor is made and prepared through libc, then Node
 * connects, reads and writes it.
 */
import { Server, Socket, type SocketConstructorOpts } from 'node:net'
import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { Stream, StreamListenOptions, StreamPort, StreamTarget } from '../../ports/index.ts'
import { acceptOn, streamOf } from '../system/socket-stream.ts'
import { bind, close, SOCK_STREAM, setsockopt, socket } from './ffi.ts'
import { applyTraits, domainOf, signWith, socketAddress } from './socket-options.ts'

const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const ANY: Address = { family: 'ipv6', value: 0n }

export const linuxStreams: StreamPort = {
  connect: (target, events) => {
    const { address, port, scope } = target
    const remote = { address, port }
    let fd: number
    try {
      fd = dialling(target)
    } catch (error) {
      return neverMade(remote, () => events.closed((error as Error).message))
    }
    const made = new Socket(unread(fd))
    let over = false
    const stream = streamOf(made, remote, events)
    made.once('connect', () => {
      if (!over) events.connected()
    })
    const host = scope === undefined ? formatAddress(address) : `${formatAddress(address)}%${scope}`
    made.connect({ host, port })
    const end = (how: 'end' | 'destroy') => () => {
      over = true
      if (made.connecting) stream.destroy()
      else stream[how]()
    }
    return {
      get local() {
        return made.connecting ? undefined : stream.local
      },
      remote,
      write: stream.write,
      end: end('end'),
      destroy: end('destroy'),
    }
  },
  listen: async (options, accept) => {
    const fd = listening(options)
    const server = new Server()
    const closeAll = acceptOn(server, accept)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ fd }, resolve)
    })
    server.removeAllListeners('error')
    server.on('error', () => {}) // a failed accept: the peer tries again
    return { close: closeAll }
  },
}

/** Nothing is read before it is connected; the types of Node do not know the option. */
function unread(fd: number): SocketConstructorOpts {
  return { fd, readable: true, writable: true, manualStart: true } as SocketConstructorOpts
}

/** A socket ready to connect. The signature must be there before the first segment. @throws SystemError */
function dialling(target: StreamTarget): number {
  const { address, source, md5Password } = target
  return prepared(domainOf(address.family), fd => {
    applyTraits(fd, address.family, target)
    if (md5Password !== undefined) signWith(fd, address, md5Password)
    if (source !== undefined) bind(fd, socketAddress(source, 0))
  })
}

/** Accepted connections inherit all of it. @throws SystemError */
function listening(options: StreamListenOptions): number {
  const { address = ANY, port, md5Keys = [] } = options
  return prepared(domainOf(address.family), fd => {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, new Uint8Array(Int32Array.of(1).buffer))
    applyTraits(fd, address.family, options)
    for (const key of md5Keys) signWith(fd, key.address, key.md5Password)
    bind(fd, socketAddress(address, port))
  })
}

function prepared(domain: number, prepare: (fd: number) => void): number {
  const fd = socket(domain, SOCK_STREAM, 0)
  try {
    prepare(fd)
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** No event comes before `connect` has returned. */
function neverMade(remote: Stream['remote'], tell: () => void): Stream {
  const telling = setImmediate(tell)
  const cancel = () => clearImmediate(telling)
  return { local: undefined, remote, write: () => true, end: cancel, destroy: cancel }
}
