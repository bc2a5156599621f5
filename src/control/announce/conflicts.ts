import { type ServiceResource, services as serviceType } from '../../api/kubernetes/index.ts'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { apiVersionOf } from '../../core/object.ts'
import type {
  AddressClaim,
  AddressClaims,
  Clock,
  Counter,
  EventRecorder,
  Informer,
  Logger,
  Metrics,
  Task,
  Timer,
} from '../../ports/index.ts'
import type { Layer2Protocol } from './layer2.ts'

export interface ConflictWatchOptions {
  readonly node: string
  readonly layer2: Layer2Protocol
  readonly claims: AddressClaims
  readonly services: Informer<ServiceResource>
  readonly recorder: EventRecorder
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Two of our own speakers claim an address while one takes it over from the other; a leave takes up to a second. What is
 * heard when the address is this new here, or is given up so soon after, is that and no conflict.
 */
export const HANDOVER_MS = 2000
/** A conflict that goes on is told of, and answered, once in this time (RFC 5227 section 2.4 allows every 10 s). */
export const REPEAT_MS = 60_000
/** Pairs of address and MAC that are looked at; further ones once others have fallen silent. */
const MAX_CONFLICTS = 1000
/** MACs of an address with a series of their own. */
const MAX_CLAIMANTS = 16

interface Conflict {
  /** The latest claim, with the count of all that were not told of yet. */
  claim: AddressClaim
  /** Ends the wait for a hand-over, then the silence after a report. */
  timer: Timer
}

/** Tells people when another host claims an address that this node announces, and announces it again (IMP-14). */
export class ConflictWatch implements Task {
  readonly name = 'address conflicts'
  readonly #options: ConflictWatchOptions
  readonly #detected: Counter
  readonly #claims: Counter
  /** MACs that have a series, by address. */
  readonly #claimants = new Map<string, Set<string>>()
  /** Since when each Service is announced with an address, by address. */
  readonly #holders = new Map<string, Map<string, number>>()
  readonly #addresses = new Map<string, readonly string[]>()
  readonly #conflicts = new Map<string, Conflict>()
  #subscriptions: (() => void)[] = []

  constructor(options: ConflictWatchOptions) {
    this.#options = options
    this.#detected = options.metrics.counter({
      name: 'metallb_layer2_conflicts_detected',
      help: 'Number of times another host was seen claiming a service IP announced by this node',
      labels: ['ip'],
    })
    this.#claims = options.metrics.counter({
      name: 'metallb_layer2_conflicts_total',
      help: 'Number of foreign claims of a service IP announced by this node, by the MAC that claims it',
      labels: ['ip', 'mac'],
    })
  }

  start(): void {
    const { layer2, claims } = this.#options
    this.#subscriptions = [
      layer2.onChange(service => this.#follow(service)),
      claims.onClaim(claim => this.#hear(claim)),
    ]
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    for (const { timer } of this.#conflicts.values()) timer.cancel()
    this.#conflicts.clear()
  }

  ready(): true {
    return true
  }

  #follow(service: string): void {
    const { layer2, clock } = this.#options
    const before = this.#addresses.get(service) ?? []
    const after = layer2.addressesOf(service).map(formatAddress)
    for (const ip of before) if (!after.includes(ip)) this.#release(ip, service)
    for (const ip of after) {
      const holders = this.#holders.get(ip) ?? new Map<string, number>()
      this.#holders.set(ip, holders)
      if (!holders.has(service)) holders.set(service, clock.monotonic())
    }
    if (after.length === 0) this.#addresses.delete(service)
    else this.#addresses.set(service, after)
  }

  #release(ip: string, service: string): void {
    const holders = this.#holders.get(ip)
    holders?.delete(service)
    if (holders?.size !== 0) return
    this.#holders.delete(ip)
    for (const mac of this.#claimants.get(ip) ?? []) this.#claims.remove({ ip, mac })
    this.#claimants.delete(ip)
    for (const [key, { claim, timer }] of this.#conflicts) {
      if (claim.ip !== ip) continue
      timer.cancel()
      this.#conflicts.delete(key)
    }
  }

  /** For how long this node has announced the address; undefined where it does not. */
  #heldMs(ip: string): number | undefined {
    const holders = this.#holders.get(ip)
    return holders && this.#options.clock.monotonic() - Math.min(...holders.values())
  }

  #hear(claim: AddressClaim): void {
    const heldMs = this.#heldMs(claim.ip)
    if (heldMs === undefined || heldMs < HANDOVER_MS) return
    const key = `${claim.ip} ${claim.mac}`
    const known = this.#conflicts.get(key)
    if (known !== undefined) known.claim = { ...claim, count: known.claim.count + claim.count }
    else if (this.#conflicts.size < MAX_CONFLICTS)
      this.#conflicts.set(key, { claim, timer: this.#options.clock.after(HANDOVER_MS, () => this.#judge(key)) })
  }

  /** Time is up: for a hand-over, or for a report after which more claims were heard. */
  #judge(key: string): void {
    const conflict = this.#conflicts.get(key)!
    const { claim } = conflict
    if (claim.count === 0) {
      this.#conflicts.delete(key)
      return
    }
    conflict.claim = { ...claim, count: 0 }
    conflict.timer = this.#options.clock.after(REPEAT_MS, () => this.#judge(key))
    this.#report(claim)
    this.#options.claims.reannounce(parseAddress(claim.ip)!)
  }

  #report({ ip, mac, interface: name, count }: AddressClaim): void {
    const { node, log } = this.#options
    const services = [...this.#holders.get(ip)!.keys()]
    this.#detected.inc({ ip }, count)
    this.#claims.inc({ ip, mac: this.#claimant(ip, mac) }, count)
    const msg = 'another host claims a service IP that this node announces'
    log.warn({ event: 'addressConflict', ip, interface: name, senderMAC: mac, count, services, msg })
    const message = `another host, ${mac}, claims ${ip} on interface "${name}" of node "${node}", which announces it`
    for (const key of services) this.#event(key, message)
  }

  /** MACs can be made up: what comes after the first of an address are others. */
  #claimant(ip: string, mac: string): string {
    const known = this.#claimants.get(ip) ?? new Set<string>()
    this.#claimants.set(ip, known)
    const shown = known.has(mac) || known.size < MAX_CLAIMANTS ? mac : 'other'
    known.add(shown)
    return shown
  }

  #event(key: string, message: string): void {
    const [namespace, name] = key.split('/') as [string, string]
    const service = this.#options.services.get({ namespace, name })
    if (service === undefined) return
    const { uid, resourceVersion } = service.metadata
    const target = {
      apiVersion: apiVersionOf(serviceType),
      kind: serviceType.kind,
      namespace,
      name,
      uid,
      resourceVersion,
    }
    this.#options.recorder.event(target, 'Warning', 'addressConflict', message)
  }
}
