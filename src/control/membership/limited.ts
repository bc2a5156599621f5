import { SourceLimit } from '../../core/source-limit.ts'
import type { Clock, DatagramSocket } from '../../ports/index.ts'

export interface LimitedOptions {
  readonly clock: Clock
  /** Whether a speaker is at the address; all others together get what one of them gets. */
  readonly knows: (address: string) => boolean
  /** A packet was too much. */
  readonly refuse: (from: string) => void
}

/** Many times what a busy peer sends, and what the event loop handles in a tenth of its time (IMP-22). */
const LIMIT = { perSecond: 500, burst: 500, most: 4096 }
const STRANGERS = ''

/** The socket, without what exceeds the share of its sender. */
export function limited(socket: DatagramSocket, { clock, knows, refuse }: LimitedOptions): DatagramSocket {
  const limit = new SourceLimit(LIMIT)
  return {
    send: (data, to, port) => socket.send(data, to, port),
    close: () => socket.close(),
    receive: listener =>
      socket.receive(datagram => {
        const { from } = datagram
        if (limit.pass(knows(from) ? from : STRANGERS, clock.monotonic())) listener(datagram)
        else refuse(from)
      }),
  }
}
