/**
 * Leader election by a coordination.k8s.io/v1 Lease (D 8). Nobody's timestamps are believed: a holder counts as alive
 * for its lease duration after WE last saw its record change. The holder gives up `renewDeadlineMs` after it SENT its
 * last renewal that was accepted, others begin `durationMs` after they saw that one: so the old leader has ended before
 * a new one starts, whatever the clocks and the network do.
 */
import { type LeaseResource, leases } from '../../api/index.ts'
import type { ObjectRef } from '../../core/object.ts'
import {
  type Clock,
  type KubeApi,
  KubeError,
  type Logger,
  type Random,
  type Task,
  type Timer,
} from '../../ports/index.ts'
import { pause } from './retry.ts'

export interface LeaderElectionOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly lease: ObjectRef
  /** One running process, e.g. the pod name: whoever returns under the same identity goes on at once. */
  readonly identity: string
  readonly onStarted: () => void
  /** Leading is over. On a clean stop the lease is released only after this resolved. */
  readonly onStopped: () => void | Promise<void>
  /** Defaults 15 s, 10 s and 2 s. */
  readonly durationMs?: number
  readonly renewDeadlineMs?: number
  readonly retryMs?: number
}

type Spec = NonNullable<LeaseResource['spec']>

export class LeaderElection implements Task {
  readonly name = 'leader election'
  readonly #options: Required<LeaderElectionOptions>
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  /** The record as last seen, and when (monotonic) we saw it change. */
  #seen: { text: string; atMs: number } | undefined
  #leading = false
  #deadlineMs = 0
  #deadline: Timer | undefined
  /** The manifests of the reference grant no rights to Leases: then this process decides as theirs does, unguarded. */
  #unguarded = false

  constructor(options: LeaderElectionOptions) {
    this.#options = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000, ...options }
  }

  /** Ask right before acting: also false when a frozen process wakes up after its time. */
  get leading(): boolean {
    return this.#leading && this.#options.clock.monotonic() < this.#deadlineMs
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** A process that does not lead is ready all the same. */
  ready(): true {
    return true
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    if (!this.#leading) return
    await this.#stopLeading('shutting down')
    if (!this.#unguarded) await this.#release()
  }

  async #run(): Promise<void> {
    const { clock, random, retryMs } = this.#options
    while (!this.#stopping.signal.aborted) {
      const sentMs = clock.monotonic()
      try {
        if (await this.#acquireOrRenew()) this.#renewed(sentMs)
      } catch (error) {
        if (error instanceof KubeError && error.code === 'FORBIDDEN') this.#leadUnguarded(error)
        else this.#options.log.warn({ op: 'leaderElection', error, msg: 'failed to acquire or renew the lease' })
      }
      await pause(clock, retryMs * (1 + random.next() / 5), this.#stopping.signal)
    }
  }

  /** True where the lease is ours; false where another holds it. Rejects where that could not be found out. */
  async #acquireOrRenew(): Promise<boolean> {
    const { api, lease, identity } = this.#options
    const current = await this.#get()
    if (current === undefined) {
      await api.create(leases, { metadata: { ...lease }, spec: this.#record({}) })
      return true
    }
    const spec = current.spec ?? {}
    if (spec.holderIdentity && spec.holderIdentity !== identity && this.#isAlive(spec)) {
      await this.#stopLeading(`the lease is held by ${spec.holderIdentity}`)
      return false
    }
    await api.replace(leases, { ...current, spec: this.#record(spec) })
    return true
  }

  async #get(): Promise<LeaseResource | undefined> {
    try {
      return await this.#options.api.get(leases, this.#options.lease)
    } catch (error) {
      if (error instanceof KubeError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  #isAlive(spec: Spec): boolean {
    const nowMs = this.#options.clock.monotonic()
    const text = JSON.stringify(spec)
    if (this.#seen?.text !== text) this.#seen = { text, atMs: nowMs }
    return nowMs < this.#seen.atMs + (spec.leaseDurationSeconds ?? this.#options.durationMs / 1000) * 1000
  }

  /** Our record, following the given one. */
  #record(before: Spec): Spec {
    const { identity, clock, durationMs } = this.#options
    const now = microTime(clock.now())
    const same = before.holderIdentity === identity
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: same ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before.leaseTransitions ?? 0) + (same || before.holderIdentity === undefined ? 0 : 1),
    }
  }

  /** Ours from the moment the request left us: its answer may have taken long. */
  #renewed(sentMs: number): void {
    const { clock, renewDeadlineMs, log, identity, onStarted } = this.#options
    const deadlineMs = sentMs + renewDeadlineMs
    const leftMs = deadlineMs - clock.monotonic()
    if (leftMs <= 0 || this.#stopping.signal.aborted) return
    this.#deadline?.cancel()
    this.#unguarded = false
    this.#deadlineMs = deadlineMs
    this.#deadline = clock.after(leftMs, () => void this.#stopLeading('the lease could not be renewed in time'))
    if (this.#leading) return
    this.#leading = true
    log.info({ op: 'leaderElection', identity, msg: 'became leader' })
    onStarted()
  }

  #leadUnguarded(error: KubeError): void {
    const { log, identity, onStarted } = this.#options
    if (this.#unguarded || this.#stopping.signal.aborted) return
    this.#unguarded = true
    this.#deadline?.cancel()
    this.#deadlineMs = Number.POSITIVE_INFINITY
    const msg = 'no right to use a lease: leading without one, make sure that no second controller runs'
    log.warn({ op: 'leaderElection', identity, error, msg })
    if (this.#leading) return
    this.#leading = true
    onStarted()
  }

  async #stopLeading(reason: string): Promise<void> {
    this.#deadline?.cancel()
    if (!this.#leading) return
    this.#leading = false
    this.#options.log.info({ op: 'leaderElection', identity: this.#options.identity, reason, msg: 'stopped leading' })
    try {
      await this.#options.onStopped()
    } catch (error) {
      this.#options.log.error({ op: 'leaderElection', error, msg: 'stopping failed' })
    }
  }

  /** An empty holder lets the next one begin at once. */
  async #release(): Promise<void> {
    const { api, identity, clock, log } = this.#options
    try {
      const current = await this.#get()
      if (current?.spec?.holderIdentity !== identity) return
      const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) }
      await api.replace(leases, { ...current, spec })
    } catch (error) {
      log.warn({ op: 'leaderElection', error, msg: 'failed to release the lease' })
    }
  }
}

/** meta/v1 MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
