import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import type { Random, Stream, StreamAcceptor, StreamEvents, StreamPort, StreamTarget } from '../../ports/index.ts'
import type { Links } from './links.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'

const WINDOW = 65_536
/** What one read takes at most: some segments that came together. */
const PIECE = 10 * 1460
/** RFC 6298: what is not acknowledged is sent again after this, then twice as late each time. */
const RETRANSMIT_MS = 200
const MOST_RETRIES = 8

/** TCP in the simulated world: in order, in pieces, late where packets are lost, and silent where links are cut. */
export class Streams {
  readonly scheduler: Scheduler
  readonly links: Links
  readonly random: Random
  readonly off = new Set<string>()
  readonly #listeners = new Map<string, { process: Process; accept: StreamAcceptor }>()
  readonly #ends = new Set<End>()
  #port = 40_000

  constructor(scheduler: Scheduler, links: Links, random: Random) {
    this.scheduler = scheduler
    this.links = links
    this.random = random
  }

  host(process: Process, address: string): StreamPort {
    return {
      connect: (target, events) => this.#connect(process, address, target, events),
      listen: async ({ port }, accept) => {
        const key = `${address} ${port}`
        if (this.#listeners.get(key)?.process.alive) throw new Error(`address in use: ${key}`)
        const listener = { process, accept }
        this.#listeners.set(key, listener)
        const close = async () => {
          if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
        }
        return { close, adjust: () => undefined }
      },
    }
  }

  powerOff(address: string, off: boolean): void {
    if (off) this.off.add(address)
    else this.off.delete(address)
  }

  reset(process: Process): void {
    for (const end of [...this.#ends]) if (end.process === process) end.destroy()
  }

  forget(end: End): void {
    this.#ends.delete(end)
  }

  /** Runs it at the other machine, as soon as a packet gets there; gives up where none ever does. */
  transfer(from: string, to: string, arrived: () => void, gaveUp: () => void, retries = 0): void {
    if (this.off.has(from) || this.off.has(to) || !this.links.passes(from, to)) {
      const again = () => this.transfer(from, to, arrived, gaveUp, retries + 1)
      if (retries < MOST_RETRIES) this.scheduler.after(RETRANSMIT_MS * 2 ** retries, again)
      else gaveUp()
    } else this.scheduler.after(this.links.delay(), arrived)
  }

  #connect(process: Process, from: string, target: StreamTarget, events: StreamEvents): Stream {
    const to = formatAddress(target.address)
    const local = { address: parseAddress(from) as Address, port: this.#port++ }
    const dialled = new End(this, process, local, { address: target.address, port: target.port })
    dialled.events = events
    this.#ends.add(dialled)
    const lost = (message: string) => () => dialled.lose(message)
    const syn = () => {
      const listener = this.#listeners.get(`${to} ${target.port}`)
      if (listener === undefined || !listener.process.alive)
        return this.transfer(to, from, lost('connection refused'), () => {})
      const accepted = new End(this, listener.process, dialled.remote, local)
      this.#ends.add(accepted)
      accepted.peer = dialled
      dialled.peer = accepted
      // The kernel answers at once; the process hears of it when it runs.
      listener.process.arrive(() => accepted.begin(listener.accept(accepted)))
      this.transfer(to, from, () => dialled.connect(), lost('connection timed out'))
    }
    this.transfer(from, to, syn, lost('connection timed out'))
    return dialled
  }
}

/** One end of a connection. */
class End implements Stream {
  events: StreamEvents | undefined
  peer: End | undefined
  readonly process: Process
  readonly local: Stream['remote']
  readonly remote: Stream['remote']
  readonly #network: Streams
  #over = false
  #connected = false
  #ending = false
  #moving = false
  #full = false
  #queue: Uint8Array[] = []
  #waiting = 0

  constructor(network: Streams, process: Process, local: Stream['remote'], remote: Stream['remote']) {
    this.#network = network
    this.process = process
    this.local = local
    this.remote = remote
  }

  /** The dialling process hears that it is connected. */
  connect(): void {
    this.#connected = true
    this.process.arrive(() => {
      this.events?.connected()
      this.#move()
    })
  }

  /** The accepting process chose who listens. */
  begin(events: StreamEvents | undefined): void {
    this.events = events
    this.#connected = true
    if (events === undefined) this.destroy()
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over || this.#ending) return true
    this.#queue.push(bytes)
    this.#waiting += bytes.length
    this.#full = this.#waiting >= WINDOW
    this.#move()
    return !this.#full
  }

  adjust(): undefined {}

  end(): void {
    this.#ending = true
    this.events = undefined
    this.#move()
  }

  destroy(): void {
    if (this.#over) return
    this.#close()
    this.#tellPeer('connection reset by peer')
  }

  lose(message: string): void {
    if (this.#over) return
    const events = this.events
    this.#close()
    this.process.arrive(() => events?.closed(message))
  }

  #close(): void {
    this.#over = true
    this.events = undefined
    this.#queue = []
    this.#network.forget(this)
  }

  #tellPeer(message: string): void {
    const [from, to] = [formatAddress(this.local.address), formatAddress(this.remote.address)]
    this.#network.transfer(
      from,
      to,
      () => this.peer?.lose(message),
      () => {},
    )
  }

  /** All that waits goes in one flight; what is written meanwhile, in the next. */
  #move(): void {
    if (this.#moving || this.#over || !this.#connected || (this.#queue.length === 0 && !this.#ending)) return
    this.#moving = true
    const flight = this.#queue.splice(0)
    const arrived = () => {
      this.#moving = false
      if (this.#over) return
      if (flight.length === 0) {
        this.#close()
        this.peer?.lose('connection closed by peer')
        return
      }
      this.#waiting -= flight.reduce((sum, { length }) => sum + length, 0)
      for (const bytes of flight) for (const piece of this.#pieces(bytes)) this.peer?.take(piece)
      if (this.#full && this.#waiting === 0) this.process.arrive(() => this.#drained())
      this.#move()
    }
    const [from, to] = [formatAddress(this.local.address), formatAddress(this.remote.address)]
    this.#network.transfer(from, to, arrived, () => this.lose('connection timed out'))
  }

  take(piece: Uint8Array): void {
    this.process.arrive(() => this.events?.data(piece))
  }

  #drained(): void {
    this.#full = false
    this.events?.drained()
  }

  /** Of any length up to that. */
  *#pieces(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + Math.floor(this.#network.random.next() * PIECE)
      yield bytes.slice(at, at + length)
      at += length
    }
  }
}
