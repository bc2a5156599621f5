import type { Server, Socket } from 'node:net'
import { type Address, parseAddress } from '../../core/ip/index.ts'
import type { Stream, StreamAcceptor, StreamEndpoint, StreamEvents } from '../../ports/index.ts'

/** How long written bytes may wait for a peer that does not read, after `end`. */
const LINGER_MS = 3000

/** A socket of Node as a Stream. `remote` is where it goes, or came from. */
export function streamOf(
  socket: Socket,
  remote: StreamEndpoint,
  events: StreamEvents,
  adjust?: Stream['adjust'],
): Stream {
  let over = false
  let message = 'connection closed by peer'
  socket.setNoDelay(true)
  socket.on('error', error => {
    message = error.message
  })
  socket.on('end', () => socket.end())
  socket.on('data', data => {
    if (!over) events.data(new Uint8Array(data))
  })
  socket.on('drain', () => {
    if (!over) events.drained()
  })
  socket.once('close', () => {
    if (!over) events.closed(message)
    over = true
  })
  return {
    get local() {
      return endpointOf(socket.localAddress, socket.localPort)
    },
    remote,
    write: bytes => socket.write(bytes),
    end: () => {
      over = true
      socket.end()
      const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
      socket.once('close', () => clearTimeout(timer))
    },
    destroy: () => {
      over = true
      socket.destroy()
    },
    ...(adjust && { adjust }),
  }
}

/**
 * Hands each connection to the acceptor; the answer ends the server and all connections made through it. `adjusting`
 * makes what changes an accepted socket below its bytes.
 */
export function acceptOn(
  server: Server,
  accept: StreamAcceptor,
  adjusting?: (socket: Socket, remote: StreamEndpoint) => Stream['adjust'],
): () => Promise<void> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    const remote = endpointOf(socket.remoteAddress, socket.remotePort)
    if (remote === undefined) return socket.destroy() // gone already
    let events: StreamEvents | undefined
    const relay: StreamEvents = {
      connected: () => {},
      data: bytes => events?.data(bytes),
      drained: () => events?.drained(),
      closed: message => events?.closed(message),
    }
    const stream = streamOf(socket, remote, relay, adjusting?.(socket, remote))
    events = accept(stream)
    if (events === undefined) return socket.destroy()
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return () =>
    new Promise(closed => {
      server.close(() => closed())
      for (const socket of open) socket.destroy()
    })
}

/** Addresses of the kernel may name the interface after `%`. */
function endpointOf(text: string | undefined, port: number | undefined): StreamEndpoint | undefined {
  const [written = '', scope] = text?.split('%') ?? []
  const address: Address | undefined = parseAddress(written)
  return address && port !== undefined ? { address, port, ...(scope && { scope }) } : undefined
}
