import { type Address, formatAddress } from '../core/ip/index.ts'
import type {
  Clock,
  Random,
  Stream,
  StreamAcceptor,
  StreamAdjustment,
  StreamEvents,
  StreamPort,
  StreamTarget,
} from '../ports/index.ts'

const WINDOW = 65536

/** TCP in memory: bytes arrive in order, in pieces and by the clock; the test breaks, stalls and refuses. */
export class FakeStreams {
  /** Milliseconds that a piece is on its way. */
  delayMs = 1
  /** Largest piece; each is of random length. */
  maxPiece = 1460
  /** Attempts to connect get no answer at all. */
  silent = false
  /** What connections were adjusted to, in order; `adjustable` false: they cannot be. */
  readonly adjusted: StreamAdjustment[] = []
  adjustable = true
  readonly #clock: Clock
  readonly #random: Random
  readonly #listeners = new Map<string, StreamAcceptor>()
  readonly #open = new Set<Half>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** The network as a host with this address sees it. */
  host(address: Address): StreamPort {
    return {
      connect: (target, events) => this.#connect(address, target, events),
      listen: async ({ port }, accept) => {
        const key = keyOf(address, port)
        if (this.#listeners.has(key)) throw new Error(`address in use: ${key}`)
        this.#listeners.set(key, accept)
        return { close: async () => void this.#listeners.delete(key) }
      },
    }
  }

  /** Connections that are made, each counted once. */
  get connections(): number {
    return this.#open.size / 2
  }

  /** All connections break; both ends notice. */
  cut(message = 'connection reset by peer'): void {
    for (const half of [...this.#open]) half.lose(message)
    this.#open.clear()
  }

  /** Hosts with this address do not read any more, or read again. */
  stall(address: Address, stalled: boolean): void {
    for (const half of this.#open) if (half.local.address.value === address.value) half.stall(stalled)
  }

  #connect(from: Address, target: StreamTarget, events: StreamEvents): Stream {
    const remote = { address: target.address, port: target.port }
    const dialled = new Half(this, this.#clock, { address: from, port: 40_000 }, remote, events)
    if (this.silent) return dialled
    this.#clock.after(this.delayMs, () => {
      if (dialled.over) return
      const accepting = this.#listeners.get(keyOf(target.address, target.port))
      const accepted = new Half(this, this.#clock, remote, dialled.local)
      accepted.join(dialled)
      const listener = accepting?.(accepted)
      if (listener === undefined) return dialled.lose(accepting ? 'connection reset by peer' : 'connection refused')
      accepted.events = listener
      dialled.join(accepted)
      for (const half of [dialled, accepted]) if (!half.over) this.#open.add(half)
      dialled.events?.connected()
    })
    return dialled
  }

  forget(half: Half): void {
    this.#open.delete(half)
  }

  pieceOf(length: number): number {
    return Math.min(length, 1 + Math.floor(this.#random.next() * this.maxPiece))
  }
}

/** One end of a connection. */
class Half implements Stream {
  events: StreamEvents | undefined
  over = false
  readonly local: Stream['remote']
  readonly remote: Stream['remote']
  readonly #network: FakeStreams
  readonly #clock: Clock
  #peer: Half | undefined
  #sending: Uint8Array[] = []
  #waiting = 0
  #moving = false
  #ending = false
  #full = false
  #stalled = false

  constructor(
    network: FakeStreams,
    clock: Clock,
    local: Stream['remote'],
    remote: Stream['remote'],
    events?: StreamEvents,
  ) {
    this.#network = network
    this.#clock = clock
    this.local = local
    this.remote = remote
    this.events = events
  }

  join(peer: Half): void {
    this.#peer = peer
    this.#move()
  }

  stall(stalled: boolean): void {
    this.#stalled = stalled
    if (this.#peer !== undefined) this.#peer.#move()
  }

  write(bytes: Uint8Array): boolean {
    if (this.over || this.#ending) return true
    if (bytes.length > 0) this.#sending.push(bytes)
    this.#waiting += bytes.length
    this.#full = this.#waiting >= WINDOW
    this.#move()
    return !this.#full
  }

  end(): void {
    this.#ending = true
    this.events = undefined
    this.#move()
  }

  destroy(): void {
    if (this.over) return
    this.lose('destroyed')
    const peer = this.#peer
    this.#clock.after(this.#network.delayMs, () => peer?.lose('connection reset by peer'))
  }

  adjust(to: StreamAdjustment): string | undefined {
    if (!this.#network.adjustable) return 'it cannot be adjusted'
    this.#network.adjusted.push(to)
    return undefined
  }

  lose(message: string): void {
    if (this.over) return
    this.over = true
    this.#network.forget(this)
    const events = this.events
    this.events = undefined
    if (message !== 'destroyed') events?.closed(message)
  }

  #move(): void {
    const idle = this.#moving || this.over || this.#peer === undefined || this.#peer.#stalled
    if (idle || (this.#waiting === 0 && !this.#ending)) return
    this.#moving = true
    this.#clock.after(this.#network.delayMs, () => {
      this.#moving = false
      this.#deliver()
      this.#move()
    })
  }

  #deliver(): void {
    const peer = this.#peer!
    if (this.over || peer.#stalled) return
    if (this.#waiting === 0) {
      this.lose('destroyed')
      peer.lose('connection closed by peer')
      return
    }
    const piece = this.#take() // even where nobody listens any more
    peer.events?.data(piece)
    if (this.#waiting > 0 || !this.#full) return
    this.#full = false
    this.events?.drained()
  }

  /** The next piece, of any length within one write. */
  #take(): Uint8Array {
    const first = this.#sending[0]!
    const length = this.#network.pieceOf(first.length)
    if (length === first.length) this.#sending.shift()
    else this.#sending[0] = first.subarray(length)
    this.#waiting -= length
    return first.slice(0, length)
  }
}

function keyOf(address: Address, port: number): string {
  return `${formatAddress(address)} ${port}`
}
