/** A node that speaks BGP on a fake network, for tests: its sessions, and routers of ours as its neighbors. */
import assert from 'node:assert/strict'
import { BgpProtocol, type KnownRouters, type Routers } from '../control/bgp/index.ts'
import type { BfdProfile, Peer } from '../core/config/index.ts'
import { type Address, formatPrefix, parseAddress, parsePrefix } from '../core/ip/index.ts'
import type { ServiceRoute } from '../core/plan/index.ts'
import type { Liveness, LivenessChange, LivenessStatus, LivenessTarget } from '../ports/index.ts'
import { Session, type Settings } from '../protocols/bgp/index.ts'
import { theirSettings } from './bgp-settings.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeRecorder } from './fake-kube.ts'
import { FakeLog } from './fake-log.ts'
import { FakeMetrics } from './fake-metrics.ts'
import { FakeRandom } from './fake-random.ts'
import { anInterface, FakeInterfaces } from './fake-speaker.ts'
import { FakeStreams } from './fake-stream.ts'

const ip = (text: string) => parseAddress(text)!
export const OURS = ip('192.0.2.10')
const PEER = '{peer="192.0.2.1:179"}'

/** A node at 192.0.2.10, and routers of ours as its neighbors. */
export class BgpWorld {
  readonly clock = new FakeClock()
  readonly random: FakeRandom
  readonly streams: FakeStreams
  readonly log = new FakeLog()
  readonly metrics = new FakeMetrics()
  readonly recorder = new FakeRecorder()
  readonly interfaces = new FakeInterfaces()
  readonly targets: LivenessTarget[] = []
  liveness: readonly LivenessStatus[] = []
  readonly bgp: BgpProtocol
  readonly sources: (Address | undefined)[] = []
  alive = (_change: LivenessChange) => {}
  /** What is known of the routers on an interface, by its name. */
  readonly routers = new FakeRouters()

  /** `listens`: routers may connect to port 179. */
  constructor({ listens = false, seed = 1, shutdownGraceMs = 0 } = {}) {
    this.random = new FakeRandom(seed)
    this.streams = new FakeStreams(this.clock, this.random)
    this.interfaces.set(anInterface('eth0', { addresses: [{ address: OURS, length: 24 }] }))
    const { clock, random, interfaces, metrics, recorder, log } = this
    const host = this.streams.host(OURS)
    const streams: typeof host = {
      ...host,
      connect: (target, events) => {
        this.sources.push(target.source)
        return host.connect(target, events)
      },
    }
    const liveness: Liveness = {
      watch: (target, _profile, listener) => {
        this.targets.push(target)
        this.alive = listener
        return { state: 'down', change() {}, close: () => void this.targets.pop() }
      },
      sessions: () => this.liveness,
    }
    const listenAt = listens ? { port: 179 } : undefined
    const seams = {
      clock,
      random,
      streams,
      interfaces,
      metrics,
      recorder,
      log,
      liveness,
      listenAt,
      routers: this.routers,
    }
    this.bgp = new BgpProtocol({ node: 'worker-a', namespace: 'metallb-system', shutdownGraceMs, ...seams })
  }

  /** It dials the port `dials`, unless it is passive. */
  async router(text = '192.0.2.1', change: Partial<Settings> = {}, dials = 1): Promise<Session> {
    const address = ip(text)
    const waits = { connectRetryMs: 10_000, passive: true, listens: true }
    const settings = theirSettings({ identifier: address, ...waits, ...change })
    const { clock, random } = this
    const localAddresses = () => ({ connection: address })
    const options = { settings, target: { address: OURS, port: dials }, defaultLocalPref: 100, localAddresses }
    const session = new Session(options, { clock, random, streams: this.streams.host(address) })
    await this.streams.host(address).listen({ port: 179 }, stream => session.accept(stream))
    session.start()
    return session
  }

  peers(...peers: Peer[]): void {
    const bfdProfiles: BfdProfile[] = [{ name: 'fast', echoMode: false, passiveMode: false }]
    this.bgp.setPeers({ peers, bfdProfiles })
  }

  async announce(service: string, ...prefixes: string[]): Promise<void> {
    const routes = prefixes.map(
      (text): ServiceRoute => ({ prefix: parsePrefix(text)!, advertisement: 'A', peers: 'all', communities: [] }),
    )
    this.bgp.setBalancer(service, { pool: 'p', addresses: [], routes })
    await this.bgp.commit()
  }

  until(condition: () => boolean, limitMs = 60_000): void {
    for (let ms = 0; ms < limitMs && !condition(); ms += 10) this.clock.advance(10)
    assert.ok(condition(), 'it never happened')
  }

  up(name = 'tor-a'): void {
    this.until(() => this.bgp.sessions.get(name)?.status.state === 'established')
  }

  told(name = 'tor-a'): string[] {
    return [...this.bgp.sessions.get(name)!.advertisedRoutes()].map(({ prefix }) => formatPrefix(prefix)).sort()
  }

  series(name: string): number | undefined {
    return this.metrics.series.get(`metallb_bgp_${name}${PEER}`)
  }

  lines(msg: string) {
    return this.log.lines.filter(({ fields }) => fields.msg === msg)
  }
}

/** What is heard on links is what the test says. */
export class FakeRouters implements Routers {
  readonly #listeners = new Map<string, (known: KnownRouters) => void>()

  get watched(): string[] {
    return [...this.#listeners.keys()]
  }

  watch(name: string, listener: (known: KnownRouters) => void): () => void {
    this.#listeners.set(name, listener)
    listener({ routers: [] })
    return () => void this.#listeners.delete(name)
  }

  hear(name: string, ...addresses: string[]): void {
    this.#listeners.get(name)?.({ routers: addresses.map(ip) })
  }

  fail(name: string, problem: string): void {
    this.#listeners.get(name)?.({ routers: [], problem })
  }
}
