import { createServer, Socket } from 'node:net'
import { formatAddress } from '../../core/ip/index.ts'
import type { StreamPort } from '../../ports/index.ts'
import { acceptOn, streamOf } from './socket-stream.ts'

/** TCP of Node: addresses and ports only. Signatures, devices and TTLs need the Linux adapter. */
export const systemStreams: StreamPort = {
  connect: ({ address, port, source }, events) => {
    const socket = new Socket()
    const stream = streamOf(socket, { address, port }, events)
    socket.once('connect', () => events.connected())
    const localAddress = source && formatAddress(source)
    socket.connect({ host: formatAddress(address), port, ...(localAddress && { localAddress }) })
    return stream
  },
  listen: ({ address, port }, accept) => {
    const server = createServer()
    const close = acceptOn(server, accept)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port, ...(address && { host: formatAddress(address) }) }, () => {
        server.removeListener('error', reject)
        server.on('error', () => {}) // a failed accept: the peer tries again
        resolve({ close })
      })
    })
  },
}
