/**
 * Everything a node says in one protocol of address resolution: a responder on each interface that may have one, the
 * table of addresses, and the announcements. No loop, clock or socket of its own: the caller brings links, frames and
 * the time, and a voice that knows the protocol.
 */
import type { Link, NetworkInterface, Random } from '../../ports/index.ts'
import { Announcer } from './announcer.ts'
import { Attachment } from './attachment.ts'
import { type Claim, matches, type Responder } from './claim.ts'
import type { DiscretionStep } from './discretion.ts'
import { ReplyQuota } from './reply-quota.ts'
import { Succession } from './succession.ts'
import type { Failure, Ignored, StationEvent, Voice } from './voice.ts'

/** Counters of one address, side by side at `slot * COUNTERS`. */
export const RECEIVED = 0
export const SENT = 1
export const GRATUITOUS = 2
export const COUNTERS = 3

export interface StationOptions<K, L extends Link> {
  voice: Voice<K>
  /** @throws where the interface cannot be opened; it is tried again at the next `retry`. */
  open(link: NetworkInterface): L
  /** Makes requests for the address reach the link, where that takes something. Harmless when repeated. @throws */
  watch?(link: L, key: K): void
  unwatch?(link: L, key: K): void
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

export class Station<K, L extends Link> {
  readonly #options: StationOptions<K, L>
  readonly #attachments = new Map<number, Attachment<L>>()
  readonly #announcer: Announcer<K>
  readonly #claims = new Map<K, Claim>()
  readonly #succession: Succession<K>
  readonly #quota = new ReplyQuota()
  #interfaces: readonly NetworkInterface[] = []
  #failed = false

  constructor(options: StationOptions<K, L>) {
    this.#options = options
    this.#announcer = new Announcer(options.refreshMs, options.random)
    this.#succession = new Succession({
      voice: options.voice,
      responderOf: link => this.#attachments.get(link),
      send: (link, frame) => this.#say(link, frame),
      reveal: (step, nowMs) => this.#reveal(step, nowMs),
      answer: (link, frame) => this.receive(link, frame, frame.length),
    })
  }

  /** True where an interface could not be opened or an address not watched: `retry` later. */
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
    const failed = this.#failed
    this.#failed = false
    const eligible = this.#interfaces.filter(
      link => this.#options.voice.ineligible(link, this.#options.excluded) === undefined,
    )
    const indices = new Set(eligible.map(({ index }) => index))
    for (const index of this.#attachments.keys()) if (!indices.has(index)) this.#detach(index)
    for (const link of eligible) {
      const attachment = this.#attachments.get(link.index)
      if (attachment === undefined) this.#attach(link, nowMs)
      else this.#follow(attachment, link, failed, nowMs)
    }
  }

  /** Own addresses of the nodes that claims are `after`, for this change and those that follow. */
  follow(predecessors: ReadonlyMap<string, readonly K[]>): void {
    this.#succession.know(predecessors)
  }

  /** This node stops: an address is no longer answered once a successor asked for it. */
  leave(): void {
    this.#succession.leave()
  }

  /** Whether each address has a successor, as far as that can be known. */
  get hasLeft(): boolean {
    return this.#options.voice.handover === undefined || this.#succession.hasLeft(this.#claims.keys())
  }

  /** Addresses that are new or answered on other interfaces than before, and those that are no longer announced. */
  change(set: Iterable<readonly [key: K, claim: Claim]>, removed: Iterable<K>, nowMs: number): void {
    for (const key of removed) this.#giveUp(key)
    for (const [key, claim] of set) {
      const isNew = !this.#claims.has(key)
      if (isNew) this.#succession.regain(key)
      this.#claims.set(key, claim)
      for (const [index, attachment] of this.#attachments) this.#want(index, attachment, key, claim, nowMs, isNew)
    }
  }

  /** One address is announced again, quiet or not: others may have believed somebody else. */
  reannounce(key: K, nowMs: number): void {
    const claim = this.#claims.get(key)
    for (const [index, { name }] of this.#attachments) {
      if (claim === undefined || !matches(claim, name)) continue
      this.#announcer.restart(index, nowMs, key)
      this.#announcer.want(index, key, nowMs)
    }
  }

  /** One frame that arrived on the interface. */
  receive(index: number, frame: Uint8Array, length: number): void {
    const attachment = this.#attachments.get(index)
    if (attachment === undefined) return
    const { voice, counts, verbose } = this.#options
    const { yielded } = this.#succession
    let verdict = voice.answer(frame, length, attachment, this.#claims)
    if (verdict === 'announceIP' && yielded.size > 0) verdict = voice.answer(frame, length, attachment, yielded)
    if (verdict === 'answer' && !this.#quota.take(frame)) verdict = 'rateLimited'
    if (verdict === 'answer') {
      if (this.#succession.withholds(index, voice.asked, frame, length)) return
      const slot = this.#claims.get(voice.asked)?.slot // of one that is yielded it may be another's by now
      const isSent = this.#send(attachment, frame, length)
      if (slot !== undefined) counts[COUNTERS * slot + RECEIVED]!++
      if (slot !== undefined && isSent) counts[COUNTERS * slot + SENT]!++
    } else {
      attachment.ignore(verdict)
      if (verdict === 'notMatchInterface' && verbose)
        this.#options.report({ kind: 'ignored', exchange: voice.exchange(frame, length, attachment, 'asked') })
      this.#succession.hear(index, frame, length)
    }
    if (voice.claimed(frame, length, attachment, this.#claims) !== undefined) this.#suspect(frame, length, attachment)
  }

  /** What was not answered since the last call; empty where nothing was. */
  takeIgnored(): Ignored[] {
    return [...this.#attachments.values()].flatMap(attachment => attachment.takeIgnored() ?? [])
  }

  /** Sends what is due, at most `limit` pairs so that requests are answered in between. */
  announce(nowMs: number, limit: number): void {
    this.#quota.setTime(nowMs)
    if (this.#succession.isActive) this.#succeed(nowMs, limit)
    for (let count = 0; count < limit; count++) {
      const due = this.#announcer.take(nowMs)
      if (due === undefined) return
      const attachment = this.#attachments.get(due.link)
      const claim = this.#claims.get(due.key)
      if (attachment?.alive && claim !== undefined) this.#announcePair(attachment, due.key, claim)
    }
  }

  #succeed(nowMs: number, limit: number): void {
    this.#succession.act(nowMs, limit)
    for (const key of this.#succession.takeYielded(nowMs))
      for (const [index, attachment] of this.#attachments) this.#drop(index, attachment, key)
  }

  /** When `announce` has something to do next, undefined for never. */
  nextAt(): number | undefined {
    const announce = this.#announcer.nextAt()
    const ask = this.#succession.nextAt()
    return announce === undefined || ask === undefined ? (announce ?? ask) : Math.min(announce, ask)
  }

  close(): void {
    for (const index of this.#attachments.keys()) this.#detach(index)
  }

  #attach(link: NetworkInterface, nowMs: number): void {
    try {
      const attachment = new Attachment(link, this.#options.open(link))
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
    this.#succession.forget(index)
    this.#options.report({ kind: 'deleted', interface: attachment.name })
  }

  #follow(attachment: Attachment<L>, link: NetworkInterface, failed: boolean, nowMs: number): void {
    const { isRenamed, isToBeLearned } = attachment.follow(link)
    const wasQuiet = isToBeLearned && this.#succession.end(link.index)
    if (isRenamed || failed || wasQuiet) this.#wantAll(link.index, attachment, nowMs)
    if (isToBeLearned) this.#announcer.restart(link.index, nowMs)
  }

  #wantAll(index: number, attachment: Attachment<L>, nowMs: number): void {
    for (const [key, claim] of this.#claims) this.#want(index, attachment, key, claim, nowMs)
  }

  #want(index: number, attachment: Attachment<L>, key: K, claim: Claim, nowMs: number, isNew = false): void {
    if (matches(claim, attachment.name)) {
      this.#watch('watch', attachment, key)
      const isQuiet = this.#succession.covers(index, key, claim, isNew, nowMs)
      if (!isQuiet) this.#announcer.want(index, key, nowMs)
    } else this.#drop(index, attachment, key)
  }

  /** Where somebody asks for the address it is answered until the next question. */
  #giveUp(key: K): void {
    const claim = this.#claims.get(key)
    this.#claims.delete(key)
    const yielded = claim && this.#succession.yield(key, claim)
    for (const [index, attachment] of this.#attachments)
      if (yielded?.has(index)) this.#announcer.drop(index, key)
      else this.#drop(index, attachment, key)
  }

  #drop(index: number, attachment: Attachment<L>, key: K): void {
    this.#watch('unwatch', attachment, key)
    this.#announcer.drop(index, key)
    this.#succession.drop(index, key)
  }

  #watch(what: 'watch' | 'unwatch', attachment: Attachment<L>, key: K): void {
    try {
      this.#options[what]?.(attachment.link, key)
    } catch (error) {
      this.#failed = true
      this.#reportFailure(`${what}Failed`, attachment, key, error)
    }
  }

  #send(attachment: Attachment<L>, request: Uint8Array, length: number): boolean {
    const { voice, report, verbose } = this.#options
    try {
      attachment.link.send(voice.reply)
      if (verbose) report({ kind: 'answered', exchange: voice.exchange(request, length, attachment, 'asked') })
      return true
    } catch (error) {
      const exchange = voice.exchange(request, length, attachment, 'asked')
      report({ kind: 'replyFailed', exchange, error: error as Error })
      return false
    }
  }

  #announcePair(attachment: Attachment<L>, key: K, { slot }: Claim): void {
    const { voice, counts } = this.#options
    try {
      for (let place = 0; place < voice.frames; place++) {
        attachment.link.send(voice.gratuitous(place, key, attachment))
        counts[COUNTERS * slot + GRATUITOUS]!++
      }
    } catch (error) {
      this.#reportFailure('gratuitousFailed', attachment, key, error)
    }
  }

  #reveal({ link, node, reason }: DiscretionStep<K> & { kind: 'end' }, nowMs: number): void {
    const attachment = this.#attachments.get(link)
    if (attachment === undefined) return
    const claims = [...this.#claims].filter(
      ([, claim]) => claim.after?.includes(node) && matches(claim, attachment.name),
    )
    for (const [key, claim] of claims) this.#want(link, attachment, key, claim, nowMs)
    const event = { kind: 'revealed', interface: attachment.name, node, reason, addresses: claims.length } as const
    this.#options.report(event)
  }

  #say(link: number, frame: Uint8Array): void {
    try {
      this.#attachments.get(link)?.link.send(frame)
    } catch {
      // As good as lost on the way.
    }
  }

  #reportFailure(kind: Failure['kind'], { name }: Responder, key: K, error: unknown): void {
    this.#options.report({ kind, interface: name, ip: this.#options.voice.text(key), error: error as Error })
  }

  /** Interfaces on one segment hear one another: only a MAC that is none of ours is somebody else. */
  #suspect(frame: Uint8Array, length: number, attachment: Attachment<L>): void {
    const exchange = this.#options.voice.exchange(frame, length, attachment, 'claimed')
    if (this.#interfaces.some(({ mac }) => mac === exchange.senderMAC)) return
    this.#options.report({ kind: 'conflict', exchange })
  }
}
