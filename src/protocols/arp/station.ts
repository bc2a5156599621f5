/**
 * Everything a node says in ARP: a responder on each interface that may have one, the table of addresses, and the
 * announcements. No loop, clock or socket of its own: the caller brings links, frames and the time.
 */
import { formatAddress, type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import type { Link, NetworkInterface, Random } from '../../ports/index.ts'
import { arpIneligible, decodeFrame, MINIMUM_FRAME } from '../ethernet/index.ts'
import { Announcer } from './announcer.ts'
import { decodeArp, REPLY, REQUEST } from './packet.ts'
import { answer, answeredIp, type Claim, claimed, matches, type Responder, writeGratuitous } from './responder.ts'

/** Counters of one address, side by side at `slot * COUNTERS`. */
export const RECEIVED = 0
export const SENT = 1
export const GRATUITOUS = 2
export const COUNTERS = 3

export type StationEvent =
  | { readonly kind: 'created' | 'deleted'; readonly interface: string }
  | Failure
  | { readonly kind: 'answered' | 'ignored'; readonly exchange: Exchange }
  | { readonly kind: 'replyFailed'; readonly exchange: Exchange; readonly error: Error }
  | Conflict

export interface Failure {
  readonly kind: 'createFailed' | 'gratuitousFailed'
  readonly interface: string
  readonly error: Error
  readonly ip?: string
}

/** Another host says that an announced address is its own. */
export interface Conflict {
  readonly kind: 'conflict'
  readonly exchange: Exchange
}

export interface Exchange {
  readonly interface: string
  /** The announced address. */
  readonly ip: string
  readonly senderIP: string
  readonly senderMAC: Mac
  readonly responseMAC: Mac
}

export interface StationOptions<L extends Link> {
  /** @throws where the interface cannot be opened; it is tried again at the next `retry`. */
  open(link: NetworkInterface): L
  excluded(name: string): boolean
  report(event: StationEvent): void
  /** COUNTERS numbers for each slot, only ever added to. */
  counts: Uint32Array
  /** Whether answered and ignored requests are reported too. */
  verbose: boolean
  /** Milliseconds between refreshing announcements, 0 for none. */
  refreshMs: number
  random: Random
}

interface Attachment<L> extends Responder {
  readonly link: L
  name: string
  mac: Uint8Array
  /** Up and with carrier: what is sent arrives. */
  alive: boolean
}

export class ArpStation<L extends Link> {
  readonly #options: StationOptions<L>
  readonly #attachments = new Map<number, Attachment<L>>()
  readonly #announcer: Announcer<number>
  readonly #claims = new Map<number, Claim>()
  readonly #reply = new Uint8Array(MINIMUM_FRAME)
  #interfaces: readonly NetworkInterface[] = []
  #failed = false

  constructor(options: StationOptions<L>) {
    this.#options = options
    this.#announcer = new Announcer(options.refreshMs, options.random)
  }

  /** True where an interface could not be opened: `retry` later. */
  get failed(): boolean {
    return this.#failed
  }

  /** What is open, by index of the interface. */
  get links(): ReadonlyMap<number, L> {
    return new Map([...this.#attachments].map(([index, { link }]) => [index, link]))
  }

  setInterfaces(interfaces: readonly NetworkInterface[], nowMs: number): void {
    this.#interfaces = interfaces
    this.retry(nowMs)
  }

  /** Opens what should be open and closes what should not. One interface that fails does not touch the others. */
  retry(nowMs: number): void {
    this.#failed = false
    const eligible = this.#interfaces.filter(link => arpIneligible(link, this.#options.excluded) === undefined)
    const indices = new Set(eligible.map(({ index }) => index))
    for (const index of this.#attachments.keys()) if (!indices.has(index)) this.#detach(index)
    for (const link of eligible) {
      const attachment = this.#attachments.get(link.index)
      if (attachment === undefined) this.#attach(link, nowMs)
      else this.#follow(attachment, link, nowMs)
    }
  }

  /** Addresses that are new or answered on other interfaces than before, and those that are no longer announced. */
  change(set: Iterable<[ip: number, claim: Claim]>, removed: Iterable<number>, nowMs: number): void {
    for (const ip of removed) {
      this.#claims.delete(ip)
      for (const index of this.#attachments.keys()) this.#announcer.drop(index, ip)
    }
    for (const [ip, claim] of set) {
      this.#claims.set(ip, claim)
      for (const [index, attachment] of this.#attachments) this.#want(index, attachment, ip, claim, nowMs)
    }
  }

  /** Every address is announced again: others may have believed somebody else. */
  reannounce(nowMs: number): void {
    for (const index of this.#attachments.keys()) this.#announcer.restart(index, nowMs)
  }

  /** One frame that arrived on the interface. */
  receive(index: number, frame: Uint8Array, length: number): void {
    const attachment = this.#attachments.get(index)
    if (attachment === undefined) return
    const claims = this.#claims
    const verdict = answer(frame, length, attachment, claims, this.#reply)
    if (verdict === 'answer') {
      const slot = COUNTERS * claims.get(answeredIp(this.#reply))!.slot
      this.#options.counts[slot + RECEIVED]!++
      if (this.#send(attachment, frame)) this.#options.counts[slot + SENT]!++
    } else if (verdict === 'notMatchInterface' && this.#options.verbose) {
      this.#options.report({ kind: 'ignored', exchange: exchange(frame, attachment, 'targetIp') })
    }
    if (claimed(frame, length, attachment, claims) !== undefined) this.#suspect(frame, attachment)
  }

  /** Sends what is due, at most `limit` pairs so that requests are answered in between. */
  announce(nowMs: number, limit: number): void {
    for (let count = 0; count < limit; count++) {
      const due = this.#announcer.take(nowMs)
      if (due === undefined) return
      const attachment = this.#attachments.get(due.link)
      const claim = this.#claims.get(due.key)
      if (attachment?.alive && claim !== undefined) this.#announcePair(attachment, due.key, claim)
    }
  }

  /** When `announce` has something to do next, undefined for never. */
  nextAt(): number | undefined {
    return this.#announcer.nextAt()
  }

  close(): void {
    for (const index of this.#attachments.keys()) this.#detach(index)
  }

  #attach(link: NetworkInterface, nowMs: number): void {
    try {
      const mac = macBytes(link.mac!)
      const attachment = { link: this.#options.open(link), name: link.name, mac, alive: link.carrier }
      this.#attachments.set(link.index, attachment)
      this.#options.report({ kind: 'created', interface: link.name })
      this.#wantAll(link.index, attachment, nowMs)
    } catch (error) {
      this.#failed = true
      this.#options.report({ kind: 'createFailed', interface: link.name, error: error as Error })
    }
  }

  #detach(index: number): void {
    const attachment = this.#attachments.get(index)!
    attachment.link.close()
    this.#attachments.delete(index)
    this.#announcer.forget(index)
    this.#options.report({ kind: 'deleted', interface: attachment.name })
  }

  /** Name, MAC and carrier of an interface may change while it stays the same one (IMP-11). */
  #follow(attachment: Attachment<L>, link: NetworkInterface, nowMs: number): void {
    const mac = macBytes(link.mac!)
    const restart = (link.carrier && !attachment.alive) || mac.some((byte, at) => byte !== attachment.mac[at])
    const renamed = attachment.name !== link.name
    attachment.name = link.name
    attachment.mac = mac
    attachment.alive = link.carrier
    if (renamed) this.#wantAll(link.index, attachment, nowMs)
    if (restart) this.#announcer.restart(link.index, nowMs)
  }

  #wantAll(index: number, attachment: Attachment<L>, nowMs: number): void {
    for (const [ip, claim] of this.#claims) this.#want(index, attachment, ip, claim, nowMs)
  }

  #want(index: number, attachment: Attachment<L>, ip: number, claim: Claim, nowMs: number): void {
    if (matches(claim, attachment.name)) this.#announcer.want(index, ip, nowMs)
    else this.#announcer.drop(index, ip)
  }

  #send(attachment: Attachment<L>, request: Uint8Array): boolean {
    const { report, verbose } = this.#options
    try {
      attachment.link.send(this.#reply)
      if (verbose) report({ kind: 'answered', exchange: exchange(request, attachment, 'targetIp') })
      return true
    } catch (error) {
      report({ kind: 'replyFailed', exchange: exchange(request, attachment, 'targetIp'), error: error as Error })
      return false
    }
  }

  /** Both forms, because hosts differ in which of them they believe. */
  #announcePair(attachment: Attachment<L>, ip: number, { slot }: Claim): void {
    try {
      for (const operation of [REQUEST, REPLY]) {
        writeGratuitous(operation, attachment.mac, ip, this.#reply)
        attachment.link.send(this.#reply)
        this.#options.counts[COUNTERS * slot + GRATUITOUS]!++
      }
    } catch (error) {
      const event = {
        interface: attachment.name,
        ip: formatAddress({ family: 'ipv4', value: BigInt(ip >>> 0) }),
        error: error as Error,
      }
      this.#options.report({ kind: 'gratuitousFailed', ...event })
    }
  }

  /** Interfaces on one segment hear one another: only a MAC that is none of ours is somebody else. */
  #suspect(frame: Uint8Array, attachment: Attachment<L>): void {
    const found = exchange(frame, attachment, 'senderIp')
    if (this.#interfaces.some(({ mac }) => mac === found.senderMAC)) return
    this.#options.report({ kind: 'conflict', exchange: found })
  }
}

/** The packet in words, for reports; it has been found to be whole. */
function exchange(frame: Uint8Array, { name, mac }: Responder, announced: 'targetIp' | 'senderIp'): Exchange {
  const packet = decodeArp(decodeFrame(frame).payload)
  return {
    interface: name,
    ip: formatAddress(packet[announced]),
    senderIP: formatAddress(packet.senderIp),
    senderMAC: packet.senderMac,
    responseMAC: macFromBytes(mac),
  }
}
