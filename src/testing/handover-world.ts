import { type Mac, macBytes, parseAddress } from '../core/ip/index.ts'
import type { NetworkInterface, Random } from '../ports/index.ts'
import { ArpVoice, decodeArp, encodeArp, REPLY, REQUEST } from '../protocols/arp/index.ts'
import {
  COUNTERS,
  decodeFrame,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  encodeFrame,
  Station,
  type Voice,
} from '../protocols/ethernet/index.ts'
import { encodePacket, groupMac, type NdpMessage, NdpVoice, readFrame, solicitedNode } from '../protocols/ndp/index.ts'
import { FakeLink } from './fake-link.ts'

interface Host {
  readonly mac: Mac
  /** What its kernel answers for. */
  readonly ip: string
}

/** What a frame is to a test. */
interface Heard {
  readonly destination: Mac
  readonly source: Mac
  /** To this client, for the address. */
  readonly answers?: number
  readonly isGratuitous?: boolean
  /** A question of a hand-over, or the answer that lets go. */
  readonly isPoll?: boolean
  readonly isRelease?: boolean
  /** Asks for this address. */
  readonly asksFor?: bigint
}

/** One protocol of address resolution, as hosts without a speaker use it. */
export interface Dialect<K> {
  readonly name: string
  readonly vip: string
  readonly old: Host
  readonly new: Host
  voice(): Voice<K>
  key(ip: string): K
  /** A client asks everybody for the address. */
  ask(client: number): Uint8Array
  /** A kernel says to the one who asked that it has its own address. */
  own(host: Host, to: Mac): Uint8Array
  read(frame: Uint8Array): Heard
}

const numberOf = (ip: string) => parseAddress(ip)!.value
const clientMac = (client: number) => `02:00:00:00:01:${client.toString(16).padStart(2, '0')}` as Mac
const answered = (destination: Mac) =>
  destination.startsWith('02:00:00:00:01') ? { answers: Number.parseInt(destination.slice(-2), 16) } : {}
const OLD: Mac = '02:00:00:00:00:0a' as Mac
const NEW: Mac = '02:00:00:00:00:0b' as Mac
const BROADCAST: Mac = 'ff:ff:ff:ff:ff:ff' as Mac

export const ARP: Dialect<number> = {
  ...{ name: 'ARP', vip: '192.168.1.240' },
  ...{ old: { mac: OLD, ip: '192.168.1.10' }, new: { mac: NEW, ip: '192.168.1.11' } },
  voice: () => new ArpVoice(),
  key: ip => Number(numberOf(ip)) | 0,
  ask: client => arp(REQUEST, { mac: clientMac(client), ip: '192.168.1.35' }, ARP.vip, BROADCAST),
  own: (host, to) => arp(REPLY, host, '192.168.1.11', to),
  read: frame => {
    const { destination, source, payload } = decodeFrame(frame)
    const { operation, senderIp, targetIp, targetMac } = decodeArp(payload)
    const isMarked = targetMac.startsWith('4d:48')
    return {
      ...{ destination, source },
      ...(senderIp.value === numberOf(ARP.vip) && answered(destination)),
      isGratuitous: senderIp.value === numberOf(ARP.vip) && destination === BROADCAST,
      ...{ isPoll: isMarked && operation === REQUEST, isRelease: isMarked && operation === REPLY },
      ...(operation === REQUEST && { asksFor: targetIp.value }),
    }
  },
}

export const NDP: Dialect<bigint> = {
  ...{ name: 'NDP', vip: '2001:db8::f' },
  ...{ old: { mac: OLD, ip: '2001:db8::a' }, new: { mac: NEW, ip: '2001:db8::b' } },
  voice: () => new NdpVoice(),
  key: numberOf,
  ask: client => {
    const message = { kind: 'solicitation', target: numberOf(NDP.vip), linkLayer: clientMac(client) } as const
    const group = solicitedNode(message.target)
    return ndp(message, linkLocalOf(clientMac(client)), group, clientMac(client), groupMac(group))
  },
  own: (host, to) => {
    const flags = { router: false, solicited: true, override: true }
    const message = { kind: 'advertisement', target: numberOf(host.ip), ...flags, linkLayer: host.mac } as const
    return ndp(message, message.target, linkLocalOf(to), host.mac, to)
  },
  read: frame => {
    const received = readFrame(frame)!
    const { destination, source } = received.frame
    const { message } = received.packet
    const isAdvertised = message.kind === 'advertisement' && message.target === numberOf(NDP.vip)
    const hasOption = (units: number) => frame[86] === 253 && frame[87] === units
    return {
      ...{ destination, source },
      ...(isAdvertised && answered(destination)),
      isGratuitous: isAdvertised && destination === '33:33:00:00:00:01',
      ...{ isPoll: hasOption(1), isRelease: hasOption(3) },
      ...(message.kind === 'solicitation' && { asksFor: message.target }),
    }
  },
}

function arp(operation: number, sender: Host, target: string, destination: Mac): Uint8Array {
  const ips = { senderIp: parseAddress(sender.ip)!, targetIp: parseAddress(target)! }
  const payload = encodeArp({ operation, senderMac: sender.mac, targetMac: '00:00:00:00:00:00' as Mac, ...ips })
  return encodeFrame({ destination, source: sender.mac, etherType: ETHERTYPE_ARP, payload })
}

function ndp(message: NdpMessage, source: bigint, destination: bigint, from: Mac, to: Mac): Uint8Array {
  const payload = encodePacket({ source, destination, message })
  return encodeFrame({ destination: to, source: from, etherType: ETHERTYPE_IPV6, payload })
}

/** fe80:: and the MAC: good enough to tell hosts apart. */
function linkLocalOf(mac: Mac): bigint {
  return macBytes(mac).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) | (0xfe80n << 112n)
}

const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }

/** Two speakers and clients on one segment that delivers at once. */
export class HandoverWorld<K> {
  readonly dialect: Dialect<K>
  readonly key: K
  now = 0
  /** Who answered each client, in order: `CLIENT old` or `CLIENT new`. */
  readonly answers: string[] = []
  readonly old: ReturnType<HandoverWorld<K>['node']>
  readonly new: ReturnType<HandoverWorld<K>['node']>
  /** The old node's speaker runs; its kernel does. */
  oldSpeaks = true
  oldForwards = true
  /** Loses what it says so of. */
  cut: (heard: Heard) => boolean = () => false
  /** Frames so far. */
  gratuitous = 0
  polls = 0
  asked = 0

  /** The old one has the address, and has said so long ago. */
  constructor(dialect: Dialect<K>) {
    this.dialect = dialect
    this.key = dialect.key(dialect.vip)
    this.old = this.node(dialect.old)
    this.new = this.node(dialect.new)
    this.old.station.change([[this.key, { interfaces: 'all', slot: 0 }]], [], 0)
    this.run(5000)
    this.gratuitous = 0
  }

  node({ mac, ip }: Host) {
    const { left, right } = FakeLink.pair()
    const station = new Station<K, FakeLink>({
      ...{ voice: this.dialect.voice(), open: () => left, excluded: () => false, report: () => {}, verbose: false },
      ...{ counts: new Uint32Array(COUNTERS), refreshMs: 0, random: middling },
    })
    const addresses = [
      { address: parseAddress(ip)!, length: 24 },
      { address: { family: 'ipv6' as const, value: linkLocalOf(mac) }, length: 64 },
    ]
    const flags = { up: true, carrier: true, broadcast: true, noArp: false }
    const link: NetworkInterface = { index: 1, name: 'eth0', mac, addresses, ...flags }
    station.setInterfaces([link], 0)
    return { station, wire: right, mac }
  }

  takeOver(): void {
    this.new.station.follow(new Map([['old', [this.dialect.key(this.dialect.old.ip)]]]))
    this.new.station.change([[this.key, { interfaces: 'all', slot: 0, after: ['old'] }]], [], this.now)
  }

  /** Asks once a millisecond, a new client each time. */
  stream(ms: number): void {
    for (let count = 0; count < ms; count++) {
      this.#deliver(this.dialect.ask(this.asked++ % 256))
      this.run(1)
    }
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now++) {
      for (const { station } of [this.new, ...(this.oldSpeaks ? [this.old] : [])]) station.announce(this.now, 32)
      this.#settle()
    }
  }

  by(who: string): number {
    return this.answers.filter(answer => answer.endsWith(who)).length
  }

  /** The clients that were answered, in the order of their requests; each as often as it was. */
  get answered(): number[] {
    return this.answers.map(answer => Number.parseInt(answer, 10)).sort((a, b) => a - b)
  }

  #settle(): void {
    const buffer = new Uint8Array(256)
    for (let moved = true; moved; ) {
      moved = false
      for (const { wire } of [this.old, this.new]) {
        const length = wire.receive(buffer)
        if (length < 0) continue
        moved = true
        this.#deliver(buffer.slice(0, length))
      }
    }
  }

  #deliver(frame: Uint8Array): void {
    const heard = this.dialect.read(frame)
    if (this.cut(heard)) return
    const { destination, source, answers } = heard
    if (heard.isGratuitous) this.gratuitous++
    if (heard.isPoll) this.polls++
    if (answers !== undefined) this.answers.push(`${answers} ${source === OLD ? 'old' : 'new'}`)
    const isToAll = destination === BROADCAST || destination.startsWith('33:33')
    for (const { station, mac } of [this.old, this.new]) {
      if (source === mac || (destination !== mac && !isToAll)) continue
      if (mac === NEW || this.oldSpeaks) station.receive(1, frame, frame.length)
      const isForKernel = mac === OLD && this.oldForwards && heard.asksFor === numberOf(this.dialect.old.ip)
      if (isForKernel) this.#deliver(this.dialect.own(this.dialect.old, source))
    }
    this.#settle()
  }
}
