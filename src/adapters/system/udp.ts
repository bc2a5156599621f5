import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { DatagramSocket } from '../../ports/index.ts'

export interface UdpOptions {
  /** Local address; its family is that of the socket. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** A packet that could not be sent, e.g. no route: UDP loses packets anyway. Default: said to nobody. */
  readonly onSendError?: (error: Error) => void
}

/** A bound UDP socket. Rejects where the address or port cannot be had. */
export async function openUdp(options: UdpOptions): Promise<DatagramSocket & { readonly port: number }> {
  const { address, port, onSendError = () => {} } = options
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4' })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, resolve)
  })
  socket.removeAllListeners('error')
  socket.on('error', onSendError) // after the bind only from sending, e.g. an ICMP unreachable
  let closed = false
  return {
    port: socket.address().port,
    send: (data, to, toPort) => {
      if (!closed) socket.send(data, toPort, to, error => error && onSendError(error))
    },
    receive: listener => {
      socket.on('message', (data, { address: from, port: fromPort }) => {
        listener({ data: new Uint8Array(data), from, port: fromPort })
      })
    },
    close: async () => {
      if (closed) return
      closed = true
      await new Promise<void>(resolve => socket.close(resolve))
    },
  }
}
