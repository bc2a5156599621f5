import type { Datagram, DatagramSocket, Random, StreamPort } from '../../ports/index.ts'
import { Links } from './links.ts'
import type { Process } from './process.ts'
import type { Scheduler } from './scheduler.ts'
import { Streams } from './streams.ts'

interface Bound {
  readonly process: Process
  readonly listeners: ((datagram: Datagram) => void)[]
}

/** UDP and TCP between the machines of a simulated world; a machine has one address. */
export class Network {
  readonly links: Links
  /** Datagrams sent so far. */
  sent = 0
  readonly #scheduler: Scheduler
  readonly #sockets = new Map<string, Bound>()
  readonly #streams: Streams

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.links = new Links(random)
    this.#streams = new Streams(scheduler, this.links, random)
  }

  /** A bound UDP socket of the process. */
  open(process: Process, address: string, port: number): DatagramSocket {
    const key = `${address} ${port}`
    if (this.#sockets.get(key)?.process.alive) throw new Error(`address in use: ${key}`)
    const bound: Bound = { process, listeners: [] }
    this.#sockets.set(key, bound)
    return {
      send: (data, to, toPort) => {
        if (process.alive && this.#sockets.get(key) === bound) this.#carry({ data, from: address, port }, to, toPort)
      },
      receive: listener => void bound.listeners.push(listener),
      close: async () => {
        if (this.#sockets.get(key) === bound) this.#sockets.delete(key)
      },
    }
  }

  /** TCP as the process on that machine sees it. */
  streams(process: Process, address: string): StreamPort {
    return this.#streams.host(process, address)
  }

  /** The machine is without power: unlike a process that dies, it breaks no connections and refuses none. */
  powerOff(address: string, off: boolean): void {
    this.#streams.powerOff(address, off)
  }

  /** The process is gone: its machine says so to whoever is connected with it. */
  reset(process: Process): void {
    this.#streams.reset(process)
  }

  #carry({ data, from, port }: Datagram, to: string, toPort: number): void {
    this.sent++
    const bytes = data.slice()
    for (const delay of this.links.delays(from, to))
      this.#scheduler.after(delay, () => {
        const bound = this.#sockets.get(`${to} ${toPort}`)
        if (bound === undefined || this.links.isCut(from, to)) return
        bound.process.arrive(() => {
          for (const listener of bound.listeners) listener({ data: bytes, from, port })
        })
      })
  }
}
