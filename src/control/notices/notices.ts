import {
  type ConfigSnapshot,
  ipAddressPools,
  type ParseOptions,
  parseConfig,
  parseService,
  type ServiceResource,
  services,
} from '../../api/index.ts'
import type { Config, Pool } from '../../core/config/index.ts'
import { apiVersionOf } from '../../core/object.ts'
import { admit, handlesClass, notAdvertised } from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import type { Clock, EventRecorder, Informer, Task, Timer } from '../../ports/index.ts'
import { type ConfigSources, changeMatters, snapshotOf, sourcesOf } from '../config/index.ts'
import { rejections } from './rejections.ts'
import { GRACE_MS, type Notice, Told } from './told.ts'

export interface NoticesOptions {
  /** All of MetalLB's kinds, and namespaces; nodes and secrets are the speakers' business. */
  readonly sources: ConfigSources
  readonly services: Informer<ServiceResource>
  /** The MetalLB namespace. */
  readonly namespace: string
  readonly parse?: Omit<ParseOptions, 'node'>
  /** `--lb-class` */
  readonly lbClass: string
  readonly recorder: EventRecorder
  readonly clock: Clock
}

/**
 * Tells users by events what nobody else would (chapter 05 section 7.9): on Service and pool, that no advertisement asks
 * for an address that was handed out; on an object of the configuration, that it is why the newest is not in force.
 * Only while it is active: of several controllers one.
 */
export class Notices implements Task {
  readonly name = 'notices'
  readonly #options: NoticesOptions
  readonly #told = new Told()
  #advertising: readonly Notice[] = []
  #ends: (() => void)[] = []
  #timer: Timer | undefined
  #active = false

  constructor(options: NoticesOptions) {
    this.#options = options
  }

  start(): void {
    const { sources, services } = this.#options
    this.#ends = sourcesOf(sources).map(([source, informer]) =>
      informer.subscribe(change => {
        if (changeMatters(sources, source, change)) this.#lookSoon()
      }),
    )
    this.#ends.push(services.subscribe(() => this.#lookSoon()))
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end()
    this.setActive(false)
  }

  ready(): true {
    return true
  }

  /** A controller that begins to lead does not know what the former one told, and tells it again. */
  setActive(active: boolean): void {
    this.#active = active
    if (active) {
      this.#lookSoon()
      return
    }
    this.#timer?.cancel()
    this.#timer = undefined
    this.#told.forget()
  }

  /** At most once in a while, however much changes. */
  #lookSoon(): void {
    if (!this.#active) return
    this.#timer ??= this.#options.clock.after(GRACE_MS, () => {
      this.#timer = undefined
      this.#look()
    })
  }

  #look(): void {
    const { sources, services, namespace, clock, recorder } = this.#options
    if (!services.synced || !sourcesOf(sources).every(([, informer]) => informer.synced)) {
      this.#lookSoon()
      return
    }
    const notices = this.#notices(snapshotOf(sources, namespace))
    const { now, pending } = this.#told.review(notices, clock.monotonic())
    for (const { on, reason, message } of now) recorder.event(on, 'Warning', reason, message)
    if (pending) this.#lookSoon()
  }

  /** While the configuration is refused the one in force is that of before, and what was said of it holds. */
  #notices(snapshot: ConfigSnapshot): Notice[] {
    const { parse, sources } = this.#options
    const parsed = parseConfig(snapshot, parse)
    if ('problems' in parsed) return [...this.#advertising, ...rejections(parsed.problems, sources)]
    this.#advertising = this.#unadvertised(parsed.config)
    return [...this.#advertising]
  }

  #unadvertised(config: Config): Notice[] {
    if (config.pools.every(pool => isOpen(pool, config))) return [] // most clusters: no Service has to be looked at
    const pools = new Map<string, Notice>()
    const found: Notice[] = []
    for (const resource of this.#options.services.list()) {
      const service = parseService(resource)
      if (!handlesClass(service, this.#options.lbClass)) continue
      const admission = admit(service, config)
      const reason = 'pool' in admission ? notAdvertised(admission, config) : undefined
      if (reason === undefined || !('pool' in admission)) continue
      found.push(onService(service, reason))
      if (reason.object?.kind === 'IPAddressPool') pools.set(admission.pool.name, this.#onPool(admission.pool, reason))
    }
    return [...pools.values(), ...found]
  }

  #onPool({ namespace, name }: Pool, { code, message }: Reason): Notice {
    const { uid, resourceVersion } = this.#options.sources.pools.get({ namespace, name })?.metadata ?? {}
    const on = {
      apiVersion: apiVersionOf(ipAddressPools),
      kind: 'IPAddressPool',
      namespace,
      name,
      uid,
      resourceVersion,
    }
    return { on, reason: code, message: `${message}: addresses are handed out, and no node announces them` }
  }
}

/** Some advertisement asks for all Services of the pool. */
function isOpen({ name }: Pool, { l2Advertisements, bgp }: Config): boolean {
  const all = [...l2Advertisements, ...(bgp?.advertisements ?? [])]
  return all.some(({ pools, serviceSelectors }) => pools.has(name) && serviceSelectors.length === 0)
}

function onService({ namespace, name, uid, resourceVersion }: Service, reason: Reason): Notice {
  const on = { apiVersion: apiVersionOf(services), kind: 'Service', namespace, name, uid, resourceVersion }
  return { on, reason: reason.code, message: `no node announces it: ${reason.message}` }
}
