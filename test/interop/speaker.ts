/** The BGP side of a speaker in this process, with real sockets and clock: Services in, sessions out. */
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { systemRandom as random } from '../../src/adapters/system/random.ts'
import { BgpProtocol, type Routers } from '../../src/control/bgp/index.ts'
import type { BfdProfile, Peer } from '../../src/core/config/index.ts'
import { parseAddress, parsePrefix } from '../../src/core/ip/index.ts'
import type { ServiceRoute } from '../../src/core/plan/index.ts'
import type { Interfaces, Liveness } from '../../src/ports/index.ts'
import { FakeRecorder } from '../../src/testing/fake-kube.ts'
import { FakeLog } from '../../src/testing/fake-log.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { anInterface, FakeInterfaces } from '../../src/testing/fake-speaker.ts'
import { OURS, THEIRS } from './router.ts'

export function aPeer(over: 'ipv4' | 'ipv6', change: Partial<Peer> = {}): Peer {
  return {
    name: 'tor',
    myAsn: 64500,
    remoteAs: 64501,
    endpoint: { address: parseAddress(THEIRS[over])! },
    port: 179,
    holdMs: 9000,
    nodeSelectors: [],
    gracefulRestart: false,
    ebgpMultiHop: false,
    disableMP: false,
    dualStackAddressFamily: true,
    ...change,
  }
}

/** 50 ms × 3. */
export const FAST: BfdProfile = {
  name: 'fast',
  receiveIntervalMs: 50,
  transmitIntervalMs: 50,
  echoMode: false,
  passiveMode: false,
}

export interface SpeakerOptions {
  /** False: it has just started, and its Services are not known yet. */
  readonly complete?: boolean
  /** Routers may connect to port 179. */
  readonly listens?: boolean
  /** Default: eth0 with both addresses of ours. */
  readonly interfaces?: Interfaces
  readonly routers?: Routers
  readonly liveness?: Liveness
}

export class BgpSpeaker {
  readonly log = new FakeLog()
  readonly metrics = new FakeMetrics()
  readonly protocol: BgpProtocol

  constructor(options: SpeakerOptions = {}) {
    const { complete = true, listens = false, interfaces = usualInterfaces(), routers, liveness } = options
    const { log, metrics } = this
    const seams = { clock, random, streams: linuxStreams, interfaces, metrics, recorder: new FakeRecorder(), log }
    this.protocol = new BgpProtocol({
      node: 'node-a',
      namespace: 'metallb-system',
      ...(listens && { listenAt: { port: 179 } }),
      ...(routers && { routers }),
      ...(liveness && { liveness }),
      ...seams,
    })
    if (complete) this.protocol.complete()
  }

  peer(...peers: Peer[]): void {
    this.protocol.setPeers({ peers, bfdProfiles: [FAST] })
  }

  /** A Service with these prefixes; none withdraws it. */
  announce(service: string, ...prefixes: string[]): Promise<void> {
    return this.announceWith({}, service, ...prefixes)
  }

  async announceWith(options: Partial<ServiceRoute>, service: string, ...prefixes: string[]) {
    const routes = prefixes.map(text => ({
      advertisement: 'ad',
      peers: 'all' as const,
      communities: [{ kind: 'standard' as const, parts: [64500, 7] as const }],
      ...options,
      prefix: parsePrefix(text)!,
    }))
    if (routes.length > 0) this.protocol.setBalancer(service, { pool: 'p', addresses: [], routes })
    else this.protocol.deleteBalancer(service)
    await this.protocol.commit()
  }

  /** Reasons and errors of the lines with this message. */
  said(msg: string): string[] {
    const lines = this.log.lines.filter(({ fields }) => fields.msg === msg)
    return lines.map(({ fields }) => String(fields.reason ?? fields.error ?? ''))
  }

  get updates(): number {
    return this.metrics.series.get(`metallb_bgp_updates_total{peer="${THEIRS.ipv4}:179"}`) ?? 0
  }
}

function usualInterfaces(): Interfaces {
  const interfaces = new FakeInterfaces()
  const addresses = [OURS.ipv4, OURS.ipv6].map(text => ({
    address: parseAddress(text)!,
    length: text.includes(':') ? 64 : 24,
  }))
  interfaces.set(anInterface('eth0', { addresses }))
  return interfaces
}
