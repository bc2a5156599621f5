import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import type {
  Clock,
  DatagramSocket,
  Logger,
  MemberEvent,
  Membership,
  Metrics,
  Random,
  StreamPort,
  Task,
  Timer,
} from '../../ports/index.ts'
import { type Keyring, Memberlist, type MemberlistConfig } from '../../protocols/memberlist/index.ts'
import { followSpeakers, type Peers } from './discovery.ts'
import type { Hold } from './hold-down.ts'
import { limited } from './limited.ts'
import { publishable, readMeta, writeMeta } from './meta.ts'
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
  /** Counts refused packets. */
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

/** Without any discovery the first join is given up for the start (IMP-1). */
const DISCOVERY_MS = 5000
/** Speakers that are no members are joined again after this time, and complained about more rarely. */
const REJOIN_MS = { fast: 1000, usual: 5000 }
/** Between our own speakers a join takes milliseconds: a healed partition is not waited for longer than this. */
const FAST_JOIN_MS = 1500
const COMPLAIN_EVERY_MS = 60_000
const LEAVE_MS = 1000
/** Joins at the same time. */
const AT_ONCE = 8
/** A DNS subdomain name (RFC 1123), as node names are (IMP-22). */
const NODE_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Which speakers live, from memberlist: our own and reference speakers in one cluster (chapter 03 section 4). */
export class MemberlistMembership implements Membership, Task {
  readonly name = 'memberlist'
  readonly #options: MemberlistMembershipOptions
  readonly #listeners = new Set<(event: MemberEvent) => void>()
  readonly #whenJoined: Promise<void>
  #resolveJoined = () => {}
  #joined = false
  #published: readonly string[] | undefined
  #joining = true
  #hold: Hold = { held: false, settled: false }
  #hears: (node: string) => boolean = () => false
  #list: Memberlist | undefined
  #close: () => Promise<unknown> = async () => {}
  #addresses: ReadonlySet<string> | undefined
  #busy = false
  #again = false
  #complainedMs: number | undefined
  #timer: Timer | undefined
  #limit: Timer | undefined
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
    const socket = limited(await open(), { clock, knows: from => this.#knows(from), refuse })
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
      refused: (code: string) => refused.count(code),
    }
    const judge = {
      isFast: (meta: Uint8Array) => readMeta(meta).fast,
      acceptsName: (text: string) => NODE_NAME.test(text),
      hears: (name: string) => this.#hears(name),
    }
    this.#list = new Memberlist({ ...identity, ...hooks, ...judge, meta: this.#meta }, keyring)
    this.#list.start()
    this.#limit = clock.after(DISCOVERY_MS, () => this.#setJoined())
    this.#unsubscribe = followSpeakers(peers, node, addresses => this.#discover(addresses))
  }

  /** Says that this speaker leaves, then closes. */
  async stop(): Promise<void> {
    const { log } = this.#options
    const list = this.#list
    if (list === undefined) return
    for (const timer of [this.#timer, this.#limit]) timer?.cancel()
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

  members(): ReadonlySet<string> {
    const counted = [...this.present()].filter(([, { joining }]) => !joining)
    return new Set([this.#options.node, ...counted.map(([name]) => name)])
  }

  /** Alive and suspect nodes, also those that cannot announce yet. */
  present(): ReadonlyMap<string, ListedMember> {
    const members = this.#list?.present() ?? []
    return new Map(
      members.map(({ name, address, state, meta }) => {
        const { fast: _, ...said } = readMeta(meta)
        return [name, { ...said, address: formatAddress(address), suspect: state === 'suspect' }]
      }),
    )
  }

  /** Nodes that are gone, and whether they said so; until they are forgotten. */
  gone(): ReadonlyMap<string, 'left' | 'dead'> {
    const records = this.#list?.members() ?? []
    return new Map(records.flatMap(({ name, state }) => (state === 'left' || state === 'dead' ? [[name, state]] : [])))
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
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  rejoin(): void {
    const msg = this.#busy ? 'previous discovery in progress - doing nothing' : 'triggering discovery'
    this.#options.log.debug({ op: 'memberDiscovery', msg })
    void this.#join()
  }

  activate(): void {
    this.#joining = false
    if (this.#list !== undefined) this.#list.meta = this.#meta
  }

  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    const published = [...this.present()].filter(([, { joining }]) => !joining)
    return new Map(
      published.flatMap(([node, { interfaces }]) => (interfaces === undefined ? [] : [[node, new Set(interfaces)]])),
    )
  }

  publish(interfaces: readonly string[] | undefined): void {
    this.#published = publishable(interfaces)
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

  #knows(address: string): boolean {
    return this.#addresses?.has(address) || this.#presentAddresses().includes(address)
  }

  #discover(addresses: ReadonlySet<string>): void {
    const before = this.#addresses
    this.#addresses = addresses
    const fresh = [...addresses].some(address => !before?.has(address))
    if (before === undefined || fresh) void this.#join()
  }

  /** Joins every known speaker that is no member; one round at a time. */
  async #join(): Promise<void> {
    if (this.#addresses === undefined || this.#list === undefined) return
    if (this.#busy) {
      this.#again = true
      return
    }
    this.#busy = true
    this.#timer?.cancel()
    const targets = this.#missing()
    const failures = await this.#joinAll(targets)
    this.#busy = false
    if (this.#list === undefined) return // stopped meanwhile
    if (targets.length > 0) this.#report(targets.length, failures)
    this.#setJoined()
    const again = this.#again
    this.#again = false
    const pauseMs = this.#options.config.fast ? REJOIN_MS.fast : REJOIN_MS.usual
    this.#timer = this.#options.clock.after(again ? 0 : pauseMs, () => void this.#join())
  }

  /** Addresses of speakers that are no members (IMP-18). */
  #missing(): Address[] {
    const own = formatAddress(this.#options.address)
    const present = new Set([own, ...this.#presentAddresses()])
    const known = [...(this.#addresses ?? [])].map(parseAddress).filter(address => address !== undefined)
    return known.filter(address => !present.has(formatAddress(address)))
  }

  #presentAddresses(): string[] {
    return [...this.present().values()].map(({ address }) => address)
  }

  async #joinAll(targets: readonly Address[]): Promise<string[]> {
    const failures: string[] = []
    const waiting = [...targets]
    const worker = async () => {
      for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
        const text = formatAddress(target)
        if (this.#presentAddresses().includes(text)) continue // known since from another one's answer
        const { port, config } = this.#options
        const joined = this.#list?.join(target, port, config.fast ? FAST_JOIN_MS : config.tcpTimeoutMs)
        await joined?.catch(error => failures.push(`${text}: ${(error as Error).message}`))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return failures
  }

  #report(expected: number, failures: readonly string[]): void {
    const { log, clock } = this.#options
    const now = clock.monotonic()
    if (failures.length === 0) {
      this.#complainedMs = undefined
      const others = (this.#list?.present().length ?? 1) - 1
      log.info({ op: 'Member detection', msg: 'memberlist join successfully', 'number of other nodes': others })
      return
    }
    const joined = expected - failures.length
    const fields = { op: 'memberDiscovery', msg: 'partial join', joined, expected, error: failures.join('; ') }
    if (this.#complainedMs !== undefined && now - this.#complainedMs < COMPLAIN_EVERY_MS) {
      log.debug(fields)
      return
    }
    this.#complainedMs = now
    log.error(fields)
  }

  #setJoined(): void {
    this.#limit?.cancel()
    if (this.#joined) return
    this.#joined = true
    this.#resolveJoined()
  }

  #tell(event: MemberEvent): void {
    const { node, address, kind } = event
    const fields = { 'node addr': address, 'node name': node, 'node event': kind }
    this.#options.log.info({ msg: 'node event - forcing sync', ...fields })
    for (const listener of this.#listeners) listener(event)
  }
}
