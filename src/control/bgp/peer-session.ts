import type { BfdProfile } from '../../core/config/index.ts'
import { formatPrefix, type Prefix } from '../../core/ip/index.ts'
import type {
  Clock,
  EventRecorder,
  Interfaces,
  Liveness,
  Logger,
  Metrics,
  NetworkInterface,
  Random,
  Routers,
  Stream,
  StreamEvents,
  StreamPort,
  StreamTarget,
  Timer,
} from '../../ports/index.ts'
import {
  type Agreed,
  type CeaseReason,
  type CloseReason,
  describeClose,
  type Farewell,
  type Route,
  Session,
  type SessionOptions,
  type SessionStatus,
} from '../../protocols/bgp/index.ts'
import type { WatchedPeer } from './bfd-state.ts'
import { isSame, restartReasons, type SessionNeeds } from './changes.ts'
import type { ListenAt } from './listener.ts'
import { SessionMetrics, type Sharers } from './metrics.ts'
import { PeerWatch } from './peer-watch.ts'
import {
  type AddressedPeer,
  DEFAULT_LOCAL_PREF,
  familiesOf,
  identify,
  isOnLink,
  localAddresses,
  passwordProblem,
  peerText,
  settingsOf,
  targetOf,
} from './settings.ts'
import { SignatureWatch, signatureNote } from './signatures.ts'
import { dialFrom } from './source.ts'

export interface PeerContext {
  readonly node: string
  /** MetalLB's own namespace: events on BGPPeers go there. */
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly streams: StreamPort
  readonly interfaces: Interfaces
  readonly metrics: Metrics
  readonly recorder: EventRecorder
  readonly log: Logger
  /** Absent: BFD profiles have no effect. */
  readonly liveness?: Liveness
  /** Where routers may connect to us. Absent: nowhere, we dial. */
  readonly listenAt?: ListenAt
  /** Absent: unnumbered peers are never found. */
  readonly routers?: Routers
  /** How long routers are told to prefer others before a stop ends the sessions. Absent: 0, not at all. */
  readonly shutdownGraceMs?: number
  /** Sessions that show the same series. */
  readonly sharers?: Sharers
}

/** How old the counts of messages may be. */
const SHOW_MS = 5000

/** Prefixes named in one go where they cannot be sent. */
const LOGGED_PREFIXES = 10

/** The session with one BGPPeer, and what is said about it. */
export class PeerSession {
  readonly #context: PeerContext
  #log: Logger
  readonly #session: Session
  readonly #metrics: SessionMetrics
  readonly #signatures: SignatureWatch
  readonly #restarting: boolean
  #closedFor: string | undefined
  #peer: AddressedPeer
  readonly #watch: PeerWatch
  #showing: Timer | undefined
  #lost = false

  constructor(peer: AddressedPeer, profile: BfdProfile | undefined, context: PeerContext, restarting: boolean) {
    this.#peer = peer
    this.#context = context
    this.#restarting = restarting
    this.#log = this.#logOf(peer)
    this.#signatures = new SignatureWatch(context.streams)
    this.#metrics = new SessionMetrics(context.metrics, peer, context.sharers)
    this.#session = this.#make()
    this.#watch = new PeerWatch(context.liveness, profile, {
      found: () => this.#session.livenessFound(),
      lost: () => this.#session.livenessLost(),
    })
  }

  get peer(): AddressedPeer {
    return this.#peer
  }

  get status(): SessionStatus {
    return this.#session.status
  }

  /** Why the last attempt or session ended, in words. */
  get closedFor(): string | undefined {
    return this.#closedFor
  }

  start(routes: readonly Route[]): void {
    this.#session.replace(routes)
    this.#session.start()
    this.#show()
  }

  stop(farewell: Farewell): void {
    this.#watch.close()
    this.#session.stop(farewell)
    this.#showing?.cancel()
    this.#metrics.remove()
  }

  /** Applies what a running session can bear. Answers why it has to start anew instead, empty where it need not. */
  change(peer: AddressedPeer, profile: BfdProfile | undefined): string[] {
    const [before, after] = [this.#needs(this.#peer), this.#needs(peer)]
    const problem = passwordProblem(peer)
    if (problem !== undefined) return [problem]
    const reasons = restartReasons(before, after, this.#session.status)
    if (reasons.length > 0) return reasons
    this.#peer = peer
    this.#log = this.#logOf(peer)
    const refusal = isSame(before, after) ? undefined : this.#session.reconfigure()
    if (refusal !== undefined) return [refusal]
    this.#watch.change(profile)
    if (this.#session.status.state === 'established') this.#watchPeer()
    return []
  }

  /** The link of an unnumbered peer, or the peer on it, is gone; `why` is the sentence. */
  lost(why: string): void {
    if (this.#lost) return
    this.#lost = true
    this.#session.livenessLost(why)
  }

  /** It is there again. */
  found(): void {
    if (this.#lost) this.#session.livenessFound()
    this.#lost = false
  }

  /** Whom it dials, or who may dial us. */
  get target(): StreamTarget {
    return targetOf(this.#peer)
  }

  /** A connection that the router opened; undefined: it is not wanted now. */
  accept(stream: Stream): StreamEvents | undefined {
    return this.#session.accept(stream)
  }

  /** Why a connection of the router is not taken now, as it is told. */
  get refusal(): CeaseReason | undefined {
    return this.#session.refusal
  }

  announce(routes: readonly Route[]): void {
    this.#session.announce(routes)
    this.#tellUnsent(routes)
    this.#metrics.show(this.#session.status)
  }

  withdraw(prefixes: readonly Prefix[]): void {
    this.#session.withdraw(prefixes)
    this.#metrics.show(this.#session.status)
  }

  /** Undefined where the peer has no BFD profile. */
  get bfd(): WatchedPeer | undefined {
    return this.#watch.watched
  }

  /** All routes of before the start of this process are here. */
  complete(): void {
    this.#session.complete()
  }

  /** Whether prefixes of the family are meant for the peer at all. */
  takes({ family }: Prefix): boolean {
    return familiesOf(this.#peer).includes(family)
  }

  reasonNotSent(prefix: Prefix): string | undefined {
    return this.#session.reasonNotSent(prefix)
  }

  /** What the peer should know, whether it can be sent or not. */
  wantedRoutes(): Iterable<Route> {
    return this.#session.wantedRoutes()
  }

  advertisedRoutes(): Iterable<Route> {
    return this.#session.advertisedRoutes()
  }

  /** Keepalives come and go without a word. */
  #show(): void {
    const { status } = this.#session
    this.#metrics.show(status)
    this.#signatures.heard(Object.values(status.received).reduce((sum, count) => sum + count, 0))
    if (this.#peer.passive && status.state === 'active') this.#tellRejected()
    this.#showing = this.#context.clock.after(SHOW_MS, () => this.#show())
  }

  /** A router that we wait for and that signs otherwise never gets as far as an attempt. */
  #tellRejected(): void {
    const rejected = this.#signatures.take(this.target)
    if (rejected === undefined) return
    this.#closedFor = rejected
    this.#log.error({ op: 'accept', error: rejected, msg: 'failed to connect to peer' })
  }

  #logOf({ myAsn, localAsn = myAsn, remoteAs, endpoint, name }: AddressedPeer): Logger {
    const who = { peer: peerText(endpoint), bgpPeer: name, localASN: localAsn, peerASN: remoteAs }
    return this.#context.log.with(who)
  }

  #needs(peer: AddressedPeer): SessionNeeds {
    const { node, listenAt } = this.#context
    const settings = settingsOf(peer, node, this.#restarting, listenAt !== undefined)
    return { settings, target: targetOf(peer), sourceAddress: peer.sourceAddress }
  }

  #make(): Session {
    const { node, clock, random, streams, interfaces } = this.#context
    const { address } = this.#peer.endpoint
    const needs = () => this.#needs(this.#peer)
    const options: SessionOptions = {
      get settings() {
        return needs().settings
      },
      get target() {
        return needs().target
      },
      defaultLocalPref: DEFAULT_LOCAL_PREF,
      localAddresses: connection => localAddresses(connection, address, this.#interfaces()),
      identify: connection => this.#peer.routerId ?? identify(connection, node, this.#interfaces()),
    }
    const warn = (error: string) =>
      this.#log.warn({ op: 'connect', error, msg: 'source address not usable, the system chooses' })
    return new Session(
      options,
      { clock, random, streams: dialFrom(() => this.#peer.sourceAddress, streams, interfaces, warn) },
      {
        established: agreed => this.#established(agreed),
        closed: (reason, established) => this.#closed(reason, established),
        notified: (direction, notification) => this.#metrics.notified(direction, notification),
        advertised: () => this.#metrics.show(this.#session.status),
        faults: faults => this.#log.debug(() => ({ event: 'malformedUpdate', faults: faults.map(one => one.message) })),
      },
    )
  }

  #established({ holdMs, families, peerAsn, longLived }: Agreed): void {
    const { local } = this.#session.status
    this.#log.info({
      event: 'sessionUp',
      msg: 'BGP session established',
      holdTime: holdMs / 1000,
      families,
      peerASN: peerAsn,
      ...(this.#peer.longLivedStaleSeconds !== undefined && { longLived: longLived !== undefined }),
      ...(local && { localAddress: peerText({ address: local.address }) }),
    })
    this.#event('Normal', 'bgpSessionUp', `BGP session of node "${this.#context.node}" established`)
    this.#metrics.established(this.#context.clock.now())
    this.#metrics.show(this.#session.status)
    this.#watchPeer()
    this.#context.clock.after(0, () => this.#tellUnsent())
  }

  #closed(reason: CloseReason, established: boolean): void {
    this.#metrics.show(this.#session.status)
    const note = signatureNote(reason, this.target, this.#signatures)
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

  /** Prefixes that are meant for the peer and cannot be sent in this session, of the routes or of all. */
  #tellUnsent(routes?: readonly Route[]): void {
    if (this.#session.status.state !== 'established') return
    const unsent: { prefix: string; error: string }[] = []
    for (const { prefix } of routes ?? this.#session.wantedRoutes()) {
      const error = this.takes(prefix) ? this.#session.reasonNotSent(prefix) : undefined
      if (error !== undefined) unsent.push({ prefix: formatPrefix(prefix), error })
    }
    for (const { prefix, error } of unsent.slice(0, LOGGED_PREFIXES))
      this.#log.error({ op: 'sendUpdate', prefix, error, msg: 'failed to send BGP update' })
    if (unsent.length > LOGGED_PREFIXES)
      this.#log.error({
        op: 'sendUpdate',
        error: `${unsent.length} prefixes in total`,
        msg: 'failed to send BGP update',
      })
  }

  /** Link-local addresses are of one link: that of an unnumbered peer is its interface. */
  #interfaces(): readonly NetworkInterface[] {
    const all = this.#context.interfaces.current()
    const { interface: name } = this.#peer.endpoint
    return name === undefined ? all : all.filter(one => one.name === name)
  }

  #watchPeer(): void {
    const { local } = this.#session.status
    if (local === undefined) return
    const { address, interface: device = this.#peer.vrf } = this.#peer.endpoint
    this.#watch.follow({
      peer: address,
      local: local.address,
      multihop: !isOnLink(address, this.#interfaces()),
      ...(device && { interface: device }),
    })
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { recorder, namespace } = this.#context
    const target = { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name: this.#peer.name }
    recorder.event(target, type, reason, message)
  }
}
