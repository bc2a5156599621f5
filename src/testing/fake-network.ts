import type { Clock, Datagram, DatagramSocket, Random } from '../ports/index.ts'

interface Socket {
  open: boolean
  readonly listeners: ((datagram: Datagram) => void)[]
}

/** A network in memory that loses, delays and cuts as the test says; datagrams arrive by the clock, never at once. */
export class FakeNetwork {
  /** Milliseconds on the way, and chance added to them: packets may overtake one another. */
  delayMs = 0
  jitterMs = 0
  /** Chance that a datagram is lost. */
  loss = 0
  /** Datagrams sent so far. */
  sent = 0
  readonly #clock: Clock
  readonly #random: Random
  readonly #sockets = new Map<string, Socket>()
  #group: (address: string) => number = () => 0

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  open(address: string, port: number): DatagramSocket {
    const key = `${address} ${port}`
    if (this.#sockets.has(key)) throw new Error(`address in use: ${key}`)
    const socket: Socket = { open: true, listeners: [] }
    this.#sockets.set(key, socket)
    return {
      send: (data, to, toPort) => {
        if (socket.open) this.#carry({ data: data.slice(), from: address, port }, to, toPort)
      },
      receive: listener => void socket.listeners.push(listener),
      close: async () => {
        if (socket.open) this.#sockets.delete(key)
        socket.open = false
      },
    }
  }

  /** Whoever is bound there sends and hears nothing any more; the address can be bound anew. */
  kill(address: string): void {
    for (const [key, socket] of this.#sockets) {
      if (!key.startsWith(`${address} `)) continue
      this.#sockets.delete(key)
      socket.open = false
    }
  }

  /** Only addresses of one group reach one another; addresses in no group are cut off from everybody. */
  partition(...groups: string[][]): void {
    this.#group = address => groups.findIndex(group => group.includes(address))
  }

  heal(): void {
    this.#group = () => 0
  }

  #carry(datagram: Datagram, to: string, port: number): void {
    this.sent++
    if (this.#random.next() < this.loss) return
    const delay = this.delayMs + this.#random.next() * this.jitterMs
    this.#clock.after(delay, () => {
      const connected = this.#group(datagram.from) === this.#group(to) && this.#group(to) >= 0
      const receiver = this.#sockets.get(`${to} ${port}`)
      if (receiver !== undefined && (connected || datagram.from === to))
        for (const listener of receiver.listeners) listener(datagram)
    })
  }
}
