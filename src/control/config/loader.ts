/** Keeps the configuration in force equal to what the cluster says, as long as that is valid: chapter 01 section 3. */
import {
  type ConfigSnapshot,
  type ConfigurationStateResource,
  type ParseOptions,
  parseConfig,
} from '../../api/index.ts'
import { type Config, formatProblem, type Problem, sameConfig } from '../../core/config/index.ts'
import { objectKey } from '../../core/object.ts'
import { formatTimestamp } from '../../core/timestamp.ts'
import type { Clock, Informer, KubeApi, Logger, Metrics, Task } from '../../ports/index.ts'
import { WorkQueue } from '../queue.ts'
import type { SyncResult } from '../sync.ts'
import { dumpOf } from './dump.ts'
import { type ClientMetrics, clientMetrics, type OutcomeTimes, outcomeTimes } from './metrics.ts'
import { type ConfigSources, changeMatters, snapshotOf, sourcesOf } from './sources.ts'
import { type ConfigStanding, differences, type Generations, generationsOf } from './standing.ts'
import { StateReporter } from './state.ts'

export interface ConfigLoaderOptions {
  readonly kube: KubeApi
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** The MetalLB namespace. */
  readonly namespace: string
  /** The node of a speaker; absent in the controller. */
  readonly node?: string
  /** The own Pod, which owns the ConfigurationState; absent outside a cluster. */
  readonly pod?: { readonly name: string; readonly uid: string }
  readonly sources: ConfigSources
  /** Rules of the BGP mode, and whether the own Secrets are passed on. */
  readonly parse?: Omit<ParseOptions, 'node'>
  readonly states: Informer<ConfigurationStateResource>
  /** Takes the new configuration over, or leaves the former one in force. A rejection counts as `error`. */
  readonly apply: (config: Config) => SyncResult | Promise<SyncResult>
  /** Every Service has to be looked at again. */
  readonly reprocessAll: () => void
}

/** Lines logged for one broken configuration; the count tells of the rest. */
const LOGGED_PROBLEMS = 20

/** The queue keys: look at the configuration, look at the ConfigurationState. */
const CONFIG = 'config'
const STATE = 'state'

export class ConfigLoader implements Task {
  readonly name: string
  readonly #options: ConfigLoaderOptions
  readonly #log: Logger
  readonly #metrics: ClientMetrics
  readonly #times: OutcomeTimes
  readonly #queue: WorkQueue
  readonly #state: StateReporter
  readonly #ends: (() => void)[] = []
  /** The last configuration handed to `apply`; none after a transient failure. */
  #last: { config: Config; applied: boolean } | undefined
  #attempted = false
  #trigger = ''
  /** What the configuration in force was made of, and since when it is in force. */
  #inForce: { readonly generations: Generations; readonly sinceMs: number } | undefined
  #refused: string | undefined

  constructor(options: ConfigLoaderOptions) {
    const { clock, metrics, log } = options
    this.#options = options
    this.name = options.node === undefined ? 'PoolReconciler' : 'ConfigReconciler'
    this.#log = log.with({ controller: this.name })
    this.#metrics = clientMetrics(metrics)
    this.#times = outcomeTimes(metrics)
    this.#metrics.configLoaded.set(0)
    this.#metrics.configStale.set(0)
    this.#state = new StateReporter({ ...options, log: this.#log })
    const handle = (key: string) => (key === CONFIG ? this.#reconcile() : this.#state.reconcile())
    this.#queue = new WorkQueue({ name: this.name, clock, log: this.#log, handle })
  }

  /** Nothing is looked at before every cache is complete: half a configuration would take addresses away. */
  start(): void {
    const { sources, states } = this.#options
    for (const [source, informer] of sourcesOf(sources)) {
      const end = informer.subscribe(change => {
        if (changeMatters(sources, source, change)) this.#look(objectKey(change.object.metadata))
      })
      this.#ends.push(end)
    }
    this.#ends.push(
      states.subscribe(({ object }) => {
        if (objectKey(object.metadata) === objectKey(this.#state.object)) this.#queue.add(STATE)
      }),
    )
    this.#look('start')
    void states.whenSynced().then(() => this.#queue.add(STATE))
    void Promise.all(sourcesOf(sources).map(([, informer]) => informer.whenSynced())).then(() => this.#queue.start())
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await this.#queue.stop()
  }

  ready(): true | string {
    if (this.#attempted) return true
    const missing = sourcesOf(this.#options.sources).filter(([, informer]) => !informer.synced)
    if (missing.length === 0) return 'the configuration has not been looked at yet'
    return `waiting for the first list of ${missing.map(([source]) => source).join(', ')}`
  }

  /** Which configuration is in force now, and why not the newest. */
  standing(): ConfigStanding {
    const { sources, namespace } = this.#options
    if (this.#inForce === undefined) return { differs: [], ...(this.#refused && { refused: this.#refused }) }
    const { generations, sinceMs } = this.#inForce
    const since = formatTimestamp(sinceMs)
    if (this.#refused === undefined) return { since, differs: [] }
    return {
      since,
      refused: this.#refused,
      differs: differences(generations, generationsOf(snapshotOf(sources, namespace))),
    }
  }

  #look(trigger: string): void {
    this.#trigger = trigger
    this.#queue.add(CONFIG)
  }

  async #reconcile(): Promise<'done' | 'retry'> {
    const trigger = this.#trigger
    this.#log.info({ 'start reconcile': trigger })
    this.#metrics.updates.inc()
    const outcome = await this.#load()
    this.#attempted = true
    if (this.#options.states.synced) this.#queue.add(STATE)
    this.#log.info({ 'end reconcile': trigger })
    return outcome
  }

  async #load(): Promise<'done' | 'retry'> {
    const { sources, namespace, node, parse } = this.#options
    const snapshot = snapshotOf(sources, namespace)
    this.#log.debug(() => ({ [node === undefined ? 'metallb CRs' : 'metallb CRs and Secrets']: dumpOf(snapshot) }))
    if (node !== undefined && sources.nodes?.get({ name: node }) === undefined) return this.#missing(node)
    const parsed = parseConfig(snapshot, { ...parse, ...(node === undefined ? {} : { node }) })
    if ('problems' in parsed) return this.#refuse(parsed.problems)
    this.#log.debug(() => ({ 'rendered config': dumpOf(parsed.config) }))
    if (this.#last === undefined || !sameConfig(this.#last.config, parsed.config)) {
      for (const warning of parsed.warnings) this.#logProblem(warning)
      return this.#apply(parsed.config, snapshot)
    }
    this.#log.debug({ event: 'configuration did not change, ignoring' })
    // What could not be applied stays so until other input comes (REF-BUG 10); what is applied is not stale (REF-BUG 9).
    if (this.#last.applied) this.#settle(snapshot)
    else this.#fail()
    return 'done'
  }

  /** Which peers and advertisements are for this node is not known. The node brings us back when it appears. */
  #missing(node: string): 'done' {
    const message = `failed to get node for ${node}`
    this.#log.error({ message, error: `node "${node}" not found` })
    this.#refuseFor(message)
    this.#state.report({ kind: 'unreadable', message })
    return 'done'
  }

  #refuse(problems: readonly Problem[]): 'done' {
    const errors = problems.filter(({ severity }) => severity === 'error')
    for (const problem of errors.slice(0, LOGGED_PROBLEMS)) this.#logProblem(problem)
    if (errors.length > LOGGED_PROBLEMS)
      this.#log.error({ msg: 'failed to parse the configuration', error: `${errors.length} problems in total` })
    this.#metrics.configStale.set(1)
    const why = errors.map(formatProblem).join('\n')
    this.#refuseFor(why)
    this.#state.report({ kind: 'invalid', message: `configuration error: ${why}` })
    return 'done' // the next event on any watched object brings the next attempt (section 2.11)
  }

  async #apply(config: Config, snapshot: ConfigSnapshot): Promise<'done' | 'retry'> {
    const result = await this.#attempt(config)
    switch (result) {
      case 'success':
      case 'reprocess all':
        this.#last = { config, applied: true }
        this.#inForce = undefined
        this.#settle(snapshot)
        if (result === 'reprocess all') {
          this.#log.info({ event: 'force service reload' })
          this.#options.reprocessAll()
        }
        this.#log.info({ event: 'config reloaded' })
        return 'done'
      case 'error':
      case 'error, no retry': {
        const retry = result === 'error'
        this.#last = retry ? undefined : { config, applied: false }
        this.#metrics.updateErrors.inc()
        this.#fail()
        const event = retry ? 'reload failed, retry' : 'reload failed, no retry'
        this.#log.error({ event, 'metallb CRs and Secrets': dumpOf(snapshot) })
        return retry ? 'retry' : 'done'
      }
    }
  }

  async #attempt(config: Config): Promise<SyncResult> {
    try {
      return await this.#options.apply(config)
    } catch (error) {
      this.#log.error({ error, msg: 'applying the configuration failed' })
      return 'error'
    }
  }

  /** Objects may say the same in other words: then the configuration in force is as old as it was. */
  #settle(snapshot: ConfigSnapshot): void {
    const sinceMs = this.#inForce?.sinceMs ?? this.#options.clock.now()
    this.#inForce = { generations: generationsOf(snapshot), sinceMs }
    this.#refused = undefined
    this.#times.success.set(this.#seconds())
    this.#metrics.configLoaded.set(1)
    this.#metrics.configStale.set(0)
    this.#state.report({ kind: 'valid' })
  }

  #fail(): void {
    this.#metrics.configStale.set(1)
    const message = 'configuration error: general handler sync state error'
    this.#refuseFor('it could not be applied: the log says why')
    this.#state.report({ kind: 'invalid', message })
  }

  #refuseFor(why: string): void {
    this.#refused = why
    this.#times.error.set(this.#seconds())
  }

  #seconds(): number {
    return Math.floor(this.#options.clock.now() / 1000)
  }

  #logProblem({ kind, namespace, name, path, message, hint, severity }: Problem): void {
    const where = { kind, name, ...(namespace ? { namespace } : {}), ...(path ? { field: path } : {}) }
    const fields = { ...where, ...(hint ? { hint } : {}), error: message }
    if (severity === 'error') this.#log.error({ ...fields, msg: 'failed to parse the configuration' })
    else this.#log.warn({ ...fields, msg: 'configuration warning' })
  }
}
