/** BGP as the speaker sees it: routes of Services on one side, sessions with BGPPeers on the other. */
import type { BfdProfile, BgpConfig, Peer } from '../../core/config/index.ts'
import { formatAddress, type Prefix } from '../../core/ip/index.ts'
import { Listeners } from '../../core/listeners.ts'
import { type Announcement, decideBgp, type World } from '../../core/plan/index.ts'
import type { Timer } from '../../ports/index.ts'
import type { Farewell, Route } from '../../protocols/bgp/index.ts'
import type { AnnouncePlanner, AnnounceProtocol } from '../announce/index.ts'
import { Listener } from './listener.ts'
import { makeWay } from './make-way.ts'
import { Neighbors } from './neighbors.ts'
import type { PeerContext } from './peer-context.ts'
import { PeerSession } from './peer-session.ts'
import { goesTo, Rib } from './rib.ts'
import type { SeenSession } from './session-states.ts'
import { interfaceNameOf, passwordProblem, peerText } from './settings.ts'
import { missingState, type NeighborState, neighborState } from './state.ts'

/** Time for the last messages to leave, before the process may end (chapter 04 section 1.12). */
const FAREWELL_MS = 200

/** Endpoints come and go in numbers, as in a rollout: how often a router is told of another weight. */
const REWEIGH_MS = 1000

const NOT_LISTENING = 'the peer is passive, and this speaker does not listen: see --bgp-listen-port'

type Peers = Pick<BgpConfig, 'peers' | 'bfdProfiles'>

export class BgpProtocol implements AnnounceProtocol {
  readonly name = 'bgp'
  readonly #context: PeerContext
  readonly #rib = new Rib()
  readonly #sessions = new Map<string, PeerSession>()
  readonly #listeners = new Listeners<string>()
  readonly #listener: Listener | undefined
  #reweighing: Timer | undefined
  readonly #neighbors: Neighbors
  /** Peers without a session, and why. */
  readonly #missing = new Map<string, { readonly peer: Peer; readonly why: string }>()
  #peers: Peers = { peers: [], bfdProfiles: [] }
  #complete = false

  constructor(context: PeerContext) {
    this.#context = { sharers: new Map(), ...context }
    const { listenAt, routers } = context
    this.#neighbors = new Neighbors(routers, () => this.#sync())
    this.#listener = listenAt && new Listener(listenAt, () => this.#sessions.values(), context)
  }

  planner(world: World): AnnouncePlanner {
    const { node } = this.#context
    return {
      shouldAnnounce: admitted => {
        const decision = decideBgp(admitted, node, world)
        if (!decision.announces) return decision
        const { routes, warnings } = decision
        const addresses = admitted.addresses.map(address => ({ address, interfaces: 'all' as const }))
        return { pool: admitted.pool.name, addresses, routes, warnings }
      },
    }
  }

  setBalancer(service: string, { routes = [] }: Announcement): void {
    this.#rib.set(service, routes)
    const msg = 'making advertisements using BGP'
    this.#context.log.info({ event: 'updatedAdvertisements', service, numAds: routes.length, msg })
    this.#tell(service)
  }

  deleteBalancer(service: string): void {
    this.#rib.delete(service)
    this.#tell(service)
  }

  /** Never blocks and never fails: what a session cannot send now it sends later. */
  async commit(): Promise<void> {
    this.#send(this.#rib.takeChanged())
    if (this.#rib.isReweighed) this.#reweighing ??= this.#context.clock.after(REWEIGH_MS, () => this.#reweigh())
  }

  #reweigh(): void {
    this.#reweighing = undefined
    this.#send(this.#rib.takeReweighed())
  }

  #send(changed: readonly Prefix[]): void {
    if (changed.length === 0) return
    for (const [name, session] of this.#sessions) {
      const routes: Route[] = []
      const gone = changed.filter(prefix => {
        const route = this.#rib.routeFor(name, prefix, session.peer.maxPaths)
        if (route !== undefined) routes.push(route)
        return route === undefined
      })
      if (gone.length > 0) session.withdraw(gone)
      if (routes.length > 0) session.announce(routes)
    }
  }

  subscribe(): () => void {
    return () => {}
  }

  /** Peers are told, or, where they keep our routes over a restart, just left (chapter 04 section 1.12). */
  async stop(): Promise<void> {
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    this.#listener?.shut()
    this.#neighbors.stop()
    this.#reweighing?.cancel()
    const { clock, shutdownGraceMs = 0 } = this.#context
    if (shutdownGraceMs > 0) await makeWay(sessions, clock, shutdownGraceMs)
    for (const session of sessions) session.stop({ kind: 'shutdown', text: 'the speaker stops' })
    if (sessions.length > 0) await new Promise<void>(done => void clock.after(FAREWELL_MS, done))
    await this.#listener?.close()
  }

  /** All Services have been looked at once: peers may forget what they kept of before the start. */
  complete(): void {
    this.#complete = true
    for (const session of this.#sessions.values()) session.complete()
  }

  /** Makes the sessions those of the peers; those that did not change in what they need are not touched. */
  setPeers(config: Peers): void {
    this.#peers = config
    this.#neighbors.follow(config.peers)
    this.#sync()
  }

  #sync(): void {
    const { peers } = this.#peers
    const wanted = new Map(peers.map(peer => [peer.name, peer]))
    const before = new Set(this.#sessions.values())
    for (const [name, session] of [...this.#sessions]) {
      const peer = wanted.get(name)
      if (peer === undefined) this.#close(name, session, { kind: 'deconfigured' }, { reason: 'removedFromConfig' })
      else this.#change(peer, session)
    }
    for (const name of this.#missing.keys()) if (!wanted.has(name)) this.#missing.delete(name)
    for (const peer of peers) if (!this.#sessions.has(peer.name)) this.#open(peer)
    this.#listener?.sync()
    const same = this.#sessions.size === before.size && [...this.#sessions.values()].every(one => before.has(one))
    if (!same) for (const service of this.#rib.services()) this.#tell(service)
  }

  /** The session goes on, or ends: then another takes its place. */
  #change(peer: Peer, session: PeerSession): void {
    const found = this.#neighbors.resolve(peer)
    if (typeof found === 'string' && interfaceNameOf(peer.endpoint) === interfaceNameOf(session.peer.endpoint)) {
      this.#miss(peer, session, found)
      return
    }
    const { maxPaths } = session.peer
    const changed = typeof found === 'string' ? ['interface'] : session.change(found, this.#profileOf(peer))
    if (changed.length === 0) {
      if (peer.maxPaths !== maxPaths) session.announce(this.#routesFor(peer))
      session.found()
    } else this.#close(peer.name, session, { kind: 'reconfigured' }, { reason: 'changedInConfig', changed })
  }

  /** Names of the peers that the Service is meant to be announced to, ascending. */
  peersOf(service: string): string[] {
    const routes = this.#rib.routesOf(service)
    const told = ([name, session]: [string, PeerSession]) =>
      routes.some(route => goesTo(route, name) && session.takes(route.prefix))
    return [...this.#sessions]
      .filter(told)
      .map(([name]) => name)
      .sort()
  }

  /** Called with each Service announced now, and with each whose peers may have changed later. */
  onChange(listener: (service: string) => void): () => void {
    for (const service of this.#rib.services()) listener(service)
    return this.#listeners.add(listener)
  }

  /** Every session with its routes, as a JSON value, by name. */
  state(): NeighborState[] {
    const now = this.#context.clock.monotonic()
    const liveness = this.#context.liveness?.sessions()
    const states = [
      ...Array.from(this.#sessions.values(), session => neighborState(session, now, liveness)),
      ...Array.from(this.#missing.values(), ({ peer, why }) => missingState(peer, why)),
    ]
    return states.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** By name of the peer. */
  get sessions(): ReadonlyMap<string, PeerSession> {
    return this.#sessions
  }

  /** Why there is no session with the peer; undefined where there is one, or no such peer. */
  whyMissing(name: string): string | undefined {
    return this.#missing.get(name)?.why
  }

  /** Each peer, also those that cannot have a session: they are idle, unless another has the session they mean. */
  seen(): SeenSession[] {
    const idle = [...this.#missing.values()].filter(({ peer }) => this.#twinProblem(peer) === undefined)
    const unseen = idle.map(({ peer }): SeenSession => {
      return { peer, status: { state: 'idle' }, bfd: peer.bfdProfile ? { state: 'down' } : undefined }
    })
    return [...this.#sessions.values(), ...unseen]
  }

  /**
   * The router of an unnumbered peer is not to be found now. Its silence, or that of another one beside it, does not end
   * a session that is up (chapter 04 section 6.13); a link that is down does.
   */
  #miss(peer: Peer, session: PeerSession, why: string): void {
    const { routers, problem } = this.#neighbors.knownFor(peer)
    if (problem === undefined && session.status.state === 'established') return
    if (routers.length < 2) session.lost(why)
    else this.#close(peer.name, session, { kind: 'reconfigured' }, { reason: 'severalRouters' })
  }

  #open(peer: Peer): void {
    const { log } = this.#context
    const found = this.#neighbors.resolve(peer)
    const problem = typeof found === 'string' ? found : (passwordProblem(peer) ?? this.#twinProblem(peer))
    if (typeof found === 'string' || problem !== undefined) {
      if (this.#missing.get(peer.name)?.why !== problem) this.#refuse(peer, problem!)
      this.#missing.set(peer.name, { peer, why: problem! })
      return
    }
    this.#missing.delete(peer.name)
    const msg = 'peer configured, starting BGP session'
    log.info({ event: 'peerAdded', peer: peerText(peer.endpoint), bgpPeer: peer.name, msg })
    if (peer.passive && this.#context.listenAt === undefined) this.#refuse(peer, NOT_LISTENING)
    const session = new PeerSession(found, this.#profileOf(peer), this.#context, !this.#complete)
    this.#sessions.set(peer.name, session)
    session.start(this.#routesFor(peer))
    if (this.#complete) session.complete()
  }

  #routesFor({ name, maxPaths }: Peer): Route[] {
    return [...this.#rib.routesFor(name, maxPaths)]
  }

  #profileOf({ bfdProfile }: Peer): BfdProfile | undefined {
    return this.#peers.bfdProfiles.find(({ name }) => name === bfdProfile)
  }

  #twinProblem(peer: Peer): string | undefined {
    const twin = [...this.#sessions.values()].find(session => isSameSession(session.peer, peer))
    return twin && `BGPPeer ${twin.peer.name} has the session with this address, port, VRF and source already`
  }

  #refuse({ name, endpoint }: Peer, error: string): void {
    const who = { peer: peerText(endpoint), bgpPeer: name }
    this.#context.log.error({ op: 'syncPeers', ...who, error, msg: 'failed to create BGP session' })
  }

  /** `why` tells the log what changed. */
  #close(name: string, session: PeerSession, farewell: Farewell, why: { reason: string; changed?: string[] }): void {
    const peer = peerText(session.peer.endpoint)
    const msg = 'peer deconfigured, closing BGP session'
    this.#context.log.info({ event: 'peerRemoved', peer, bgpPeer: name, ...why, msg })
    this.#sessions.delete(name)
    session.stop(farewell)
  }

  #tell(service: string): void {
    this.#listeners.tell(service)
  }
}

type SessionEnds = Pick<Peer, 'port' | 'vrf' | 'sourceAddress'> & { readonly endpoint: Parameters<typeof peerText>[0] }

/** Routers close one of two sessions between the same addresses, RFC 4271 section 6.8. */
function isSameSession(a: SessionEnds, b: SessionEnds): boolean {
  const text = ({ endpoint, port, vrf = '', sourceAddress }: SessionEnds) =>
    `${peerText(endpoint)} ${port} ${vrf} ${sourceAddress && formatAddress(sourceAddress)}`
  return text(a) === text(b)
}
