/**
 * TCP with what BGP asks of it: signatures, TTLs, devices. The descriptor is made and prepared through libc, then Node
 * connects, reads and writes it.
 */
import { Server, Socket, type SocketConstructorOpts } from 'node:net'
import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { Stream, StreamAdjustment, StreamListenOptions, StreamPort, StreamTarget } from '../../ports/index.ts'
import { acceptOn, streamOf } from '../system/socket-stream.ts'
import { bind, close, SOCK_STREAM, setsockopt, socket } from './ffi.ts'
import { signatureFaults } from './signature-faults.ts'
import { applyTraits, changeTraits, domainOf, int32, socketAddress } from './socket-options.ts'
import { Signatures } from './tcp-signature.ts'

const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const ANY: Address = { family: 'ipv6', value: 0n }

export const linuxStreams: StreamPort = {
  connect: (target, events) => {
    const { address, port, scope } = target
    const remote = { address, port }
    let prepared: Prepared
    try {
      prepared = dialling(target)
    } catch (error) {
      return neverMade(remote, () => events.closed((error as Error).message))
    }
    const { fd, signatures } = prepared
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
      adjust: to => (over || made.destroyed ? GONE : adjusted(fd, address, to, signatures)),
    }
  },
  listen: async (options, accept) => {
    const { fd, signatures } = listening(options)
    const server = new Server()
    let closed = false
    const closeAll = acceptOn(server, accept, (socket, { address }) => adjusting(socket, address, signatures))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ fd }, resolve)
    })
    server.removeAllListeners('error')
    server.on('error', () => {}) // a failed accept: the peer tries again
    return {
      close: () => {
        closed = true
        return closeAll()
      },
      adjust: ({ ttl, minTtl, keys = [] }) => {
        if (closed) return GONE
        const { family } = options.address ?? ANY
        const problems = tried(() => changeTraits(fd, family, { ...options, ttl, minTtl }))
        return [...problems, ...signatures.replace(keys)].join('; ') || undefined
      },
    }
  },
  signatureFaults,
}

const GONE = 'the connection is gone'

/** An accepted connection has the keys that the listener had for its peer. */
function adjusting(socket: Socket, peer: Address, listener: Signatures): Stream['adjust'] {
  const fd = descriptorOf(socket)
  if (fd === undefined) return undefined
  const inherited = listener.of(peer)
  const signatures = new Signatures(setOption(fd), false, inherited && [inherited])
  return to => (socket.destroyed ? GONE : adjusted(fd, peer, to, signatures))
}

/** Node offers no other way to a socket that it accepted. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd?: number } | null }
  return handle?.fd
}

function adjusted(fd: number, peer: Address, to: StreamAdjustment, signatures: Signatures): string | undefined {
  const { md5Password, aoKeys, ...traits } = to
  const problems = tried(() => changeTraits(fd, peer.family, traits))
  return [...problems, ...signatures.replace([{ address: peer, md5Password, aoKeys }])].join('; ') || undefined
}

function tried(run: () => void): string[] {
  try {
    run()
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

function setOption(fd: number) {
  return (name: number, value: Uint8Array) => setsockopt(fd, IPPROTO_TCP, name, value)
}

/** Nothing is read before it is connected; the types of Node do not know the option. */
function unread(fd: number): SocketConstructorOpts {
  return { fd, readable: true, writable: true, manualStart: true } as SocketConstructorOpts
}

interface Prepared {
  readonly fd: number
  readonly signatures: Signatures
}

/** A socket ready to connect. The signature must be there before the first segment. @throws SystemError */
function dialling(target: StreamTarget): Prepared {
  const { address, source, md5Password, aoKeys } = target
  return prepared(address.family, false, (fd, signatures) => {
    applyTraits(fd, address.family, target)
    signatures.change({ address, md5Password, aoKeys })
    if (source !== undefined) bind(fd, socketAddress(source, 0))
  })
}

/** Accepted connections inherit all of it. @throws SystemError */
function listening(options: StreamListenOptions): Prepared {
  const { address = ANY, port, keys = [] } = options
  return prepared(address.family, true, (fd, signatures) => {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, int32(1))
    if (options.shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, int32(1))
    if (options.address?.family === 'ipv6') setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, int32(1))
    applyTraits(fd, address.family, options)
    for (const key of keys) signatures.change(key)
    bind(fd, socketAddress(address, port))
  })
}

function prepared(
  family: Address['family'],
  listens: boolean,
  prepare: (fd: number, signatures: Signatures) => void,
): Prepared {
  const fd = socket(domainOf(family), SOCK_STREAM, 0)
  const signatures = new Signatures(setOption(fd), listens)
  try {
    prepare(fd, signatures)
    return { fd, signatures }
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
