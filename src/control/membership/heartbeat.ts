import type { PodResource } from '../../api/kubernetes/index.ts'
import type { Family } from '../../core/ip/index.ts'
import type {
  Clock,
  Datagram,
  DatagramSocket,
  Hmac,
  Informer,
  Logger,
  MemberEvent,
  Membership,
  Random,
  Task,
  Timer,
} from '../../ports/index.ts'
import {
  DEFAULT_TIMING,
  decodeHeartbeat,
  type Effect,
  encodeHeartbeat,
  type Heartbeat,
  HeartbeatError,
  type Peer,
  Roster,
  type Timing,
} from '../../protocols/heartbeat/index.ts'
import { speakerAddresses } from './discovery.ts'

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
  /** Where the other speakers are: their pods (an informer limited to namespace and labels), or a fixed list. */
  readonly peers: { readonly pods: Informer<PodResource>; readonly family: Family } | readonly string[]
  readonly timing?: Timing
  /** It stands beside memberlist, which says what there is to say about joins and leaves. */
  readonly beside?: boolean
}

/** What direct packets say about another node. */
export interface DirectEvidence {
  readonly at: Peer['at']
  /** It cannot announce yet. */
  readonly joining: boolean
  /** Of the last packet, monotonic milliseconds. */
  readonly heardMs: number
  /** Other nodes heard right now that miss it too. */
  readonly witnesses: readonly string[]
}

/** After discovery, peers have this long to answer; without any discovery the wait ends after the longer time. */
const JOIN_MS = 1500
const DISCOVERY_MS = 5000
/** A leave is said this often, so far apart: UDP loses packets. */
const LEAVES = 3
const LEAVE_GAP_MS = 20
const COMPLAIN_EVERY_MS = 60_000

/** Which speakers live, from heartbeats. It holds the clock and the socket; `protocols/heartbeat` decides. */
export class HeartbeatMembership implements Membership, Task {
  readonly name = 'membership'
  readonly #options: HeartbeatOptions
  readonly #timing: Timing
  readonly #roster: Roster
  readonly #listeners = new Set<(event: MemberEvent) => void>()
  readonly #complained = new Map<string, number>()
  readonly #whenJoined: Promise<void>
  #resolveJoined = () => {}
  #joined = false
  #published: ReadonlySet<string> | undefined
  #discovered = false
  #socket: DatagramSocket | undefined
  #timers = new Map<'tick' | 'join', Timer>()
  #unsubscribe = () => {}
  #watcher = () => {}
  #hmacs: readonly Hmac[]

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#timing = options.timing ?? DEFAULT_TIMING
    const { node, random, clock, hmac } = options
    this.#hmacs = hmac === undefined ? [] : [hmac, ...(options.otherHmacs ?? [])]
    const boot = new DataView(random.bytes(8).buffer).getBigUint64(0) | 1n // never 0
    this.#roster = new Roster(
      { node, boot, authenticated: hmac !== undefined, timing: this.#timing },
      clock.monotonic(),
    )
    this.#whenJoined = new Promise(resolve => {
      this.#resolveJoined = resolve
    })
  }

  async start(): Promise<void> {
    const { peers, open, log, hmac, beside } = this.#options
    if (hmac === undefined && !beside)
      log.warn({ op: 'startup', warning: 'no ml-secret-key set, memberlist traffic will not be encrypted' })
    this.#socket = await open()
    this.#socket.receive(datagram => this.#receive(datagram))
    this.#tick()
    this.#joinWithin(DISCOVERY_MS)
    if (!('pods' in peers)) return this.#discover(new Set(peers))
    const look = () => this.#discover(speakerAddresses(peers.pods.list(), this.#options.node, peers.family))
    void peers.pods.whenSynced().then(() => {
      if (this.#socket === undefined) return // stopped meanwhile
      this.#unsubscribe = peers.pods.subscribe(look)
      look()
    })
  }

  /** Says that this speaker leaves, then closes: others take over at once. */
  async stop(): Promise<void> {
    const { log, clock } = this.#options
    const socket = this.#socket
    if (socket === undefined) return
    for (const timer of this.#timers.values()) timer.cancel()
    this.#unsubscribe()
    if (!this.#options.beside) log.info({ op: 'shutdown', msg: 'leaving memberlist cluster' })
    for (let said = 0; said < LEAVES; said++) {
      if (said > 0) await new Promise<void>(resolve => void clock.after(LEAVE_GAP_MS, resolve))
      this.#perform(this.#roster.leave())
    }
    this.#socket = undefined
    await socket.close()
  }

  ready(): true | string {
    return this.#joined || 'waiting for the other speakers to answer'
  }

  members(): ReadonlySet<string> {
    return this.#roster.members()
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

  /** What is known first hand. Nodes that never sent a packet are absent: nothing follows from their silence. */
  evidence(): ReadonlyMap<string, DirectEvidence> {
    const peers = [...this.#roster.peers()]
    const witnesses = new Map(peers.map(({ node }) => [node, [] as string[]]))
    for (const { node, at, silent } of peers)
      if (at === 'alive') for (const missed of silent) witnesses.get(missed)?.push(node)
    return new Map(
      peers.map(({ node, at, joining, heardMs }) => [node, { at, joining, heardMs, witnesses: witnesses.get(node)! }]),
    )
  }

  /** Called after every tick, and after packets that may change the evidence. */
  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  /** New keys, the own first, from the next packet on. */
  set hmacs(hmacs: readonly Hmac[]) {
    this.#hmacs = hmacs
  }

  rejoin(): void {
    if (!this.#options.beside) this.#options.log.debug({ op: 'memberDiscovery', msg: 'triggering discovery' })
    this.#perform(this.#roster.greetAll())
  }

  activate(): void {
    this.#perform(this.#roster.activate())
  }

  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map(this.#published && [[this.#options.node, this.#published]])
  }

  publish(interfaces: readonly string[]): void {
    this.#published = new Set(interfaces)
  }

  #discover(addresses: ReadonlySet<string>): void {
    this.#perform(this.#roster.discover(addresses))
    if (!this.#discovered) this.#joinWithin(JOIN_MS)
    this.#discovered = true
    this.#checkJoined()
  }

  #joinWithin(ms: number): void {
    this.#timers.get('join')?.cancel()
    if (!this.#joined)
      this.#timers.set(
        'join',
        this.#options.clock.after(ms, () => this.#join()),
      )
  }

  #checkJoined(): void {
    if (this.#discovered && this.#roster.answered === this.#roster.expected) this.#join()
  }

  #join(): void {
    if (this.#joined) return
    this.#joined = true
    this.#timers.get('join')?.cancel()
    this.#resolveJoined()
    const { log, beside } = this.#options
    const { answered, expected } = this.#roster
    if (beside) return
    if (answered < expected) log.error({ op: 'memberDiscovery', msg: 'partial join', joined: answered, expected })
    else log.info({ op: 'Member detection', msg: 'memberlist join successfully', 'number of other nodes': answered })
  }

  #tick(): void {
    this.#perform(this.#roster.tick(this.#options.clock.monotonic()))
    this.#watcher()
    this.#timers.set(
      'tick',
      this.#options.clock.after(this.#timing.intervalMs, () => this.#tick()),
    )
  }

  #receive({ data, from }: Datagram): void {
    const packet = this.#decode(data, from)
    if (packet === undefined) return
    const before = this.#roster.peer(packet.node)
    const effects = this.#roster.receive(packet, from, this.#options.clock.monotonic())
    this.#perform(effects)
    const after = this.#roster.peer(packet.node)
    // In a large cluster hundreds of packets a second repeat what is known; a tick looks at everything anyway.
    const news = before?.joining !== after?.joining || before?.silent.join() !== after?.silent.join()
    if (news || effects.some(({ kind }) => kind === 'event')) this.#watcher()
    if (!this.#joined) this.#checkJoined()
  }

  #decode(data: Uint8Array, from: string): Heartbeat | undefined {
    try {
      return decodeHeartbeat(data, ...this.#hmacs)
    } catch (error) {
      if (!(error instanceof HeartbeatError)) throw error
      this.#complain(error.code, { from, error: error.message })
      return undefined
    }
  }

  /** Packets first: whoever listens to the events may take long. */
  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) if (effect.kind === 'send') this.#send(effect.packet, effect.to)
    for (const effect of effects) {
      if (effect.kind === 'event') this.#tell(effect.event)
      if (effect.kind === 'refused') this.#complain(effect.code, { from: effect.from, node: effect.node })
    }
  }

  #send(packet: Heartbeat, to: string): void {
    this.#socket?.send(encodeHeartbeat(packet, this.#hmacs[0]), to, this.#options.port)
  }

  #tell(event: MemberEvent): void {
    const { node, address, kind } = event
    const fields = { 'node addr': address, 'node name': node, 'node event': kind }
    if (!this.#options.beside) this.#options.log.info({ msg: 'node event - forcing sync', ...fields })
    for (const listener of this.#listeners) listener(event)
  }

  /** One warning a minute for each kind of bad packet. */
  #complain(code: string, fields: Record<string, string>): void {
    const now = this.#options.clock.monotonic()
    const last = this.#complained.get(code)
    if (code === 'REPLAYED' || (last !== undefined && now - last < COMPLAIN_EVERY_MS)) return
    this.#complained.set(code, now)
    this.#options.log.warn({ op: 'memberDiscovery', msg: 'heartbeat refused', code, ...fields })
  }
}
