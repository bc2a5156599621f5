import type {
  Clock,
  Datagram,
  DatagramSocket,
  DirectEvidence,
  Heartbeats,
  Hmac,
  Logger,
  MemberEvent,
  Membership,
  Metrics,
  Random,
  Task,
  Timer,
} from '../../ports/index.ts'
import { Endpoint, type Timing } from '../../protocols/heartbeat/index.ts'
import { followSpeakers, type Peers } from './discovery.ts'
import { publishable } from './meta.ts'
import { RefusedPackets } from './refused.ts'

export interface HeartbeatOptions {
  readonly node: string
  /** Opens the bound socket; a rejection is the rejection of `start`. */
  readonly open: () => Promise<DatagramSocket>
  /** Peers listen on this port too. */
  readonly port: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** HMAC under the shared key; without one only discovered addresses are believed. */
  readonly hmac?: Hmac
  /** Under keys that are going or coming: their packets are believed too. */
  readonly otherHmacs?: readonly Hmac[]
  readonly peers: Peers
  readonly timing?: Timing
  /** Counts refused packets. */
  readonly metrics?: Metrics
  /** It stands beside memberlist, which says what there is to say about joins and leaves. */
  readonly beside?: boolean
}

/** After discovery, peers have this long to answer; without any discovery the wait ends after the longer time. */
const JOIN_MS = 1500
const DISCOVERY_MS = 5000
/** A leave is said this often, so far apart: UDP loses packets. */
const LEAVES = 3
const LEAVE_GAP_MS = 20

/** Which speakers live, from heartbeats. It holds the clock and the socket; `protocols/heartbeat` decides. */
export class HeartbeatMembership implements Membership, Heartbeats, Task {
  readonly name = 'membership'
  readonly #options: HeartbeatOptions
  readonly #endpoint: Endpoint
  readonly #listeners = new Set<(event: MemberEvent) => void>()
  readonly #whenJoined: Promise<void>
  #resolveJoined = () => {}
  #joined = false
  #published: readonly string[] | undefined
  #discovered = false
  #socket: DatagramSocket | undefined
  #tick: Timer | undefined
  #join: Timer | undefined
  #unsubscribe = () => {}
  #watcher = () => {}
  #seen = 0
  #evidence: { changes: number; nodes: ReadonlyMap<string, DirectEvidence> } = { changes: 0, nodes: new Map() }

  constructor(options: HeartbeatOptions) {
    this.#options = options
    const { node, random, clock, log, hmac, otherHmacs = [], timing, port, metrics } = options
    const refused = new RefusedPackets('heartbeat', { clock, log, ...(metrics && { metrics }) })
    this.#endpoint = new Endpoint(
      {
        ...{ node, boot: drawBoot(random), hmacs: hmac === undefined ? [] : [hmac, ...otherHmacs] },
        ...(timing && { timing }),
        send: (data, to) => this.#socket?.send(data, to, port),
        event: event => this.#tell(event),
        refused: (code, from, detail) => refused.note({ code, from, detail, times: 1 }),
      },
      clock.monotonic(),
    )
    this.#whenJoined = new Promise(resolve => {
      this.#resolveJoined = resolve
    })
  }

  async start(): Promise<void> {
    const { peers, open, log, hmac, beside, node } = this.#options
    if (hmac === undefined && !beside)
      log.warn({ op: 'startup', warning: 'no ml-secret-key set, memberlist traffic will not be encrypted' })
    this.#socket = await open()
    this.#socket.receive(datagram => this.#receive(datagram))
    this.#turn()
    this.#joinWithin(DISCOVERY_MS)
    this.#unsubscribe = followSpeakers(peers, node, addresses => this.#discover(addresses))
  }

  /** Says that this speaker leaves, then closes: others take over at once. */
  async stop(): Promise<void> {
    const { log, clock } = this.#options
    const socket = this.#socket
    if (socket === undefined) return
    for (const timer of [this.#tick, this.#join]) timer?.cancel()
    this.#unsubscribe()
    if (!this.#options.beside) log.info({ op: 'shutdown', msg: 'leaving memberlist cluster' })
    for (let said = 0; said < LEAVES; said++) {
      if (said > 0) await new Promise<void>(resolve => void clock.after(LEAVE_GAP_MS, resolve))
      this.#endpoint.leave()
    }
    this.#socket = undefined
    await socket.close()
  }

  ready(): true | string {
    return this.#joined || 'waiting for the other speakers to answer'
  }

  members(): ReadonlySet<string> {
    return this.#endpoint.members()
  }

  get joined(): boolean {
    return this.#joined
  }

  whenJoined(): Promise<void> {
    return this.#whenJoined
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Worked out anew only where it says something else. */
  evidence(): ReadonlyMap<string, DirectEvidence> {
    const { changes } = this.#endpoint
    if (changes !== this.#evidence.changes) this.#evidence = { changes, nodes: this.#endpoint.evidence() }
    return this.#evidence.nodes
  }

  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  /** New keys, the own first, from the next packet on. */
  set hmacs(hmacs: readonly Hmac[]) {
    this.#endpoint.hmacs = hmacs
  }

  rejoin(): void {
    if (!this.#options.beside) this.#options.log.debug({ op: 'memberDiscovery', msg: 'triggering discovery' })
    this.#endpoint.greetAll()
  }

  activate(): void {
    this.#endpoint.activate()
  }

  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    const own = [[this.#options.node, this.#published] as const]
    const others = [...this.evidence()].map(([node, { interfaces }]) => [node, interfaces] as const)
    const published = [...own, ...others].filter(([node]) => this.members().has(node))
    return new Map(published.flatMap(([node, names]) => (names === undefined ? [] : [[node, new Set(names)]])))
  }

  publish(interfaces: readonly string[] | undefined): void {
    const names = publishable(interfaces)
    if (names?.join() === this.#published?.join() && (names === undefined) === (this.#published === undefined)) return
    this.#published = names
    this.#endpoint.publish(names)
  }

  hold(held: boolean): void {
    this.#endpoint.hold(held)
  }

  #discover(addresses: ReadonlySet<string>): void {
    this.#endpoint.discover(addresses)
    if (!this.#discovered) this.#joinWithin(JOIN_MS)
    this.#discovered = true
    this.#checkJoined()
  }

  #joinWithin(ms: number): void {
    this.#join?.cancel()
    if (!this.#joined) this.#join = this.#options.clock.after(ms, () => this.#setJoined())
  }

  #checkJoined(): void {
    const { answered, expected } = this.#endpoint.answers
    if (this.#discovered && answered === expected) this.#setJoined()
  }

  #setJoined(): void {
    if (this.#joined) return
    this.#joined = true
    this.#join?.cancel()
    this.#resolveJoined()
    const { log, beside } = this.#options
    const { answered, expected } = this.#endpoint.answers
    if (beside) return
    if (answered < expected) log.error({ op: 'memberDiscovery', msg: 'partial join', joined: answered, expected })
    else log.info({ op: 'Member detection', msg: 'memberlist join successfully', 'number of other nodes': answered })
  }

  #turn(): void {
    const { clock } = this.#options
    this.#endpoint.tick(clock.monotonic())
    this.#look()
    this.#wait()
  }

  #wait(): void {
    const { clock } = this.#options
    this.#tick?.cancel()
    this.#tick = clock.after(Math.max(0, this.#endpoint.nextMs - clock.monotonic()), () => this.#turn())
  }

  #receive({ data, from }: Datagram): void {
    this.#endpoint.receive(data, from, this.#options.clock.monotonic())
    this.#look()
    if (!this.#joined) this.#checkJoined()
  }

  #look(): void {
    const { changes } = this.#endpoint
    if (changes === this.#seen) return
    this.#seen = changes
    this.#watcher()
  }

  #tell(event: MemberEvent): void {
    const { node, address, kind } = event
    const fields = { 'node addr': address, 'node name': node, 'node event': kind }
    if (!this.#options.beside) this.#options.log.info({ msg: 'node event - forcing sync', ...fields })
    for (const listener of this.#listeners) listener(event)
  }
}

/** Names this life of a speaker; never 0, which stands for one not known. */
function drawBoot(random: Random): bigint {
  return new DataView(random.bytes(8).buffer).getBigUint64(0) | 1n
}
