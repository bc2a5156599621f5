import { followSpeakers, type Peers } from '../control/membership/index.ts'
import type { Clock, DatagramSocket, DirectEvidence, Heartbeats, Hmac, Random, Timer } from '../ports/index.ts'
import { Endpoint, type Refusal } from '../protocols/heartbeat/index.ts'

export interface SimulatedHeartbeatOptions {
  readonly node: string
  readonly open: () => Promise<DatagramSocket>
  /** Peers listen on this port too. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  /** The own first; without any only discovered addresses are believed. */
  readonly hmacs: readonly Hmac[]
  readonly peers: Peers
  readonly refused?: (code: Refusal) => void
}

/** As `adapters/linux/heartbeat-thread.ts`. */
const LEAVES = 3
const LEAVE_GAP_MS = 20

/** What `adapters/linux/heartbeats.ts` and its thread do in a speaker, over any socket and clock. */
export class SimulatedHeartbeats implements Heartbeats {
  readonly #options: SimulatedHeartbeatOptions
  readonly #endpoint: Endpoint
  #socket: DatagramSocket | undefined
  #tick: Timer | undefined
  #unfollow = () => {}
  #watcher = () => {}
  #seen = 0
  #evidence: { changes: number; nodes: ReadonlyMap<string, DirectEvidence> } = { changes: 0, nodes: new Map() }

  constructor(options: SimulatedHeartbeatOptions) {
    this.#options = options
    const { node, random, clock, hmacs, port, refused } = options
    const boot = new DataView(random.bytes(8).buffer).getBigUint64(0) | 1n // never 0
    this.#endpoint = new Endpoint(
      {
        ...{ node, boot, hmacs, ...(refused && { refused }) },
        send: (data, to) => this.#socket?.send(data, to, port),
      },
      clock.monotonic(),
    )
  }

  async start(): Promise<void> {
    const { open, peers, node, clock } = this.#options
    this.#socket = await open()
    this.#socket.receive(({ data, from }) => {
      this.#endpoint.receive(data, from, clock.monotonic())
      this.#look()
    })
    this.#turn()
    this.#unfollow = followSpeakers(peers, node, addresses => this.#endpoint.discover(addresses))
  }

  async stop(): Promise<void> {
    const socket = this.#socket
    if (socket === undefined) return
    this.#tick?.cancel()
    this.#unfollow()
    for (let said = 0; said < LEAVES; said++) {
      if (said > 0) await new Promise<void>(resolve => void this.#options.clock.after(LEAVE_GAP_MS, resolve))
      this.#endpoint.leave()
    }
    this.#socket = undefined
    await socket.close()
  }

  /** Worked out where somebody asks: of a hundred speakers each hears news every millisecond. */
  evidence(): ReadonlyMap<string, DirectEvidence> {
    const { changes } = this.#endpoint
    if (changes !== this.#evidence.changes) this.#evidence = { changes, nodes: this.#endpoint.evidence() }
    return this.#evidence.nodes
  }

  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  rejoin(): void {
    this.#endpoint.greetAll()
  }

  activate(): void {
    this.#endpoint.activate()
  }

  publish(interfaces: readonly string[] | undefined): void {
    this.#endpoint.publish(interfaces)
  }

  hold(held: boolean): void {
    this.#endpoint.hold(held)
  }

  #turn(): void {
    const { clock } = this.#options
    this.#endpoint.tick(clock.monotonic())
    this.#look()
    this.#tick = clock.after(Math.max(0, this.#endpoint.nextMs - clock.monotonic()), () => this.#turn())
  }

  #look(): void {
    const { changes } = this.#endpoint
    if (changes === this.#seen) return
    this.#seen = changes
    this.#watcher()
  }
}
