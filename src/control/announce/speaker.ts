import type { EndpointSliceResource, NodeResource, ServiceResource } from '../../api/kubernetes/index.ts'
import type { Config } from '../../core/config/index.ts'
import type { Hash } from '../../core/election/index.ts'
import { admit, handlesClass, type PlanOptions, poolOf, type World } from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Clock, Counter, Informer, Logger, Membership, Task } from '../../ports/index.ts'
import { WorkQueue } from '../queue.ts'
import type { SyncResult } from '../sync.ts'
import { Announcements } from './announcements.ts'
import { EndpointIndex } from './endpoint-index.ts'
import { NodeIndex } from './node-index.ts'
import type { AnnouncePlanner, AnnounceProtocol } from './protocol.ts'
import { Report, type ReportOptions } from './report.ts'
import { ServiceIndex } from './service-index.ts'
import { type SpeakerVerdict, type SpeakerView, speakerView, verdictOf } from './view.ts'

export interface SpeakerOptions extends ReportOptions {
  readonly services: Informer<ServiceResource>
  readonly endpointSlices: Informer<EndpointSliceResource>
  readonly nodes: Informer<NodeResource>
  readonly membership: Membership
  /** In order: bgp, then layer2. */
  readonly protocols: readonly AnnounceProtocol[]
  readonly plan: PlanOptions
  readonly hash: Hash
  readonly clock: Clock
  readonly log: Logger
}

/** The queue's key for "look at every Service"; bursts collapse to one run. */
const RELOAD = 'metallbreload/reload'

const DELETED: Reason = { code: 'serviceDeleted', message: 'the service was deleted' }
const OTHER_CLASS: Reason = { code: 'otherLoadBalancerClass', message: 'the service is for another load balancer' }

type Planners = ReadonlyMap<AnnounceProtocol, AnnouncePlanner>

/**
 * Announces what this node should announce, from the whole state of the cluster. Nothing is claimed before caches are
 * filled, a configuration is in force and the membership has joined (IMP-1). While the API is away it goes on with the
 * state it last saw.
 */
export class SpeakerController implements Task {
  readonly name = 'speaker controller'
  readonly #options: SpeakerOptions
  readonly #services = new ServiceIndex()
  readonly #endpoints = new EndpointIndex()
  readonly #nodes = new NodeIndex()
  readonly #announcements: Announcements
  readonly #report: Report
  readonly #queue: WorkQueue
  readonly #updates: Counter
  readonly #errors: Counter
  readonly #settled: Promise<void>
  #settle = () => {}
  #subscriptions: (() => void)[] = []
  #config: Config | undefined
  #synced = false
  #loaded = false

  constructor(options: SpeakerOptions) {
    this.#options = options
    const { protocols, clock, log, metrics } = options
    this.#report = new Report(options)
    this.#announcements = new Announcements(protocols, this.#report)
    this.#queue = new WorkQueue({ name: 'services', clock, log, handle: key => this.#handle(key) })
    this.#settled = new Promise(resolve => {
      this.#settle = resolve
    })
    const help = 'Number of k8s object updates that have been processed.'
    this.#updates = metrics.counter({ name: 'metallb_k8s_client_updates_total', help })
    this.#errors = metrics.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Number of k8s object updates that failed for some reason.',
    })
  }

  start(): void {
    const { services, endpointSlices, nodes, membership, protocols } = this.#options
    this.#subscriptions = [
      services.subscribe(change => this.#enqueue(this.#services.apply(change))),
      endpointSlices.subscribe(change => this.#enqueue(this.#endpoints.apply(change))),
      nodes.subscribe(change => {
        const moves = this.#nodes.apply(change)
        if (change.object.metadata.name === this.#options.node && change.kind !== 'deleted') membership.rejoin()
        if (moves) this.#nodeChanged()
      }),
      membership.subscribe(() => this.reprocessAll()),
      ...protocols.map(protocol => protocol.subscribe(() => this.reprocessAll())),
    ]
    void Promise.all([services, endpointSlices, nodes].map(informer => informer.whenSynced())).then(() => {
      this.#synced = true
      this.reprocessAll()
    })
    void membership.whenJoined().then(() => this.reprocessAll())
    this.#queue.start()
  }

  /** Withdraws every announcement. Whoever should take over first must be told before (Membership leaves earlier). */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    await this.#queue.stop()
    for (const protocol of this.#options.protocols) await protocol.stop()
  }

  ready(): true | string {
    if (!this.#synced) return 'waiting for the first list of services, endpoint slices and nodes'
    return this.#options.membership.joined || 'waiting to join the other speakers'
  }

  /** Resolves after the first complete run over all Services. */
  whenSettled(): Promise<void> {
    return this.#settled
  }

  /**
   * Takes a new configuration into force, unless an address announced now has no pool in it: then the old one stays
   * (chapter 03 section 1.6) and the caller tries again.
   */
  setConfig(config: Config | undefined): SyncResult {
    if (config === undefined) {
      const msg = 'configuration is missing, MetalLB will not function'
      this.#options.log.error({ op: 'setConfig', error: 'no MetalLB configuration in cluster', msg })
      return 'error, no retry'
    }
    for (const service of this.#announcements.keys()) {
      const addresses = this.#announcements.addressesOf(service)
      if (addresses.length === 0 || poolOf(addresses, config) !== undefined) continue
      this.#report.rejected(service, addresses)
      return 'error'
    }
    this.#config = config
    this.reprocessAll()
    return 'reprocess all'
  }

  reprocessAll(): void {
    this.#queue.add(RELOAD)
  }

  /** Resolves when nothing waits to be looked at. */
  whenIdle(): Promise<void> {
    return this.#queue.whenIdle()
  }

  /** What it knows of the other speakers, and with which flags it decides. */
  view(): SpeakerView {
    const { membership, plan } = this.#options
    return speakerView(membership, plan, this.#waiting())
  }

  /** What it decides for a Service on the configuration in force, and why; undefined where it knows no such Service. */
  verdict(key: string): SpeakerVerdict | undefined {
    const service = this.#services.get(key)
    if (service === undefined) return undefined
    const world = this.#waiting() ?? this.#world(this.#config!)
    return verdictOf(service, this.#options.node, world, this.#announcements)
  }

  #waiting(): string | undefined {
    const ready = this.ready()
    if (ready !== true) return ready
    return this.#config === undefined ? 'waiting for a valid configuration' : undefined
  }

  #nodeChanged(): void {
    this.#updates.inc()
    this.reprocessAll()
  }

  /** Where placement is balanced, one Service may move any other. */
  #enqueue(services: readonly string[]): void {
    if (this.#options.plan.balanced) this.#queue.add(RELOAD)
    else for (const key of services) this.#queue.add(key)
  }

  async #handle(key: string): Promise<'done' | 'retry'> {
    const { log, membership, protocols } = this.#options
    if (key !== RELOAD) this.#updates.inc()
    if (this.#config === undefined) log.debug({ event: 'noConfig', msg: 'not processing, still waiting for config' })
    if (this.#config === undefined || !this.#synced || !membership.joined) return 'done' // the reload of each covers it
    if (key !== RELOAD && !this.#loaded) return 'done'
    const controller = key === RELOAD ? 'ServiceReconciler - reprocessAll' : 'ServiceReconciler'
    log.info({ controller, 'start reconcile': key })
    this.#pass(key === RELOAD ? this.#everything() : this.#services.sharers(key), this.#config)
    const failed = await this.#commit(protocols)
    log.info({ controller, 'end reconcile': key })
    if (failed) {
      if (key !== RELOAD) this.#errors.inc()
      return 'retry'
    }
    if (key === RELOAD) this.#firstLoad()
    return 'done'
  }

  #everything(): Set<string> {
    return new Set([...this.#services.keys(), ...this.#announcements.keys()])
  }

  #pass(services: Iterable<string>, config: Config): void {
    for (const protocol of this.#options.protocols) protocol.prepare?.(config)
    const world = this.#world(config)
    const planners: Planners = new Map(this.#options.protocols.map(protocol => [protocol, protocol.planner(world)]))
    for (const key of services) {
      this.#options.log.debug({ event: 'startUpdate', msg: 'start of service update', service: key })
      this.#sync(key, config, planners)
      this.#options.log.debug({ event: 'endUpdate', msg: 'end of service update', service: key })
    }
  }

  #sync(key: string, config: Config, planners: Planners): void {
    const service = this.#services.get(key)
    // A class never changes, but a Service of that name may have been deleted and made anew while the watch was away.
    if (service !== undefined && !handlesClass(service, this.#options.plan.lbClass)) {
      this.#announcements.refuse(key, OTHER_CLASS)
      return
    }
    const admission = service === undefined ? { reasons: [DELETED] as const } : admit(service, config)
    if ('pool' in admission) this.#announcements.announce(admission, planners)
    else {
      if (service !== undefined) this.#report.refused(service, admission.reasons[0])
      this.#announcements.refuse(key, admission.reasons[0])
    }
  }

  #world(config: Config): World {
    const minority = this.#options.membership.minority?.()
    return {
      config,
      nodes: this.#nodes.nodes,
      members: this.#options.membership.members(),
      interfaces: this.#options.membership.interfaces(),
      held: this.#options.membership.held?.() ?? new Set(),
      retired: this.#options.membership.retired?.(),
      ...(minority && { minorities: new Map([[this.#options.node, minority]]) }),
      endpointsOf: service => this.#endpoints.endpointsOf(service),
      holdersOf: address => this.#services.holdersOf(address),
      services: () => this.#services.values(),
      hash: this.#options.hash,
      options: this.#options.plan,
    }
  }

  /** True where a protocol failed; the others are not held up. */
  async #commit(protocols: readonly AnnounceProtocol[]): Promise<boolean> {
    let failed = false
    for (const protocol of protocols) {
      try {
        await protocol.commit()
      } catch (error) {
        failed = true
        const msg = 'failed to announce service'
        this.#options.log.error({ op: 'setBalancer', protocol: protocol.name, error, msg })
      }
    }
    return failed
  }

  /** Others count on this speaker only now: they keep what it will own until it can answer. */
  #firstLoad(): void {
    if (this.#loaded) return
    this.#loaded = true
    this.#options.membership.activate()
    this.#settle()
  }
}
