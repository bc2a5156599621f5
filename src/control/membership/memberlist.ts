import { type Address, formatAddress } from '../../core/ip/index.ts'
import { Listeners } from '../../core/listeners.ts'
import type {
  Clock,
  DatagramSocket,
  Logger,
  MemberEvent,
  Metrics,
  Random,
  StreamPort,
  Task,
} from '../../ports/index.ts'
import { type Keyring, Memberlist, type MemberlistConfig } from '../../protocols/memberlist/index.ts'
import { followSpeakers, type Peers } from './discovery.ts'
import type { Hold } from './hold-down.ts'
import { Joiner } from './joiner.ts'
import { limited } from './limited.ts'
import { readMeta, writeMeta } from './meta.ts'
import { RefusedPackets } from './refused.ts'

export interface MemberlistMembershipOptions {
  readonly node: string
  /** Bound, and told to the others. */
  readonly address: Address
  /** UDP and TCP, the same on every node. */
  readonly port: number
  /** Opens the bound socket; a rejection is the rejection of `start`. */
  readonly open: () => Promise<DatagramSocket>
  readonly streams: StreamPort
  readonly config: MemberlistConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Without one nothing is encrypted. */
  readonly keyring?: Keyring
  readonly peers: Peers
  /** Counts refused packets, and joins that failed. */
  readonly metrics?: Metrics
  /** This speaker sends heartbeats besides. */
  readonly heartbeats?: boolean
}

/** A node that memberlist holds for alive or suspect. */
export interface ListedMember {
  readonly address: string
  readonly suspect: boolean
  /** Its speaker cannot announce yet. */
  readonly joining: boolean
  /** Its speaker sends heartbeats. */
  readonly heartbeats: boolean
  /** It leaves addresses to others for now (IMP-4). */
  readonly held: boolean
  /** It has been well for long enough to be left with what it has. */
  readonly settled: boolean
  /** Its usable interfaces; undefined where it publishes none. */
  readonly interfaces: readonly string[] | undefined
}

const LEAVE_MS = 1000
/** A DNS subdomain name (RFC 1123), as node names are (IMP-22). */
const NODE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Which speakers live, from memberlist: our own and reference speakers in one cluster (chapter 03 section 4). */
export class MemberlistMembership implements Task {
  readonly name = 'memberlist'
  readonly #options: MemberlistMembershipOptions
  readonly #listeners = new Listeners<MemberEvent>()
  readonly #whenJoined: Promise<void>
  #resolveJoined = () => {}
  #joined = false
  #published: readonly string[] | undefined
  #joining = true
  #hold: Hold = { held: false, settled: false }
  #hears: (node: string) => boolean = () => false
  #watcher = () => {}
  #list: Memberlist | undefined
  #close: () => Promise<unknown> = async () => {}
  #joiner: Joiner | undefined
  #records: Records | undefined
  #unsubscribe = () => {}

  constructor(options: MemberlistMembershipOptions) {
    this.#options = options
    this.#whenJoined = new Promise(resolve => {
      this.#resolveJoined = resolve
    })
  }

  async start(): Promise<void> {
    const { peers, open, streams, address, port, clock, log, keyring, node, config, random, metrics } = this.#options
    if (keyring === undefined)
      log.warn({ op: 'startup', warning: 'no ml-secret-key set, memberlist traffic will not be encrypted' })
    const refused = new RefusedPackets('memberlist', { clock, log, ...(metrics && { metrics }) })
    const tooMany = { code: 'RATE_LIMITED', detail: 'more packets than a peer sends', times: 1 }
    const refuse = (from: string) => refused.note({ ...tooMany, from })
    const knows = (from: string) => this.#joiner?.expects(from) || this.#look().addresses.has(from)
    const socket = limited(await open(), { clock, knows, refuse })
    const listener = await streams
      .listen({ address, port }, stream => this.#list?.accept(stream))
      .catch(async error => {
        await socket.close()
        throw error
      })
    this.#close = () => Promise.all([socket.close(), listener.close()])
    const identity = { name: node, address, port, config, clock, random, socket, connect: streams.connect }
    const hooks = {
      log: log.with({ component: 'Memberlist' }),
      event: (event: MemberEvent) => this.#tell(event),
      changed: () => this.#watcher(),
      refused: (code: string) => refused.count(code),
    }
    const judge = {
      isFast: (meta: Uint8Array) => readMeta(meta).fast,
      acceptsName: (text: string) => NODE_NAME.test(text),
      hears: (name: string) => this.#hears(name),
    }
    const list = new Memberlist({ ...identity, ...hooks, ...judge, meta: this.#meta }, keyring)
    this.#list = list
    list.start()
    const joiner = this.#composeJoiner(list)
    this.#joiner = joiner
    this.#unsubscribe = followSpeakers(peers, node, addresses => joiner.discover(addresses))
  }

  #composeJoiner(list: Memberlist): Joiner {
    const { address: own, port, config, clock, random, log, metrics } = this.#options
    const failures = metrics?.counter({
      name: 'metallb_memberlist_join_failures_total',
      help: 'Number of times a speaker could not be joined',
    })
    return new Joiner({
      ...{ own, clock, random, log, fast: config.fast !== undefined, timeoutMs: config.tcpTimeoutMs },
      present: () => this.#look().addresses,
      join: (address, withinMs) => list.join(address, port, withinMs),
      joined: () => this.#setJoined(),
      failed: count => failures?.inc({}, count),
    })
  }

  /** Says that this speaker leaves, then closes. */
  async stop(): Promise<void> {
    const { log } = this.#options
    const list = this.#list
    if (list === undefined) return
    this.#joiner?.stop()
    this.#unsubscribe()
    log.info({ op: 'shutdown', msg: 'leaving memberlist cluster' })
    await list.leave(LEAVE_MS)
    log.info({ op: 'shutdown', msg: 'left memberlist cluster' })
    this.#list = undefined
    list.shutdown()
    await this.#close()
    log.info({ op: 'shutdown', msg: 'memberlist shutdown' })
  }

  ready(): true | string {
    return this.#joined || 'waiting to join the other speakers'
  }

  /** Alive and suspect nodes, also those that cannot announce yet. The same object as long as nothing is another. */
  present(): ReadonlyMap<string, ListedMember> {
    return this.#look().present
  }

  /** Nodes that are gone, and whether they said so; until they are forgotten. */
  gone(): ReadonlyMap<string, 'left' | 'dead'> {
    return this.#look().gone
  }

  /** 0 is well; higher is a node that others do not answer (Lifeguard). */
  get health(): number {
    return this.#list?.health ?? 0
  }

  get joined(): boolean {
    return this.#joined
  }

  whenJoined(): Promise<void> {
    return this.#whenJoined
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Called when `present` or `gone` answers something else, also where that is no event, as with a suspicion. */
  watch(watcher: () => void): void {
    this.#watcher = watcher
  }

  rejoin(): void {
    this.#joiner?.rejoin()
  }

  activate(): void {
    this.#joining = false
    if (this.#list !== undefined) this.#list.meta = this.#meta
  }

  /** What `publishable` leaves of this node's usable interfaces. */
  publish(interfaces: readonly string[] | undefined): void {
    this.#published = interfaces
    if (this.#list !== undefined) this.#list.meta = this.#meta
  }

  /** What the others are told of this speaker's hold (IMP-4). */
  set hold(hold: Hold) {
    this.#hold = hold
    if (this.#list !== undefined) this.#list.meta = this.#meta
  }

  /** Whether another protocol hears the node right now. */
  set hears(hears: (node: string) => boolean) {
    this.#hears = hears
  }

  /** New keys, from the next packet on (IMP-20). */
  set keyring(keyring: Keyring | undefined) {
    if (this.#list !== undefined) this.#list.keyring = keyring
  }

  get #meta(): Uint8Array {
    const { config, heartbeats = false } = this.#options
    const said = { fast: config.fast !== undefined, heartbeats, joining: this.#joining }
    return writeMeta({ ...said, ...this.#hold, interfaces: this.#published })
  }

  /** Made anew only where memberlist knows something else. */
  #look(): Records {
    const list = this.#list
    if (list === undefined) return NOTHING
    if (this.#records?.version !== list.version) this.#records = recordsOf(list)
    return this.#records
  }

  #setJoined(): void {
    if (this.#joined) return
    this.#joined = true
    this.#resolveJoined()
  }

  #tell(event: MemberEvent): void {
    const { node, address, kind } = event
    const fields = { 'node addr': address, 'node name': node, 'node event': kind }
    this.#options.log.info({ msg: 'node event - forcing sync', ...fields })
    this.#listeners.tell(event)
  }
}

/** What memberlist knows, as the rules read it. */
interface Records {
  readonly version: number
  readonly present: ReadonlyMap<string, ListedMember>
  readonly gone: ReadonlyMap<string, 'left' | 'dead'>
  /** Of those present. */
  readonly addresses: ReadonlySet<string>
}

const NOTHING: Records = { version: 0, present: new Map(), gone: new Map(), addresses: new Set() }

function recordsOf(list: Memberlist): Records {
  const present = new Map<string, ListedMember>()
  const gone = new Map<string, 'left' | 'dead'>()
  for (const { name, address, state, meta } of list.members()) {
    const { fast: _, ...said } = readMeta(meta)
    if (state === 'left' || state === 'dead') gone.set(name, state)
    else present.set(name, { ...said, address: formatAddress(address), suspect: state === 'suspect' })
  }
  const addresses = new Set([...present.values()].map(({ address }) => address))
  return { version: list.version, present, gone, addresses }
}
