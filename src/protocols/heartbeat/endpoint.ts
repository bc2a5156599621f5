import { SourceLimit } from '../../core/source-limit.ts'
import type { DirectEvidence, Hmac } from '../../ports/index.ts'
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, HeartbeatError, type HeartbeatErrorCode } from './packet.ts'
import { type Effect, type RefusalCode, Roster } from './roster.ts'

/** Why a packet was not believed. */
export type Refusal = HeartbeatErrorCode | RefusalCode | 'RATE_LIMITED'

export interface EndpointOptions {
  readonly node: string
  /** Random, 64 bits, not 0. */
  readonly boot: bigint
  /** The own key first, then those that are going or coming; without any only discovered addresses are believed. */
  readonly hmacs: readonly Hmac[]
  readonly send: (data: Uint8Array, to: string) => void
  readonly refused?: (code: Refusal, from: string, detail: string) => void
}

/**
 * Of each known address, ten times what a peer sends; of everybody else, who may be any number, together as much. What
 * exceeds it costs no HMAC (IMP-22).
 */
const LIMIT = { perSecond: 200, burst: 200, most: 4096 }
const STRANGERS = ''

/** One speaker's heartbeats: bytes in, bytes out. The driver owns the socket and calls `tick` when it is due. */
export class Endpoint {
  readonly #options: EndpointOptions
  readonly #roster: Roster
  readonly #limit = new SourceLimit(LIMIT)
  #hmacs: readonly Hmac[]

  constructor(options: EndpointOptions, nowMs: number) {
    this.#options = options
    this.#hmacs = options.hmacs
    const { node, boot, hmacs } = options
    this.#roster = new Roster({ node, boot, authenticated: hmacs.length > 0 }, nowMs)
  }

  evidence(): ReadonlyMap<string, DirectEvidence> {
    return this.#roster.evidence()
  }

  /** Grows whenever the evidence says something else. */
  get changes(): number {
    return this.#roster.changes
  }

  /** When `tick` is due, monotonic milliseconds. */
  get nextMs(): number {
    return this.#roster.nextMs
  }

  /** From the next packet on. */
  set hmacs(hmacs: readonly Hmac[]) {
    this.#hmacs = hmacs
  }

  receive(data: Uint8Array, from: string, nowMs: number): void {
    const source = this.#roster.knows(from) ? from : STRANGERS
    if (!this.#limit.pass(source, nowMs)) {
      this.#refuse('RATE_LIMITED', from, 'more packets than a peer sends')
      return
    }
    const packet = this.#decode(data, from)
    if (packet !== undefined) this.#perform(this.#roster.receive(packet, from, nowMs))
  }

  tick(nowMs: number): void {
    this.#perform(this.#roster.tick(nowMs))
  }

  /** Addresses where speakers should be, own ones excluded. New ones are greeted at once. */
  discover(addresses: ReadonlySet<string>): void {
    this.#perform(this.#roster.discover(addresses))
  }

  /** A packet to everybody now. */
  greetAll(): void {
    this.#perform(this.#roster.greetAll())
  }

  activate(): void {
    this.#perform(this.#roster.activate())
  }

  publish(interfaces: readonly string[] | undefined): void {
    this.#perform(this.#roster.publish(interfaces))
  }

  hold(held: boolean): void {
    this.#perform(this.#roster.hold(held))
  }

  /** Says that this speaker leaves. UDP loses packets: say it more than once. */
  leave(): void {
    this.#perform(this.#roster.leave())
  }

  #decode(data: Uint8Array, from: string): Heartbeat | undefined {
    try {
      return decodeHeartbeat(data, ...this.#hmacs)
    } catch (error) {
      if (!(error instanceof HeartbeatError)) throw error
      this.#refuse(error.code, from, error.message)
      return undefined
    }
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects)
      if (effect.kind === 'send') this.#options.send(encodeHeartbeat(effect.packet, this.#hmacs[0]), effect.to)
      else this.#refuse(effect.code, effect.from, `node ${effect.node}`)
  }

  #refuse(code: Refusal, from: string, detail: string): void {
    this.#options.refused?.(code, from, detail)
  }
}
