/** The ConfigurationState object of one component, chapter 01 section 5.4. */
import {
  type Condition,
  type ConfigurationStateResource,
  configurationStates,
  MAX_CONDITION_MESSAGE,
} from '../../api/index.ts'
import { labelValue, shortenName } from '../../core/labels.ts'
import type { ObjectMeta, OwnerReference } from '../../core/object.ts'
import { formatTimestamp } from '../../core/timestamp.ts'
import { type Clock, type Informer, type KubeApi, KubeError, type Logger } from '../../ports/index.ts'

/** What came of the last attempt to load the configuration. */
export type Verdict =
  | { kind: 'valid' }
  /** The configuration is wrong. */
  | { kind: 'invalid'; message: string }
  /** The configuration could not even be looked at. */
  | { kind: 'unreadable'; message: string }

export interface StateOptions {
  readonly kube: KubeApi
  readonly states: Informer<ConfigurationStateResource>
  readonly clock: Clock
  readonly log: Logger
  readonly namespace: string
  /** The node of a speaker; absent in the controller. */
  readonly node?: string
  /** The own Pod, so that the object goes with it; absent outside a cluster. */
  readonly pod?: { readonly name: string; readonly uid: string }
}

/** The longest name an object can have. */
const MAX_NAME = 253

/** Makes the object say what the last verdict was, and puts right what others change in it. */
export class StateReporter {
  readonly #options: StateOptions
  readonly #condition: string
  #verdict: Verdict | undefined

  constructor(options: StateOptions) {
    this.#options = options
    this.#condition = options.node === undefined ? 'poolReconcilerValid' : 'configReconcilerValid'
  }

  get object(): { namespace: string; name: string } {
    const { node, namespace } = this.#options
    return { namespace, name: node === undefined ? 'controller' : shortenName(`speaker-${node}`, MAX_NAME) }
  }

  /** Takes note; `reconcile` writes it. */
  report(verdict: Verdict): void {
    this.#verdict = verdict
  }

  /** Writes what differs. Answers `retry` where somebody else wrote in between or the API did not answer. */
  async reconcile(): Promise<'done' | 'retry'> {
    const { states, log } = this.#options
    try {
      const present = states.get(this.object) ?? (await this.#create())
      await this.#correctMetadata(present)
      await this.#correctStatus(present)
      return 'done'
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      const raced = error.code === 'CONFLICT' || error.code === 'ALREADY_EXISTS'
      if (!raced) log.error({ error: error.message, message: 'failed to report condition' })
      return 'retry'
    }
  }

  async #create(): Promise<ConfigurationStateResource> {
    const { kube, pod } = this.#options
    const metadata = { ...this.object, labels: this.#labels(), ...(pod ? { ownerReferences: [ownerOf(pod)] } : {}) }
    const created = await kube.create(configurationStates, { metadata })
    this.#logged('created')
    return created
  }

  /** References to former Pods stay until they are collected. */
  async #correctMetadata({ metadata }: ConfigurationStateResource): Promise<void> {
    const { kube, pod } = this.#options
    const owners = metadata.ownerReferences ?? []
    const owned = pod === undefined || owners.some(({ uid }) => uid === pod.uid)
    const labels = this.#labels()
    if (owned && sameFields(metadata.labels ?? {}, labels)) return
    const body: Partial<ObjectMeta> = {
      labels: { ...absent(metadata.labels ?? {}), ...labels },
      ...(owned ? {} : { ownerReferences: [...owners, ownerOf(pod)] }),
    }
    await kube.patch(configurationStates, this.object, { type: 'merge', body: { metadata: body } })
    this.#logged('updated')
  }

  async #correctStatus({ metadata, status = {} }: ConfigurationStateResource): Promise<void> {
    const wanted = this.#status(status.conditions ?? [])
    if (JSON.stringify(canonicalStatus(status)) === JSON.stringify(wanted)) return
    // The list of conditions is written as a whole, so nobody may have written in between.
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, status: wanted }
    await this.#options.kube.patch(configurationStates, this.object, { type: 'merge', body }, 'status')
    this.#logged('updatedStatus')
  }

  #status(conditions: readonly Condition[]): Required<NonNullable<ConfigurationStateResource['status']>> {
    const before = conditions.find(({ type }) => type === this.#condition)
    const others = conditions.filter(({ type }) => type !== this.#condition)
    const mine = this.#verdict && this.#conditionOf(this.#verdict, before)
    return canonicalStatus({
      result: this.#verdict === undefined ? 'Unknown' : RESULTS[this.#verdict.kind],
      errorSummary: mine?.message ?? '',
      conditions: mine === undefined ? others : [...others, mine],
    })
  }

  #conditionOf(verdict: Verdict, before: Condition | undefined): Condition {
    const status = verdict.kind === 'valid' ? 'True' : 'False'
    const now = formatTimestamp(this.#options.clock.now())
    return {
      type: this.#condition,
      status,
      reason: REASONS[verdict.kind],
      message: verdict.kind === 'valid' ? '' : truncate(verdict.message),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
    }
  }

  #labels(): Record<string, string> {
    const { node } = this.#options
    if (node === undefined) return { 'metallb.io/component-type': 'controller' }
    return { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': labelValue(node) }
  }

  #logged(what: string): void {
    const { namespace, name } = this.object
    this.#options.log.info({
      controller: 'ConfigurationStateReconciler',
      event: `ConfigurationState ${what}`,
      object: `${namespace}/${name}`,
    })
  }
}

const RESULTS = { valid: 'Valid', invalid: 'Invalid', unreadable: 'Unknown' } as const
const REASONS = { valid: 'Reconciled', invalid: 'ConfigurationError', unreadable: 'InfraError' } as const

function ownerOf({ name, uid }: { name: string; uid: string }): OwnerReference {
  return { apiVersion: 'v1', kind: 'Pod', name, uid }
}

/** All fields, in one order: comparable as text. */
function canonicalStatus(status: NonNullable<ConfigurationStateResource['status']>) {
  const { result = 'Unknown', errorSummary = '', conditions = [] } = status
  const ordered = conditions.map(({ type, status, reason, message, lastTransitionTime }) => ({
    type,
    status,
    reason,
    message,
    lastTransitionTime,
  }))
  return { result, errorSummary, conditions: ordered.sort((a, b) => (a.type < b.type ? -1 : 1)) }
}

function sameFields(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => a[name] === b[name])
}

/** Removes the labels in a merge patch (RFC 7396). */
function absent(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(labels).map(name => [name, null])) as unknown as Record<string, string>
}

function truncate(message: string): string {
  return message.length <= MAX_CONDITION_MESSAGE ? message : `${message.slice(0, MAX_CONDITION_MESSAGE - 3)}...`
}
