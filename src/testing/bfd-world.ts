/** Two BFD speakers and the path between them, on a clock that the test moves. */
import type { LivenessChange, Random } from '../ports/index.ts'
import { type BfdSettings, type ControlPacket, decodeControl, encodeControl, Session } from '../protocols/bfd/index.ts'
import type { FakeClock } from './fake-clock.ts'
import { FakeRandom } from './fake-random.ts'

export const FAST: BfdSettings = {
  receiveMs: 50,
  transmitMs: 50,
  multiplier: 3,
  echoMs: 50,
  echo: false,
  passive: false,
  minimumTtl: 254,
}

/** A timer always moves time on, else the test would stand still. */
const MIN_MS = 0.01

export class BfdSpeaker {
  readonly session: Session
  readonly sent: { at: number; packet: ControlPacket }[] = []
  readonly changes: (LivenessChange & { at: number })[] = []
  readonly #clock: FakeClock
  readonly #waiting: (() => void)[] = []
  echoes = 0
  peer: BfdSpeaker | undefined
  /** Whether what it sends gets lost. */
  lossy: (packet: ControlPacket) => boolean = () => false
  returnsEcho = true
  /** While its thread does not run, what arrives waits in the socket. */
  stalled = false

  constructor(
    clock: FakeClock,
    discriminator: number,
    settings: BfdSettings,
    random: Random = new FakeRandom(discriminator),
  ) {
    this.#clock = clock
    this.session = new Session({
      discriminator,
      settings,
      random,
      returnsEcho: true,
      send: packet => this.#send(packet),
      sendEcho: sequence => this.#sendEcho(sequence),
      changed: change => this.changes.push({ ...change, at: clock.monotonic() }),
    })
  }

  /** Wakes it when it wants to be woken, for as long as the test lasts. */
  run(): void {
    const ms = this.stalled ? 1 : Math.max(MIN_MS, Math.min(this.session.nextAt() - this.#clock.monotonic(), 1))
    this.#clock.after(ms, () => {
      this.wake()
      this.run()
    })
  }

  wake(lateMs = 0): void {
    if (this.stalled) return
    for (const packet of this.#waiting.splice(0)) packet()
    const now = this.#clock.monotonic()
    if (now >= this.session.nextAt()) this.session.tick(now, lateMs)
  }

  deliver(packet: ControlPacket): void {
    this.#waiting.push(() => this.session.receive(packet, this.#clock.monotonic()))
  }

  get downs(): number {
    return this.changes.filter(({ before }) => before === 'up').length
  }

  #send(packet: ControlPacket): void {
    this.sent.push({ at: this.#clock.monotonic(), packet })
    if (!this.lossy(packet)) this.peer?.deliver(decodeControl(encodeControl(packet)))
  }

  #sendEcho(sequence: number): void {
    this.echoes++
    if (this.peer?.returnsEcho) this.#waiting.push(() => this.session.receiveEcho(sequence, this.#clock.monotonic()))
  }
}

export function bfdPair(clock: FakeClock, left: Partial<BfdSettings> = {}, right: Partial<BfdSettings> = {}) {
  const pair = {
    left: new BfdSpeaker(clock, 0x0a0b0c0d, { ...FAST, ...left }),
    right: new BfdSpeaker(clock, 0x01020304, { ...FAST, ...right }),
  }
  pair.left.peer = pair.right
  pair.right.peer = pair.left
  pair.left.run()
  pair.right.run()
  return pair
}
