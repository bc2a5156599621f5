import { createServer, Socket } from 'node:net'
import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import type { Stream, StreamEndpoint, StreamEvents, StreamPort } from '../../ports/index.ts'

/** TCP of Node: addresses and ports only. Signatures, devices and TTLs need the Linux adapter. */
export const systemStreams: StreamPort = {
  connect: ({ address, port, source }, events) => {
    const socket = new Socket()
    const stream = follow(socket, { address, port }, events)
    socket.once('connect', () => events.connected())
    const localAddress = source && formatAddress(source)
    socket.connect({ host: formatAddress(address), port, ...(localAddress && { localAddress }) })
    return stream
  },
  listen: ({ address, port }, accept) => {
    const open = new Set<Socket>()
    const server = createServer(socket => {
      const remote = endpoint(socket.remoteAddress, socket.remotePort)
      if (remote === undefined) return socket.destroy() // gone already
      let events: StreamEvents | undefined
      const relay: StreamEvents = {
        connected: () => {},
        data: bytes => events?.data(bytes),
        drained: () => events?.drained(),
        closed: message => events?.closed(message),
      }
      const stream = follow(socket, remote, relay)
      events = accept(stream)
      if (events === undefined) return socket.destroy()
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, ...(address && { host: formatAddress(address) }) }, () => {
        server.removeListener('error', reject)
        server.on('error', () => {}) // a failed accept: the peer tries again
        const close = () =>
          new Promise<void>(closed => {
            server.close(() => closed())
            for (const socket of open) socket.destroy()
          })
        resolve({ close })
      })
    })
  },
}

function follow(socket: Socket, remote: StreamEndpoint, events: StreamEvents): Stream {
  let over = false
  let message = 'connection closed by peer'
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
      return endpoint(socket.localAddress, socket.localPort)
    },
    remote,
    write: bytes => socket.write(bytes),
    end: () => {
      over = true
      socket.end()
    },
    destroy: () => {
      over = true
      socket.destroy()
    },
  }
}

function endpoint(text: string | undefined, port: number | undefined): StreamEndpoint | undefined {
  const address: Address | undefined = parseAddress(text ?? '')
  return address && port !== undefined ? { address, port } : undefined
}
