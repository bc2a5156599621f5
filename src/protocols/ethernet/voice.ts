/** How a station speaks one protocol of address resolution, and what it reports. */
import type { Mac } from '../../core/ip/index.ts'
import type { NetworkInterface } from '../../ports/index.ts'
import type { Claim, Responder } from './claim.ts'
import type { Ineligible } from './eligibility.ts'
import type { VigilEnd } from './vigil.ts'

/** One protocol of address resolution, over addresses of type K. Called once a packet: it may reuse its buffers. */
export interface Voice<K> {
  ineligible(link: NetworkInterface, excluded: (name: string) => boolean): Ineligible | undefined
  /** Writes `reply` and sets `asked` where the verdict is 'answer'; other verdicts are reasons not to. */
  answer(frame: Uint8Array, length: number, responder: Responder, claims: ReadonlyMap<K, Claim>): string
  /** The frame the last 'answer' is, and the address it is for. */
  readonly reply: Uint8Array
  readonly asked: K
  /** The announced address, on this interface, that the sender of the frame says is its own. */
  claimed(frame: Uint8Array, length: number, responder: Responder, claims: ReadonlyMap<K, Claim>): K | undefined
  /** The frame in words: the address it asks for, or with 'sender' the address it claims. */
  exchange(frame: Uint8Array, length: number, responder: Responder, announced: 'asked' | 'claimed'): Exchange
  /** How many frames one announcement has, and the next of them. */
  readonly frames: number
  gratuitous(place: number, key: K, responder: Responder): Uint8Array
  /** Asks the host at `to`, or everybody, for an address of its own. */
  question(target: K, responder: Responder, to?: Mac): Uint8Array
  /** Who answers such a question, and which; undefined for frames of other kinds. */
  answerer(frame: Uint8Array, length: number): { readonly target: K; readonly mac: Mac } | undefined
  /** Absent where addresses are not handed over one by one. */
  readonly handover?: HandoverVoice<K>
  text(key: K): string
}

/** What two speakers say when one takes over from the other; every other host takes it for what hosts say anyway. */
export interface HandoverVoice<K> {
  /** So long after an address is claimed requests for it may not reach this node yet. */
  readonly settleMs: number
  /** "May I have it?" A speaker that does not let go answers as it answers everybody. */
  poll(key: K, to: Mac, question: Question, responder: Responder): Uint8Array
  pollOf(frame: Uint8Array, length: number): (Question & { readonly from: Mac }) | undefined
  /** "It is yours since you asked." */
  release(key: K, to: Mac, release: Release, responder: Responder): Uint8Array
  releaseOf(frame: Uint8Array, length: number): (Release & { readonly key: K; readonly from: Mac }) | undefined
  /** Tells requesters apart, as well as 24 bits can; never 0. */
  fingerprint(request: Uint8Array, length: number): number
}

export interface Question {
  /** Below 256. */
  readonly id: number
  /** "Soon": it is not to be let go yet. */
  readonly isEarly: boolean
}

export interface Release {
  /** Of the question. */
  readonly id: number
  /** Fingerprint of the last request for the address that was still answered; 0 where none was since the first question. */
  readonly last: number
}

export type StationEvent =
  | { readonly kind: 'created' | 'deleted'; readonly interface: string }
  | Failure
  | { readonly kind: 'answered' | 'ignored'; readonly exchange: Exchange }
  | { readonly kind: 'replyFailed'; readonly exchange: Exchange; readonly error: Error }
  | Conflict
  | Revealed

/** Addresses that were taken over quietly from the node are announced from now on. */
export interface Revealed {
  readonly kind: 'revealed'
  readonly interface: string
  readonly node: string
  readonly reason: VigilEnd
  readonly addresses: number
}

export interface Failure {
  readonly kind: 'createFailed' | 'gratuitousFailed' | 'watchFailed' | 'unwatchFailed'
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

/** Frames that were not answered on an interface, by reason. */
export interface Ignored {
  readonly interface: string
  readonly reasons: ReadonlyMap<string, number>
}
