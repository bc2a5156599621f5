import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import type {
  Clock,
  DatagramSocket,
  Logger,
  MemberEvent,
  Random,
  Stream,
  StreamEvents,
  StreamPort,
} from '../../ports/index.ts'
import { Broadcasts } from './broadcasts.ts'
import type { MemberlistConfig, ProbeTiming } from './config.ts'
import type { EnvelopeOptions, Keyring } from './envelope/index.ts'
import { PacketError } from './errors.ts'
import { Gossip } from './gossip.ts'
import { addrBytes, addressOf, isPresent, type Member, sameBytes } from './member.ts'
import { Members } from './members.ts'
import {
  encodeMessage,
  type IndirectPing,
  type Message,
  type Ping,
  type PushPull,
  type Source,
} from './message/index.ts'
import { Packets } from './packets.ts'
import { Prober } from './prober.ts'
import { Streams } from './streams.ts'
import { incompatibility } from './versions.ts'

export interface MemberlistOptions {
  /** Own name. */
  readonly name: string
  /** Where others reach this node; they see it in one form only, 4 or 16 bytes. */
  readonly address: Address
  readonly port: number
  readonly config: MemberlistConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly socket: DatagramSocket
  readonly connect: StreamPort['connect']
  /** Told to everybody with this node's liveness, at most 512 bytes. */
  readonly meta?: Uint8Array
  /** Whether the meta of a node says that it keeps the fast timing. */
  readonly isFast?: (meta: Uint8Array) => boolean
  readonly acceptsName?: (name: string) => boolean
  /** Whether the node is heard right now in another way: it is not accused of silence, nor given up for it. */
  readonly hears?: (name: string) => boolean
  readonly label?: string
  /** [DMin, DMax, DCur] of an application on top. */
  readonly delegateVersions?: readonly [number, number, number]
  readonly event?: (event: MemberEvent) => void
  /** What `members` answers is another, also where that is no event, as with a suspicion. */
  readonly changed?: () => void
  /** A packet, or a message in one, was not believed. */
  readonly refused?: (code: string) => void
}

/** [PMin, PMax, PCur] */
const PROTOCOL = [1, 5, 2] as const
/** A name that is printable and no longer than a DNS name. */
const PRINTABLE = /^[!-~]{1,253}$/

/** One node of a memberlist cluster (chapter 03 section 4). It owns no socket and no clock: both come in. */
export class Memberlist {
  readonly #options: MemberlistOptions
  readonly #members: Members
  readonly #prober: Prober
  readonly #packets: Packets
  readonly #streams: Streams
  readonly #gossip: Gossip
  readonly #broadcasts = new Broadcasts()
  readonly #isFast: (meta: Uint8Array) => boolean
  #keyring: Keyring | undefined
  #meta: Uint8Array
  #stopped = false

  constructor(options: MemberlistOptions, keyring?: Keyring) {
    this.#options = options
    this.#keyring = keyring
    this.#meta = options.meta ?? new Uint8Array()
    this.#isFast = options.isFast ?? (() => false)
    const { name, port, config, clock, random, log, socket, hears = () => false } = options
    const timingOf = (member: Member) => this.#timingOf(member)
    this.#members = new Members({
      ...{ name, port, config, clock, log, timingOf, hears },
      acceptsName: options.acceptsName ?? (text => PRINTABLE.test(text)),
      broadcast: (subject, message, finished) => this.#broadcasts.add(subject, encodeMessage(message), finished),
      ...(options.changed && { changed: options.changed }),
      event: (kind, { name: node, address }) => options.event?.({ kind, node, address: formatAddress(address) }),
    })
    this.#packets = new Packets({
      ...{ socket, clock, log, config, broadcasts: this.#broadcasts, size: () => this.#members.size },
      envelope: () => this.#envelope,
      apply: (message, from, to) => this.#apply(message, from, to),
      ...(options.refused && { refused: options.refused }),
    })
    this.#prober = new Prober({
      ...{ clock, random, log, config, timingOf, hears, members: this.#members, source: this.#source },
      send: (to, messages) => this.#packets.send(to, messages),
      pingStream: ({ address, port: to }, ping, within, done) => this.#streams.ping(address, to, ping, within, done),
    })
    this.#streams = new Streams({
      ...{ clock, log, connect: options.connect, source: options.address, timeoutMs: config.tcpTimeoutMs },
      envelope: () => this.#envelope,
      state: join => ({ kind: 'pushPull', join, nodes: this.#members.state() }),
      merge: remote => this.#merge(remote),
      isForMe: ({ node }) => node === '' || node === name,
    })
    this.#gossip = new Gossip({
      ...{ name, clock, random, log, config, members: this.#members, hasNews: () => this.#broadcasts.size > 0 },
      sendNews: to => this.#packets.sendNews(to),
      pushPull: peer => this.#streams.pushPull(peer.address, peer.port, false, config.tcpTimeoutMs),
    })
  }

  /** This node lives from now on, alone until it joins or is joined. */
  start(): void {
    this.#announce()
    this.#packets.start()
    this.#prober.start()
    this.#gossip.start()
  }

  /** Exchanges everything with the node there. Rejects where that failed. */
  join(address: Address, port: number, withinMs = this.#options.config.tcpTimeoutMs): Promise<void> {
    return this.#streams.pushPull(address, port, true, withinMs)
  }

  /** For connections from other nodes. */
  accept(stream: Stream): StreamEvents | undefined {
    return this.#stopped ? undefined : this.#streams.accept(stream)
  }

  /** Says that this node leaves; resolves when that was said often enough, or after the time. It still answers. */
  leave(withinMs: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(resolve => {
      const others = this.members().some(({ name, state }) => state === 'alive' && name !== this.#options.name)
      const timer = clock.after(others ? withinMs : 0, resolve)
      this.#members.leave(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  /** Sends and answers nothing any more; the socket is closed by its owner. */
  shutdown(): void {
    this.#stopped = true
    this.#packets.stop()
    this.#gossip.stop()
    this.#prober.stop()
    this.#streams.stop()
    this.#members.stop()
  }

  /** Alive and suspect ones, self included. */
  present(): Member[] {
    return this.#members.all().filter(isPresent)
  }

  /** Every record, the gone ones too until they are forgotten. */
  members(): Member[] {
    return this.#members.all()
  }

  /** Another number whenever `members` answers something else. */
  get version(): number {
    return this.#members.version
  }

  get health(): number {
    return this.#members.health
  }

  /** New keys count from the next packet on (IMP-20). */
  set keyring(keyring: Keyring | undefined) {
    this.#keyring = keyring
  }

  /** Tells everybody. */
  set meta(meta: Uint8Array) {
    if (sameBytes(meta, this.#meta)) return
    this.#meta = meta
    this.#announce()
  }

  get #source(): Source {
    const { address, port, name } = this.#options
    return { sourceAddr: addrBytes(address), sourcePort: port, sourceNode: name }
  }

  get #envelope(): EnvelopeOptions {
    const { label = '', config, random } = this.#options
    return { label, compression: config.enableCompression, keyring: this.#keyring, random }
  }

  #announce(): void {
    const { address, port, delegateVersions = [0, 0, 0] } = this.#options
    const vsn = Uint8Array.from([...PROTOCOL, ...delegateVersions])
    this.#members.announce({ addr: addrBytes(address), port, vsn, meta: this.#meta })
  }

  #timingOf({ meta }: Member): ProbeTiming {
    const { config } = this.#options
    return config.fast !== undefined && this.#isFast(meta) ? config.fast : config
  }

  #apply(message: Message, from: string, port: number): void {
    const { kind } = message
    if (kind === 'ping') this.#answer(message, from, port)
    else if (kind === 'indirectPing') this.#help(message, from, port)
    else if (kind === 'ack') this.#prober.ack(message.seqNo)
    else if (kind === 'nack') this.#prober.nack(message.seqNo)
    else if (kind === 'alive') this.#members.alive(message)
    else if (kind === 'suspect') this.#members.suspect(message)
    else if (kind === 'dead') this.#members.dead(message)
    else if (kind !== 'user') throw new PacketError('UNKNOWN_TYPE', `${kind} in a packet`) // there is no delegate
  }

  #help(request: IndirectPing, from: string, port: number): void {
    const address = addressOf(request.target)
    const asker = returnPath(request, from, port)
    if (address === undefined || asker === undefined) return
    this.#prober.help(request, { address, port: request.port || this.#options.port }, asker)
  }

  #answer(ping: Ping, from: string, port: number): void {
    const { name, log } = this.#options
    if (ping.node !== '' && ping.node !== name) {
      log.warn({ msg: `memberlist: Got ping for unexpected node '${ping.node}'`, from })
      return
    }
    const to = returnPath(ping, from, port)
    if (to !== undefined) this.#packets.send(to, [{ kind: 'ack', seqNo: ping.seqNo }])
  }

  #merge(remote: PushPull): void {
    const reason = incompatibility([...this.#members.state(), ...remote.nodes])
    if (reason !== undefined) throw new Error(reason)
    this.#members.merge(remote.nodes)
  }
}

/** Where the answer goes: what the message says, else where the packet came from. */
function returnPath(
  { sourceAddr, sourcePort }: Source,
  from: string,
  port: number,
): Pick<Member, 'address' | 'port'> | undefined {
  const said = sourceAddr && sourcePort ? addressOf(sourceAddr) : undefined
  if (said !== undefined) return { address: said, port: sourcePort! }
  const address = parseAddress(from)
  return address && { address, port }
}
