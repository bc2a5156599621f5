/** A session of ours on real TCP with a router that follows a script; time moves only when the test says so. */
import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import {
  decodeMessage,
  describeClose,
  encodeMessage,
  Framer,
  type Message,
  offeredOpen,
  PLAIN_WIRE,
  Session,
  type Settings,
} from '../../src/protocols/bgp/index.ts'
import { ourSettings, theirSettings } from '../../src/testing/bgp-settings.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'

const LOOPBACK = parseAddress('127.0.0.1')!
const GIVE_UP_MS = 30_000

export const OURS = ourSettings({ holdMs: 9000 })
export const THEIRS = theirSettings({ holdMs: 9000 })

export const OPEN = encodeMessage(offeredOpen(THEIRS))
export const KEEPALIVE = encodeMessage({ kind: 'keepalive' })

/** How far a session has come when the script begins. */
export type Stage = 'open sent' | 'open confirm' | 'established'

/** The other end, as bytes. */
export class ScriptedRouter {
  readonly sockets: Socket[] = []
  /** Of all connections. */
  readonly messages: Message[] = []
  readonly #server: Server
  port = 0

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, socket => this.#accept(socket))
  }

  /** On any port, or on this. */
  async start(port = 0): Promise<void> {
    await new Promise<void>(resolve => this.#server.listen(port, '127.0.0.1', resolve))
    this.port = (this.#server.address() as { port: number }).port
  }

  get last(): Socket {
    return this.sockets.at(-1)!
  }

  heard(kind: Message['kind']): Message[] {
    return this.messages.filter(message => message.kind === kind)
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy()
    this.#server.close()
  }

  #accept(socket: Socket): void {
    this.sockets.push(socket)
    const framer = new Framer()
    socket.on('error', () => {})
    socket.on('data', data => {
      framer.push(new Uint8Array(data))
      for (let frame = framer.next(); frame; frame = framer.next()) this.messages.push(decodeMessage(frame, PLAIN_WIRE))
    })
    socket.on('end', () => socket.end())
  }
}

export class Scene {
  readonly clock = new FakeClock()
  readonly random = new FakeRandom(1)
  readonly router = new ScriptedRouter()
  /** What the session told, in words. */
  readonly told: string[] = []
  readonly session: Session

  private constructor(settings: Settings) {
    const { router } = this
    const options = {
      settings,
      get target() {
        return { address: LOOPBACK, port: router.port }
      },
      defaultLocalPref: 100,
      localAddresses: () => ({ connection: LOOPBACK, ipv6: parseAddress('2001:db8::10')! }),
    }
    const ports = { clock: this.clock, random: this.random, streams: linuxStreams }
    this.session = new Session(options, ports, {
      established: () => void this.told.push('up'),
      closed: (reason, up) => void this.told.push(`${up ? 'down' : 'failed'}: ${describeClose(reason)}`),
    })
  }

  static async start(t: { after: (end: () => void) => void }, settings = OURS): Promise<Scene> {
    const scene = new Scene(settings)
    t.after(() => {
      scene.session.stop({ kind: 'deconfigured' })
      scene.router.stop()
    })
    await scene.router.start()
    scene.session.start()
    return scene
  }

  /**
   * Lets the sockets work until the condition holds. Time passes only while the session has no connection, 5 ms at a
   * time: a machine on which bytes take long must not let a hold time expire.
   */
  until(condition: () => boolean, what = 'it'): Promise<void> {
    const waits = () => this.session.status.state === 'idle' || this.session.status.state === 'active'
    return this.#work(condition, what, () => this.clock.advance(waits() ? 5 : 0))
  }

  /** As `until`, and no time passes at all. */
  atOnce(condition: () => boolean, what = 'it'): Promise<void> {
    return this.#work(condition, what, () => this.clock.advance(0))
  }

  async #work(condition: () => boolean, what: string, turn: () => void): Promise<void> {
    const giveUp = performance.now() + GIVE_UP_MS
    while (!condition()) {
      assert.ok(performance.now() < giveUp, `${what} never happened: ${this.told.join(' | ')}`)
      await new Promise(resolve => setImmediate(resolve))
      turn()
    }
  }

  /** The script of a good router, up to the stage. */
  async reach(stage: Stage, open = OPEN): Promise<void> {
    const { router, session } = this
    const connections = router.heard('open').length + (session.status.state === 'open sent' ? 0 : 1)
    await this.until(() => router.heard('open').length >= connections && session.status.state === 'open sent', 'OPEN')
    if (stage === 'open sent') return
    router.last.write(open)
    await this.until(() => session.status.state === 'open confirm', 'OpenConfirm')
    if (stage === 'open confirm') return
    router.last.write(KEEPALIVE)
    await this.until(() => session.status.state === 'established', 'Established')
  }
}
