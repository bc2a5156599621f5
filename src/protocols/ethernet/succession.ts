/** Taking over from a node that leaves, and leaving: vigils and hand-overs of a station, put into frames. */
import type { Mac } from '../../core/ip/index.ts'
import type { Claim, Responder } from './claim.ts'
import { Departure } from './departure.ts'
import { Discretion, type DiscretionStep } from './discretion.ts'
import { Handover, type HandoverStep } from './handover.ts'
import type { HandoverVoice, Voice } from './voice.ts'

export interface SuccessionOptions<K> {
  readonly voice: Voice<K>
  /** Undefined where the interface is gone. */
  readonly responderOf: (link: number) => Responder | undefined
  /** Whether it was sent does not matter: what is lost is said again. */
  readonly send: (link: number, frame: Uint8Array) => void
  /** Claims after the node are to be announced on the interface. */
  readonly reveal: (step: DiscretionStep<K> & { kind: 'end' }, nowMs: number) => void
  /** A request that was kept is this node's to answer. */
  readonly answer: (link: number, frame: Uint8Array) => void
}

export class Succession<K> {
  readonly #options: SuccessionOptions<K>
  readonly #discretion = new Discretion<K>()
  readonly #handover: Handover<K>
  #departure: Departure<K> | undefined
  readonly #yielded = new Map<K, Claim>()

  constructor(options: SuccessionOptions<K>) {
    this.#options = options
    const { settleMs } = options.voice.handover ?? {}
    this.#handover = new Handover<K>((link, node) => this.#discretion.whereabouts(link, node), settleMs)
  }

  /** Own addresses of the nodes that claims are after. */
  know(predecessors: ReadonlyMap<string, readonly K[]>): void {
    this.#discretion.know(predecessors)
  }

  /** Whether nobody on the interface is to be told of the claim. One that is new is asked for first. */
  covers(link: number, key: K, claim: Claim, isNew: boolean, nowMs: number): boolean {
    const covers = this.#discretion.covers(link, claim, nowMs)
    const [speaker] = claim.after ?? []
    if (speaker === undefined) this.#handover.abandon(link, key)
    else if (isNew && this.#options.voice.handover !== undefined) this.#handover.await(link, key, speaker, nowMs)
    return covers
  }

  drop(link: number, key: K): void {
    this.#handover.drop(link, key)
  }

  forget(link: number): void {
    this.#handover.forget(link)
    this.#discretion.forget(link)
  }

  /** Everything on the interface is to be told; answers whether anything was quiet. */
  end(link: number): boolean {
    return this.#discretion.end(link)
  }

  /** From now on whoever asks for an address gets it. */
  leave(): void {
    this.#departure ??= new Departure()
    this.#departure.isLeaving = true
  }

  /** Whether each of the addresses has a successor. */
  hasLeft(keys: Iterable<K>): boolean {
    return this.#departure?.isOver(keys) ?? false
  }

  /** The address was taken from this node. On which interfaces somebody asks for it, and is to find it answered until then. */
  yield(key: K, claim: Claim): ReadonlySet<number> {
    const links = this.#departure?.yield(key) ?? new Set<number>()
    const names = [...links].map(link => this.#options.responderOf(link)?.name ?? '')
    if (links.size > 0) this.#yielded.set(key, { ...claim, interfaces: new Set(names) })
    return links
  }

  /** The address is new to this node, or its own again. */
  regain(key: K): void {
    this.#departure?.regain(key)
    this.#yielded.delete(key)
  }

  /** Addresses that are answered although they are not announced any more. */
  get yielded(): ReadonlyMap<K, Claim> {
    return this.#yielded
  }

  /** Those that need not be any more. */
  takeYielded(nowMs: number): readonly K[] {
    const over = this.#departure?.over(nowMs) ?? []
    for (const key of over) this.#yielded.delete(key)
    return over
  }

  /** Whether a request for the address is not this node's to answer: not taken over yet, or let go. */
  withholds(link: number, key: K, frame: Uint8Array, length: number): boolean {
    const { handover } = this.#options.voice
    if (handover === undefined) return false
    if (this.#handover.isPending) {
      const fingerprint = handover.fingerprint(frame, length)
      if (this.#handover.keep(link, key, frame.subarray(0, length), fingerprint)) return true
    }
    return this.#isLetGo(link, key, frame, length, handover)
  }

  #isLetGo(link: number, key: K, frame: Uint8Array, length: number, handover: HandoverVoice<K>): boolean {
    const poll = handover.pollOf(frame, length)
    if (poll === undefined && this.#departure === undefined) return false
    this.#departure ??= new Departure()
    if (poll !== undefined) this.#departure.asks(link, key)
    if (poll !== undefined && !poll.isEarly && this.#departure.letsGo(link, key)) {
      const release = this.#departure.release(link, key, poll.id)
      this.#say(link, responder => handover.release(key, poll.from, release, responder))
      return true
    }
    if (this.#departure.has(link, key)) return true
    if (poll === undefined && this.#departure.mayLetGo(link, key))
      this.#departure.answers(link, key, handover.fingerprint(frame, length))
    return false
  }

  /** A frame that is no request: perhaps what was asked here is answered. */
  hear(link: number, frame: Uint8Array, length: number): void {
    if (!this.#discretion.isWatching) return
    const { voice } = this.#options
    const release = voice.handover?.releaseOf(frame, length)
    if (release !== undefined) this.#handover.released(link, release.key, release.from, release)
    const answerer = release === undefined ? voice.answerer(frame, length) : undefined
    if (answerer === undefined) return
    this.#discretion.heard(link, answerer.target, answerer.mac)
    this.#handover.stillAnswers(link, answerer.target, answerer.mac)
  }

  /** Whether there is something to `act` on, or addresses are yielded: asked before those two, once a packet. */
  get isActive(): boolean {
    return this.#discretion.isWatching || this.#handover.isPending || (this.#departure?.isAsked ?? false)
  }

  /** Does what is due. */
  act(nowMs: number, limit: number): void {
    for (const step of this.#discretion.take(nowMs))
      if (step.kind === 'ask') this.#ask(step.link, step.target, step.mac)
      else this.#options.reveal(step, nowMs)
    for (const step of this.#handover.take(nowMs, limit)) this.#handOver(step)
  }

  nextAt(): number | undefined {
    const ask = this.#discretion.nextAt()
    const poll = this.#handover.nextAt()
    return ask === undefined || poll === undefined ? (ask ?? poll) : Math.min(ask, poll)
  }

  #ask(link: number, target: K, to: Mac | undefined): void {
    this.#say(link, responder => this.#options.voice.question(target, responder, to))
  }

  #handOver(step: HandoverStep<K>): void {
    const { voice, answer } = this.#options
    if (step.kind === 'begin') for (const frame of step.requests) answer(step.link, frame)
    else this.#say(step.link, responder => voice.handover!.poll(step.key, step.to, step, responder))
  }

  #say(link: number, frame: (responder: Responder) => Uint8Array): void {
    const responder = this.#options.responderOf(link)
    if (responder !== undefined) this.#options.send(link, frame(responder))
  }
}
