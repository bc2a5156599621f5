/** A peer that says what a test wants, good or bad, over TCP on the loopback interface. */
import { createServer, type Server, type Socket } from 'node:net'
import { parseAddress } from '../../src/core/ip/index.ts'
import {
  decodeMessage,
  encodeMessage,
  Framer,
  type Message,
  offeredOpen,
  type Settings,
} from '../../src/protocols/bgp/index.ts'

const ADDRESS = '127.0.0.1'
const THEIRS: Settings = {
  localAsn: 64501,
  identifier: parseAddress('10.20.0.2')!,
  remoteAs: 64500,
  holdMs: 9000,
  connectRetryMs: 120_000,
  families: ['ipv4'],
  extendedNextHop: false,
  extendedMessage: false,
  passive: true,
  listens: true,
}

export class ScriptedPeer {
  readonly endpoint = { address: parseAddress(ADDRESS)! }
  /** What came in, over all connections. */
  readonly heard: Message[] = []
  readonly #server: Server
  #socket: Socket | undefined

  private constructor() {
    this.#server = createServer(socket => this.#greet(socket))
  }

  static async start(): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer()
    await new Promise<void>(listening => peer.#server.listen(0, ADDRESS, listening))
    return peer
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  send(bytes: Uint8Array): void {
    this.#socket?.write(bytes)
  }

  stop(): void {
    this.#socket?.destroy()
    this.#server.close()
  }

  #greet(socket: Socket): void {
    const framer = new Framer()
    this.#socket = socket
    socket.on('error', () => {}) // it may be reset: that is part of the plot
    socket.on('data', bytes => {
      framer.push(bytes)
      for (let frame = framer.next(); frame; frame = framer.next()) this.heard.push(decodeMessage(frame))
    })
    socket.write(encodeMessage(offeredOpen(THEIRS)))
    socket.write(encodeMessage({ kind: 'keepalive' }))
  }
}
