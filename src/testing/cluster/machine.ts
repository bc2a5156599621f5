/** One node of the simulated cluster: a speaker on the real membership (memberlist and heartbeats), without real sockets. */
import { sha256 } from '../../adapters/system/hash.ts'
import { endpointSlices, nodes, pods, services } from '../../api/kubernetes/index.ts'
import { Layer2Protocol, SpeakerController } from '../../control/announce/index.ts'
import { CombinedMembership, Majority, MemberlistMembership } from '../../control/membership/index.ts'
import type { Config } from '../../core/config/index.ts'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import {
  type Hmac,
  type Layer2Responder,
  type MemberEvent,
  type Membership,
  type Random,
  silent,
  type Task,
} from '../../ports/index.ts'
import { FAST_LAN } from '../../protocols/memberlist/index.ts'
import { type FakeKube, FakeRecorder } from '../fake-kube.ts'
import { FakeMetrics } from '../fake-metrics.ts'
import { FakeRandom } from '../fake-random.ts'
import { anInterface, FakeInterfaces } from '../fake-speaker.ts'
import { SimulatedHeartbeats } from '../simulated-heartbeats.ts'
import type { Network } from './network.ts'
import type { ClusterOptions } from './options.ts'
import { Process } from './process.ts'
import { ReferenceMembership } from './reference.ts'
import type { Scheduler } from './scheduler.ts'

export interface MachineOptions {
  readonly node: string
  readonly address: string
  readonly scheduler: Scheduler
  readonly network: Network
  readonly random: Random
  readonly kube: FakeKube
  readonly config: Config
  readonly options: Pick<ClusterOptions, 'majority' | 'holdDownMs' | 'balanced' | 'interfaces'>
  /** It runs the reference's speaker. */
  readonly reference: boolean
  /** The table of its responder changed. */
  readonly announced: (table: readonly string[]) => void
  /** Others may count on it from now on. */
  readonly activated: () => void
  readonly event: (event: MemberEvent) => void
}

const MEMBERLIST_PORT = 7946
const HEARTBEAT_PORT = 7947
const TRUST_MS = 10_000

/** A life of a speaker: from its start to its end. */
export class Machine {
  readonly process: Process
  readonly #options: MachineOptions
  readonly #membership: Membership & Task
  readonly #speaker: SpeakerController
  readonly #interfaces: FakeInterfaces

  constructor(options: MachineOptions) {
    this.#options = options
    this.process = new Process(options.scheduler, options.random)
    this.#interfaces = new FakeInterfaces(...(options.options.interfaces ?? ['eth0']))
    this.#membership = options.reference ? this.#composeReference() : this.#composeMembership()
    this.#speaker = this.#composeSpeaker()
  }

  /** The configuration comes late, as a real one does. */
  async start(configAfterMs: number): Promise<void> {
    this.#membership.subscribe(this.#options.event)
    this.#speaker.start()
    this.process.after(configAfterMs, () => this.#speaker.setConfig(this.#options.config))
    void this.#speaker.whenSettled().then(() => this.#options.activated())
    await this.#membership.start()
  }

  get members(): string[] {
    return [...(this.#membership.members() ?? [])].sort()
  }

  /** Those that this speaker takes for held. */
  get held(): string[] {
    return [...(this.#membership.held?.() ?? [])].sort()
  }

  carrier(name: string, carrier: boolean): void {
    const links = this.#interfaces
      .current()
      .map(one => (one.name === name ? anInterface(name, { ...one, carrier }) : one))
    this.#interfaces.set(...links)
  }

  /** SIGTERM: the membership first, so that others take over while this node still answers. */
  async leave(): Promise<void> {
    await this.#membership.stop()
    await this.#speaker.stop()
    this.end()
  }

  /** Nothing of the speaker runs any more. */
  end(): void {
    if (!this.process.alive) return
    this.process.kill()
    void this.#speaker.stop()
  }

  #composeReference(): ReferenceMembership {
    const { node, address, network, random, kube } = this.#options
    const own = new FakeRandom(Math.floor(random.next() * 2 ** 32))
    return new ReferenceMembership({
      ...{ node, address, network, kube, random: own, port: MEMBERLIST_PORT, process: this.process },
    })
  }

  #composeMembership(): CombinedMembership {
    const { node, address: text, network, random, kube, options } = this.#options
    const { holdDownMs = 0, majority } = options
    const address = parseAddress(text)!
    const clock = this.process
    const own = new FakeRandom(Math.floor(random.next() * 2 ** 32))
    const common = {
      node,
      clock,
      log: silent,
      random: own,
      peers: { pods: kube.informer(pods), family: address.family },
    }
    const memberlist = new MemberlistMembership({
      ...{ ...common, address, port: MEMBERLIST_PORT, config: FAST_LAN, heartbeats: true },
      streams: network.streams(clock, text),
      open: async () => network.open(clock, text, MEMBERLIST_PORT),
    })
    const heartbeats = new SimulatedHeartbeats({
      ...{ ...common, port: HEARTBEAT_PORT, hmacs: [sum] },
      open: async () => network.open(clock, text, HEARTBEAT_PORT),
    })
    const rule = majority ? { majority: new Majority(kube.informer(pods)) } : {}
    const parts = { node, memberlist, heartbeats, clock, log: silent }
    return new CombinedMembership({ ...parts, trustMs: TRUST_MS, holdDownMs, ...rule })
  }

  #composeSpeaker(): SpeakerController {
    const { node, kube, announced, options } = this.#options
    const [interfaces, membership] = [this.#interfaces, this.#membership]
    const responder: Layer2Responder = {
      update: async table => {
        if (this.process.alive) announced(table.map(({ address }) => formatAddress(address)))
      },
    }
    return new SpeakerController({
      node,
      services: kube.informer(services),
      endpointSlices: kube.informer(endpointSlices),
      nodes: kube.informer(nodes),
      membership,
      protocols: [new Layer2Protocol({ node, responder, interfaces, membership })],
      plan: { ignoreExcludeLb: false, lbClass: '', balanced: options.balanced ?? false },
      hash: sha256,
      recorder: new FakeRecorder(),
      metrics: new FakeMetrics(),
      clock: this.process,
      log: silent,
    })
  }
}

/** Stands for an HMAC where thousands of packets a second are made: 32 bytes of FNV-1a. */
const sum: Hmac = bytes => {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return new Uint8Array(32)
    .fill(hash & 0xff)
    .fill((hash >>> 8) & 0xff, 8)
    .fill((hash >>> 16) & 0xff, 16)
}
