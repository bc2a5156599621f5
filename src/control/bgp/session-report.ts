import { formatPrefix, type Prefix } from '../../core/ip/index.ts'
import type { Logger } from '../../ports/index.ts'
import {
  type Agreed,
  type CloseReason,
  type Direction,
  describeClose,
  type Notification,
  type SessionStatus,
} from '../../protocols/bgp/index.ts'
import { SessionMetrics } from './metrics.ts'
import type { PeerContext } from './peer-context.ts'
import { type AddressedPeer, peerText, targetOf } from './settings.ts'
import { SignatureWatch, signatureNote } from './signatures.ts'

/** Prefixes named in one go where they cannot be sent. */
const LOGGED_PREFIXES = 10

export interface Unsent {
  readonly prefix: Prefix
  readonly why: string
}

/** What is said about the session with one BGPPeer: log lines, events, series, and why it ended last. */
export class SessionReport {
  readonly #context: PeerContext
  readonly #metrics: SessionMetrics
  readonly #signatures: SignatureWatch
  #peer: AddressedPeer
  #log: Logger
  #closedFor: string | undefined

  constructor(peer: AddressedPeer, context: PeerContext) {
    this.#context = context
    this.#peer = peer
    this.#log = this.#logOf(peer)
    this.#signatures = new SignatureWatch(context.streams)
    this.#metrics = new SessionMetrics(context.metrics, peer, context.sharers)
  }

  /** Why the last attempt or session ended, in words. */
  get closedFor(): string | undefined {
    return this.#closedFor
  }

  /** The BGPPeer has changed; the session goes on. */
  changed(peer: AddressedPeer): void {
    this.#peer = peer
    this.#log = this.#logOf(peer)
  }

  /** The session is no more. */
  remove(): void {
    this.#metrics.remove()
  }

  counts(status: SessionStatus): void {
    this.#metrics.show(status)
  }

  /** From time to time: what came and went without a word. */
  lookAt(status: SessionStatus): void {
    this.#metrics.show(status)
    this.#signatures.heard(Object.values(status.received).reduce((sum, count) => sum + count, 0))
    if (this.#peer.passive && status.state === 'active') this.#tellRejected()
  }

  established({ holdMs, families, peerAsn, longLived, wire }: Agreed, status: SessionStatus): void {
    const { local } = status
    this.#log.info({
      event: 'sessionUp',
      msg: 'BGP session established',
      holdTime: holdMs / 1000,
      families,
      peerASN: peerAsn,
      ...(this.#peer.longLivedStaleSeconds !== undefined && { longLived: longLived !== undefined }),
      ...(this.#peer.maxPaths !== undefined && { addPath: wire.addPath }),
      ...(local && { localAddress: peerText({ address: local.address }) }),
    })
    this.#event('Normal', 'bgpSessionUp', `BGP session of node "${this.#context.node}" established`)
    this.#metrics.established(this.#context.clock.now())
    this.#metrics.show(status)
  }

  closed(reason: CloseReason, established: boolean, status: SessionStatus): void {
    this.#metrics.show(status)
    const note = signatureNote(reason, targetOf(this.#peer), this.#signatures)
    const why = note === undefined ? describeClose(reason) : `${describeClose(reason)}: ${note}`
    this.#closedFor = why
    if (reason.kind === 'notification received')
      this.#log.error({ event: 'peerNotification', error: why, msg: 'peer sent notification, closing session' })
    if (established) {
      this.#metrics.flapped()
      this.#log.warn({ event: 'sessionDown', reason: why, msg: 'BGP session down' })
      if (reason.kind !== 'stopped')
        this.#event('Warning', 'bgpSessionDown', `BGP session of node "${this.#context.node}" is down: ${why}`)
    } else if (reason.kind !== 'stopped' && reason.kind !== 'collision lost')
      this.#log.error({ op: 'connect', error: why, msg: 'failed to connect to peer' })
  }

  notified(direction: Direction, notification: Notification): void {
    this.#metrics.notified(direction, notification)
  }

  /** RFC 7606 forgave these. */
  malformed(faults: readonly { readonly message: string }[]): void {
    this.#log.debug(() => ({ event: 'malformedUpdate', faults: faults.map(one => one.message) }))
  }

  noSource(error: string): void {
    this.#log.warn({ op: 'connect', error, msg: 'source address not usable, the system chooses' })
  }

  /** Prefixes that are meant for the peer and cannot be sent in this session. */
  unsent(all: readonly Unsent[]): void {
    const msg = 'failed to send BGP update'
    for (const { prefix, why } of all.slice(0, LOGGED_PREFIXES))
      this.#log.error({ op: 'sendUpdate', prefix: formatPrefix(prefix), error: why, msg })
    if (all.length > LOGGED_PREFIXES)
      this.#log.error({ op: 'sendUpdate', error: `${all.length} prefixes in total`, msg })
  }

  /** A router that we wait for and that signs otherwise never gets as far as an attempt. */
  #tellRejected(): void {
    const rejected = this.#signatures.take(targetOf(this.#peer))
    if (rejected === undefined) return
    this.#closedFor = rejected
    this.#log.error({ op: 'accept', error: rejected, msg: 'failed to connect to peer' })
  }

  #logOf({ myAsn, localAsn = myAsn, remoteAs, endpoint, name }: AddressedPeer): Logger {
    const who = { peer: peerText(endpoint), bgpPeer: name, localASN: localAsn, peerASN: remoteAs }
    return this.#context.log.with(who)
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { recorder, namespace } = this.#context
    const target = { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name: this.#peer.name }
    recorder.event(target, type, reason, message)
  }
}
