/**
 * The responder's thread: one loop that sleeps in `poll` until a frame, a netlink message or the main thread wakes it.
 * The main thread may be blocked for as long as it likes. The sleep is finite because a thread that never returns from
 * `poll` would keep the process from ending.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { ArpVoice } from '../../protocols/arp/index.ts'
import { type Claim, type Conflict, ETHERTYPE_ARP, Station, type StationEvent } from '../../protocols/ethernet/index.ts'
import { NdpVoice } from '../../protocols/ndp/index.ts'
import { systemClock } from '../system/clock.ts'
import { systemRandom } from '../system/random.ts'
import type { Companion } from './companion.ts'
import { becomeRealtime, read, takeShortTurns } from './ffi.ts'
import {
  claimsOf,
  type FromWorker,
  isIPv4,
  isIPv6,
  type TableChange,
  type ToWorker,
  type WorkerSetup,
} from './layer2-messages.ts'
import { LineLimit } from './line-limit.ts'
import { NdpSocket } from './ndp-socket.ts'
import { NetlinkReader } from './netlink.ts'
import { HOST_AND_BROADCAST, PacketSocket } from './packet-socket.ts'
import { PollSet } from './poll-set.ts'
import { type Protocol, stationLine } from './station-log.ts'
import { RUN } from './supervision.ts'

const POLL_MS = 100
/** Places in the poll set. */
const WAKE = 0
const NETLINK = 1
const FIRST_SOCKET = 2
/** Interfaces that could not be opened are tried again. */
const RETRY_MS = 5000
/** How often the main thread is told what was not answered. */
const IGNORED_MS = 1000
/** How many frames of one interface are answered before the others are looked at. */
const DRAIN = 64
/** How many pairs are announced before requests are looked at. */
const ANNOUNCE = 8
const FRAME_BYTES = 256
const REALTIME_PRIORITY = 10
/** An answer takes a tenth of this. */
const TURN_NS = 100_000
const LINES_PER_SECOND = 100
/** A foreign claim is told of once in this time for each address and MAC; whoever invents MACs gets no further than this. */
const CLAIM_MS = 1000
const CLAIMANTS = 1000
/** Whoever takes over has this long to ask; and this long on further interfaces, once each address is taken over somewhere. */
const LEAVE_MS = 1000
const LAST_MS = 50

/** `companion` makes what runs beside the responder from its part of the worker's data. */
export function runLayer2Worker(companion: (data: unknown) => Companion | undefined = () => undefined): void {
  if (parentPort === null) throw new Error('the layer 2 responder runs in a worker thread')
  const setup: WorkerSetup = workerData
  new ResponderLoop(setup, parentPort, companion(setup.companion)).run()
}

/** A socket to read from, and who listens. */
interface Source {
  readonly station: Station<number, PacketSocket> | Station<bigint, NdpSocket>
  readonly index: number
  readonly socket: PacketSocket
}

class ResponderLoop {
  readonly #setup: WorkerSetup
  readonly #port: MessagePort
  readonly #companion: Companion | undefined
  #companionFds: readonly number[] = []
  readonly #netlink = new NetlinkReader()
  readonly #arp: Station<number, PacketSocket>
  readonly #ndp: Station<bigint, NdpSocket>
  readonly #stations: readonly (Station<number, PacketSocket> | Station<bigint, NdpSocket>)[]
  readonly #frame = Buffer.allocUnsafeSlow(FRAME_BYTES)
  readonly #wakeCount = new Uint8Array(8)
  readonly #limit = new LineLimit(LINES_PER_SECOND)
  readonly #claimLimit = new LineLimit(LINES_PER_SECOND)
  readonly #claims = new Map<string, { count: number; toldAt: number }>()
  #sockets: Source[] = []
  #descriptors = new PollSet([])
  #retryAt = Infinity
  #ignoredAt = 0
  #leftAt = Infinity
  #leaveUntil = Infinity

  constructor(setup: WorkerSetup, port: MessagePort, companion: Companion | undefined) {
    this.#setup = setup
    this.#port = port
    this.#companion = companion
    const { counts, exclusions, verbose, refreshMs } = setup
    const excluded = (name: string) => exclusions.some(pattern => pattern.test(name))
    const common = { excluded, counts, verbose, refreshMs, random: systemRandom }
    this.#arp = new Station({
      ...common,
      voice: new ArpVoice(),
      open: ({ index }) => new PacketSocket(index, ETHERTYPE_ARP, HOST_AND_BROADCAST),
      report: event => this.#report('ARP', event),
    })
    this.#ndp = new Station({
      ...common,
      voice: new NdpVoice(),
      open: ({ index }) => new NdpSocket(index),
      watch: (socket, address) => socket.watch(address),
      unwatch: (socket, address) => socket.unwatch(address),
      report: event => this.#report('NDP', event),
    })
    this.#stations = [this.#arp, this.#ndp]
  }

  run(): void {
    this.#schedule()
    this.#followInterfaces()
    try {
      while (Atomics.load(this.#setup.stop, 0) === RUN) this.#turn()
    } finally {
      for (const station of this.#stations) station.close()
      this.#netlink.close()
      this.#companion?.close()
    }
  }

  /** Once a packet or more: what it leaves to the collector, requests wait for. */
  #turn(): void {
    const descriptors = this.#descriptors
    const companionPlace = FIRST_SOCKET + this.#sockets.length
    const ready = descriptors.wait(this.#sleepMs())
    if (ready > 0) {
      for (let place = 0; place < this.#sockets.length; place++)
        if (descriptors.isReady(FIRST_SOCKET + place)) this.#drain(this.#sockets[place]!)
      if (descriptors.isReady(WAKE)) this.#readMessage()
      if (descriptors.isReady(NETLINK) && this.#netlink.read()) this.#followInterfaces()
    }
    const now = systemClock.monotonic()
    if (now >= this.#retryAt) this.#retry(now)
    this.#arp.announce(now, ANNOUNCE)
    this.#ndp.announce(now, ANNOUNCE)
    if (now >= this.#ignoredAt) this.#tellIgnored(now)
    if (this.#leaveUntil < Infinity) this.#followLeave(now)
    this.#companion?.turn(now, place => descriptors.isReady(companionPlace + place))
    if (this.#companion !== undefined && this.#companion.fds !== this.#companionFds) this.#watch()
  }

  #sleepMs(): number {
    const stations = Math.min(this.#arp.nextAt() ?? Infinity, this.#ndp.nextAt() ?? Infinity)
    const next = Math.min(stations, this.#companion?.nextMs ?? Infinity)
    return Math.min(POLL_MS, Math.max(0, Math.ceil(next - systemClock.monotonic())))
  }

  #drain({ station, index, socket }: Source): void {
    for (let count = 0; count < DRAIN; count++) {
      const length = socket.receive(this.#frame)
      if (length < 0) return
      station.receive(index, this.#frame, length)
    }
  }

  /** One at a time: the eventfd stays readable while there are more. */
  #readMessage(): void {
    read(this.#setup.wakeFd, this.#wakeCount, this.#wakeCount.length)
    const received = receiveMessageOnPort(this.#port) as { message: ToWorker } | undefined
    if (received === undefined) return
    const now = systemClock.monotonic()
    if (received.message.kind === 'reannounce') {
      const { key } = received.message
      if (isIPv4(key)) this.#arp.reannounce(key, now)
      else this.#ndp.reannounce(key, now)
    } else if (received.message.kind === 'leave') this.#leave(now)
    else {
      const { change, id } = received.message
      this.#change(change, now)
      if (id !== undefined) this.#post({ kind: 'applied', id })
    }
  }

  #change(change: TableChange, now: number): void {
    const claims = claimsOf(change)
    const ipv4 = claims.filter((entry): entry is [number, Claim] => isIPv4(entry[0]))
    const ipv6 = claims.filter((entry): entry is [bigint, Claim] => isIPv6(entry[0]))
    const targets = change.predecessors
    this.#arp.follow(new Map(targets.map(([node, keys]) => [node, keys.filter(isIPv4)])))
    this.#ndp.follow(new Map(targets.map(([node, keys]) => [node, keys.filter(isIPv6)])))
    this.#arp.change(ipv4, change.removed.filter(isIPv4), now)
    this.#ndp.change(ipv6, change.removed.filter(isIPv6), now)
    this.#noteFailures()
  }

  #leave(now: number): void {
    for (const station of this.#stations) station.leave()
    this.#leaveUntil = now + LEAVE_MS
    this.#post({ kind: 'leaving' })
  }

  #followLeave(now: number): void {
    if (this.#leftAt === Infinity && this.#stations.every(station => station.hasLeft)) this.#leftAt = now + LAST_MS
    if (now < Math.min(this.#leftAt, this.#leaveUntil)) return
    this.#leaveUntil = Infinity
    this.#post({ kind: 'left' })
  }

  #followInterfaces(): void {
    const interfaces = this.#netlink.current()
    for (const station of this.#stations) station.setInterfaces(interfaces, systemClock.monotonic())
    this.#watch()
    this.#post({ kind: 'interfaces', interfaces })
  }

  #retry(now: number): void {
    this.#retryAt = Infinity
    for (const station of this.#stations) station.retry(now)
    this.#watch()
  }

  #watch(): void {
    this.#noteFailures()
    this.#sockets = this.#stations.flatMap(station =>
      [...station.links].map(([index, socket]): Source => ({ station, index, socket })),
    )
    this.#companionFds = this.#companion?.fds ?? []
    this.#descriptors = new PollSet([
      this.#setup.wakeFd,
      this.#netlink.fd,
      ...this.#sockets.map(({ socket }) => socket.fd),
      ...this.#companionFds,
    ])
  }

  #noteFailures(): void {
    const failed = this.#stations.some(station => station.failed)
    this.#retryAt = failed ? Math.min(this.#retryAt, systemClock.monotonic() + RETRY_MS) : Infinity
  }

  #schedule(): void {
    takeShortTurns(TURN_NS)
    if (!this.#setup.realtime) return
    const msg = becomeRealtime(REALTIME_PRIORITY)
      ? 'the layer 2 responder runs with real-time scheduling'
      : 'real-time scheduling is not granted (CAP_SYS_NICE), the layer 2 responder runs like every other thread'
    this.#post({ kind: 'log', level: 'info', fields: { op: 'startup', msg } })
  }

  #report(protocol: Protocol, event: StationEvent): void {
    if (event.kind === 'conflict') this.#tellClaim(event)
    else {
      const suppressed = this.#limit.pass(systemClock.monotonic())
      if (suppressed === undefined) return
      const { level, fields } = stationLine(protocol, event)
      this.#post({ kind: 'log', level, fields: suppressed > 0 ? { ...fields, suppressed } : fields })
    }
  }

  #tellIgnored(now: number): void {
    this.#ignoredAt = now + IGNORED_MS
    const ignored = this.#stations.flatMap(station => station.takeIgnored())
    if (ignored.length > 0) this.#post({ kind: 'ignored', ignored })
  }

  #tellClaim({ exchange }: Conflict): void {
    const { ip, senderMAC: mac, interface: name } = exchange
    const now = systemClock.monotonic()
    const seen = this.#claimsBy(`${ip} ${mac}`)
    seen.count++
    if (now - seen.toldAt < CLAIM_MS || this.#claimLimit.pass(now) === undefined) return
    this.#post({ kind: 'claim', claim: { ip, mac, interface: name, count: seen.count } })
    seen.count = 0
    seen.toldAt = now
  }

  #claimsBy(claimant: string): { count: number; toldAt: number } {
    const known = this.#claims.get(claimant)
    if (known !== undefined) return known
    if (this.#claims.size >= CLAIMANTS) this.#claims.clear()
    const fresh = { count: 0, toldAt: -Infinity }
    this.#claims.set(claimant, fresh)
    return fresh
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message)
  }
}
