import type { BfdProfile } from '../../core/config/index.ts'
import type { Prefix } from '../../core/ip/index.ts'
import type { NetworkInterface, Stream, StreamEvents, StreamTarget, Timer } from '../../ports/index.ts'
import {
  type Agreed,
  type CeaseReason,
  type Farewell,
  type Notification,
  type Route,
  Session,
  type SessionOptions,
  type SessionStatus,
} from '../../protocols/bgp/index.ts'
import type { WatchedPeer } from './bfd-state.ts'
import { isSame, restartReasons, type SessionNeeds } from './changes.ts'
import type { PeerContext } from './peer-context.ts'
import { PeerWatch } from './peer-watch.ts'
import { SessionReport, type Unsent } from './session-report.ts'
import {
  type AddressedPeer,
  DEFAULT_LOCAL_PREF,
  familiesOf,
  identify,
  isOnLink,
  localAddresses,
  passwordProblem,
  settingsOf,
  targetOf,
} from './settings.ts'
import { dialFrom } from './source.ts'

/** How old the counts of messages may be. */
const SHOW_MS = 5000

/** The session with one BGPPeer: the settings it has, and the BFD session beside it. */
export class PeerSession {
  readonly #context: PeerContext
  readonly #session: Session
  readonly #report: SessionReport
  readonly #restarting: boolean
  #peer: AddressedPeer
  readonly #watch: PeerWatch
  #showing: Timer | undefined
  #lost: string | undefined

  constructor(peer: AddressedPeer, profile: BfdProfile | undefined, context: PeerContext, restarting: boolean) {
    this.#peer = peer
    this.#context = context
    this.#restarting = restarting
    this.#report = new SessionReport(peer, context)
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
    return this.#report.closedFor
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
    this.#report.remove()
  }

  /** Applies what a running session can bear. Answers why it has to start anew instead, empty where it need not. */
  change(peer: AddressedPeer, profile: BfdProfile | undefined): string[] {
    const [before, after] = [this.#needs(this.#peer), this.#needs(peer)]
    const problem = passwordProblem(peer)
    if (problem !== undefined) return [problem]
    const reasons = restartReasons(before, after, this.#session.status)
    if (reasons.length > 0) return reasons
    this.#peer = peer
    this.#report.changed(peer)
    const refusal = isSame(before, after) ? undefined : this.#session.reconfigure()
    if (refusal !== undefined) return [refusal]
    this.#watch.change(profile)
    if (this.#session.status.state === 'established') this.#watchPeer()
    return []
  }

  /** The link of an unnumbered peer, or the peer on it, is gone; `why` is the sentence. */
  lost(why: string): void {
    const known = this.#lost !== undefined
    this.#lost = why
    if (!known) this.#session.livenessLost(why)
  }

  /** It is there again. */
  found(): void {
    if (this.#lost !== undefined) this.#session.livenessFound()
    this.#lost = undefined
  }

  /** Why there can be no session while the link, or the peer on it, is gone. */
  get lostFor(): string | undefined {
    return this.#lost
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

  /** A connection of the router was answered with this, and with nothing else. */
  turnedAway(notification: Notification): void {
    this.#session.turnedAway(notification)
  }

  announce(routes: readonly Route[]): void {
    this.#session.announce(routes)
    this.#tellUnsent(routes)
    this.#report.counts(this.#session.status)
  }

  withdraw(prefixes: readonly Prefix[]): void {
    this.#session.withdraw(prefixes)
    this.#report.counts(this.#session.status)
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
    this.#report.lookAt(this.#session.status)
    this.#showing = this.#context.clock.after(SHOW_MS, () => this.#show())
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
    return new Session(
      options,
      {
        clock,
        random,
        streams: dialFrom(
          () => this.#peer.sourceAddress,
          streams,
          interfaces,
          error => this.#report.noSource(error),
        ),
      },
      {
        established: agreed => this.#established(agreed),
        closed: (reason, established) => this.#report.closed(reason, established, this.#session.status),
        notified: (direction, notification) => this.#report.notified(direction, notification),
        advertised: () => this.#report.counts(this.#session.status),
        faults: faults => this.#report.malformed(faults),
      },
    )
  }

  #established(agreed: Agreed): void {
    this.#report.established(agreed, this.#session.status)
    this.#watchPeer()
    this.#context.clock.after(0, () => this.#tellUnsent())
  }

  /** Of the routes or of all. */
  #tellUnsent(routes?: readonly Route[]): void {
    if (this.#session.status.state !== 'established') return
    const unsent: Unsent[] = []
    for (const { prefix } of routes ?? this.#session.wantedRoutes()) {
      const why = this.takes(prefix) ? this.#session.reasonNotSent(prefix) : undefined
      if (why !== undefined) unsent.push({ prefix, why })
    }
    this.#report.unsent(unsent)
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
    const target = { peer: address, local: local.address, multihop: this.#isMultihop() }
    this.#watch.follow({ ...target, ...(device && { interface: device }) })
  }

  /** As the router sees it: both ends have to agree (chapter 04 section 5.3). */
  #isMultihop(): boolean {
    const { endpoint, ebgpMultiHop, localAsn, myAsn } = this.#peer
    if (endpoint.interface !== undefined) return false
    const external = this.#session.status.agreed?.peerAsn !== (localAsn ?? myAsn)
    return (ebgpMultiHop && external) || !isOnLink(endpoint.address, this.#interfaces())
  }
}
