/** What the speaker says about its announcements: log lines, Kubernetes events, the gauge (chapter 03 section 1.12). */
import { type Address, formatAddress } from '../../core/ip/index.ts'
import { type Announcement, liveAddresses, type Refusal, type Step } from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import type { EventRecorder, Gauge, Logger, Metrics } from '../../ports/index.ts'
import { LeaderChanges } from './leader-changes.ts'
import { type Outcomes, Unannounced } from './unannounced.ts'

export interface ReportOptions {
  readonly node: string
  readonly recorder: EventRecorder
  readonly metrics: Metrics
  readonly log: Logger
}

export class Report {
  readonly #options: ReportOptions
  readonly #announced: Gauge
  readonly #unannounced: Unannounced
  readonly #leaderChanges: LeaderChanges

  constructor(options: ReportOptions) {
    this.#options = options
    this.#unannounced = new Unannounced(options.metrics, options.node)
    this.#leaderChanges = new LeaderChanges(options.metrics)
    this.#announced = options.metrics.gauge({
      name: 'metallb_speaker_announced',
      help: 'Services being announced from this node. This is desired state, it does not guarantee that the routing protocols have converged.',
      labels: ['service', 'protocol', 'node', 'ip'],
    })
  }

  /** Of every look at a Service: what keeps it from being announced, if anything does. */
  decided(service: Service, outcomes: Outcomes): void {
    const skipped = this.#unannounced.show(service.key, outcomes)
    if (skipped !== undefined) this.#event(service, 'Warning', skipped.code, skipped.message)
  }

  /** Of a Service without addresses that could be announced; where it has some, that is worth a series. */
  nothingToAnnounce(service: string, protocols: readonly string[], { code }: Reason): void {
    this.#unannounced.refuse(service, protocols, code === 'ipNotAllowed' || code === 'invalidIP' ? code : undefined)
    if (code === 'serviceDeleted') this.#leaderChanges.forget(service)
  }

  announced(service: Service, protocol: string, { announcement, kind }: Step & { kind: 'start' | 'change' }): void {
    const ips = textsOf(announcement)
    if (protocol === 'layer2' && kind === 'start') this.#leaderChanges.count(service.key, undefined, announcement)
    for (const ip of ips) this.#announced.set(1, this.#labels(service.key, protocol, ip))
    const line = { event: 'serviceAnnounced', msg: 'service has IP, announcing', ips, pool: announcement.pool }
    this.#options.log.info({ ...line, protocol, service: service.key })
    if (kind === 'start')
      this.#event(
        service,
        'Normal',
        'nodeAssigned',
        `announcing from node "${this.#options.node}" with protocol "${protocol}"`,
      )
    for (const { code, message } of announcement.warnings ?? []) this.#event(service, 'Warning', code, message)
  }

  /** The gauge of addresses that are announced no more. */
  gone(service: string, protocol: string, before: Announcement, after?: Announcement): void {
    if (protocol === 'layer2') this.#leaderChanges.count(service, before, after)
    const kept = new Set(after && textsOf(after))
    for (const ip of textsOf(before)) if (!kept.has(ip)) this.#announced.remove(this.#labels(service, protocol, ip))
  }

  withdrawn(service: string, protocol: string, before: Announcement, reason: Reason): void {
    this.#options.log.info({
      event: 'serviceWithdrawn',
      msg: 'withdrawing service announcement',
      ip: textsOf(before),
      pool: before.pool,
      protocol,
      reason: reason.code,
      service,
    })
  }

  failed(service: Service, protocol: string, { address, reason }: Step & { kind: 'fail' }): void {
    const { interfaces, localInterfaces } = address
    this.#options.log.warn({
      op: 'SetBalancer',
      protocol,
      service: service.key,
      ip: formatAddress(address.address),
      IPAdvertisement: { interfaces: interfaces === 'all' ? interfaces : [...interfaces].sort() },
      localIfs: localInterfaces,
      reason: reason.message,
      msg: "the specified interfaces used to announce LB IP don't exist",
    })
    this.#event(service, 'Warning', reason.code, reason.message)
  }

  /** Why the Service has nothing to announce: an error where the controller handed out what it may not. */
  refused({ key, ingress }: Service, reason: Reason): void {
    const ips = ingress.map(({ text }) => text)
    const line = { op: 'setBalancer', service: key, ips }
    const { log } = this.#options
    if (reason.code === 'invalidIP')
      log.error({ ...line, error: reason.message, msg: 'invalid IP allocated by controller' })
    if (reason.code === 'ipNotAllowed') {
      const msg = 'IP allocated by controller not allowed by config'
      log.error({ ...line, error: 'assigned IP not allowed by config', msg })
    }
  }

  /** The lines of chapter 03 section 1.8 and chapter 04 section 1.6; every reason in order under `reasons`. */
  notAnnounced(service: string, protocol: string, refusal: Refusal): void {
    if (protocol === 'bgp') this.#notAnnouncedByBgp(service, refusal)
    else this.#notAnnouncedByLayer2(service, refusal)
  }

  #notAnnouncedByBgp(service: string, { code, reasons }: Refusal): void {
    const { log } = this.#options
    const [first] = reasons()
    const event = 'skipping should announce bgp'
    const line = { event, service, reason: BGP_WORDS[code] ?? first.message, reasons: reasons().map(one => one.code) }
    if (code === 'conflictingAdvertisements') log.error({ ...line, event: code, error: first.message })
    else if (code.startsWith('node')) log.warn(line)
    else log.debug(line)
  }

  #notAnnouncedByLayer2(service: string, { code, reasons }: Refusal): void {
    const { log } = this.#options
    const skipping = { event: 'skipping should announce l2', service }
    const codes = () => reasons().map(reason => reason.code)
    if (code === 'sharedIPWithServiceSelector') log.warn({ ...skipping, reason: reasons()[0].message })
    else if (code === 'noMatchingAdvertisement')
      log.debug(() => ({ ...skipping, reason: 'no advertisement matching service on my node', reasons: codes() }))
    else
      log.debug(() => ({
        event: 'shouldannounce',
        protocol: 'l2',
        service,
        message: codes().includes('noEndpoints') ? 'failed no active endpoints' : reasons().at(-1)!.message,
        reasons: codes(),
      }))
  }

  rejected(service: string, addresses: readonly Address[]): void {
    this.#options.log.error({
      op: 'setConfig',
      service,
      ip: addresses.map(formatAddress),
      error: 'service has no configuration under new config',
      msg: 'new configuration rejected',
    })
  }

  #event(service: Service, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { namespace, name, uid, resourceVersion } = service
    const target = { apiVersion: 'v1', kind: 'Service', namespace, name, uid, resourceVersion }
    this.#options.recorder.event(target, type, reason, message)
  }

  #labels(service: string, protocol: string, ip: string) {
    return { service, protocol, node: this.#options.node, ip }
  }
}

/** Where people grep for other words than ours. */
const BGP_WORDS: Readonly<Record<string, string>> = {
  notOwner: 'pool not matching my node',
  noMatchingAdvertisement: 'no advertisement matching service',
}

function textsOf(announcement: Announcement): string[] {
  return liveAddresses(announcement).map(({ address }) => formatAddress(address))
}
