/** Validating admission webhooks (admissionregistration.k8s.io/v1): which are asked, and what comes of their answers. */
import type { User } from './auth.ts'
import type { Conversions } from './conversion.ts'
import { ApiError } from './errors.ts'
import { type Fields, fieldsAt, isFields, type KubeJson, listAt, newUid } from './object.ts'
import type { Registry } from './registry.ts'
import type { Resource } from './resources.ts'
import type { Store } from './store.ts'
import type { WebhookClient } from './webhook-client.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

/** A write that is about to happen, in the version of the request. */
export interface Intent {
  readonly resource: Resource
  readonly operation: Operation
  readonly subresource: string
  readonly user: User
  /** Absent for a deletion. */
  readonly object?: KubeJson
  /** Absent for a creation. */
  readonly before?: KubeJson
  readonly dryRun: boolean
}

interface Call {
  readonly webhook: Fields
  /** The version the webhook wants to see. */
  readonly version: string
}

const CONFIGURATIONS = 'admissionregistration.k8s.io/validatingwebhookconfigurations'

export class Admission {
  readonly #store: Store
  readonly #registry: Registry
  readonly #client: WebhookClient
  readonly #conversions: Conversions

  constructor(parts: { store: Store; registry: Registry; client: WebhookClient; conversions: Conversions }) {
    this.#store = parts.store
    this.#registry = parts.registry
    this.#client = parts.client
    this.#conversions = parts.conversions
  }

  /** Undefined where no webhook wants to know; rejects with the first refusal. Warnings are added to the list. */
  review(intent: Intent, warnings: string[]): Promise<void> | undefined {
    const calls = this.#calls(intent)
    if (calls.length === 0) return undefined
    return Promise.all(calls.map(call => this.#ask(call, intent))).then(answers => {
      warnings.push(...answers.flatMap(answer => answer.warnings))
      const refused = answers.find(({ refusal }) => refusal !== undefined)
      if (refused?.refusal !== undefined) throw refused.refusal
    })
  }

  #calls(intent: Intent): Call[] {
    // Webhooks are never asked about webhooks, or a broken one could not be removed.
    if (intent.resource.group === 'admissionregistration.k8s.io') return []
    const webhooks = this.#store.list(CONFIGURATIONS).flatMap(({ object }) => listAt(object, 'webhooks'))
    return webhooks.flatMap(webhook => {
      const version = this.#matchingVersion(webhook, intent)
      return version === undefined || !this.#selected(webhook, intent) ? [] : [{ webhook, version }]
    })
  }

  /** matchPolicy Equivalent, the default, also takes rules for other versions of the resource. */
  #matchingVersion(webhook: Fields, intent: Intent): string | undefined {
    const { group, version, plural } = intent.resource
    const others =
      webhook.matchPolicy === 'Exact' ? [] : this.#registry.all().filter(({ id }) => id === `${group}/${plural}`)
    const versions = [version, ...others.map(other => other.version)]
    return versions.find(candidate => listAt(webhook, 'rules').some(rule => matches(rule, intent, candidate)))
  }

  #selected(webhook: Fields, { resource, object, before }: Intent): boolean {
    const objects = [object, before].filter(value => value !== undefined)
    const byObject = labelSelector(webhook.objectSelector)
    if (!objects.some(({ metadata }) => byObject(metadata.labels ?? {}))) return false
    const { namespace } = objects[0]!.metadata
    const holder = resource.id === '/namespaces' ? objects[0] : this.#store.get('/namespaces', namespace ?? '')?.object
    // Cluster-scoped objects have no namespace that could be left out.
    return holder === undefined || labelSelector(webhook.namespaceSelector)(holder.metadata.labels ?? {})
  }

  async #ask({ webhook, version }: Call, intent: Intent): Promise<{ warnings: string[]; refusal?: ApiError }> {
    const uid = newUid()
    const { timeoutSeconds = 10, clientConfig, name } = webhook
    try {
      const request = await this.#request(uid, version, intent)
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
      const seconds = Number(timeoutSeconds)
      const response = await this.#client.call(isFields(clientConfig) ? clientConfig : {}, seconds, review)
      if (response.uid !== uid) throw new Error(`expected response.uid="${uid}", got "${response.uid}"`)
      const warnings = Array.isArray(response.warnings) ? response.warnings.map(String) : []
      return response.allowed === true ? { warnings } : { warnings, refusal: denied(String(name), response) }
    } catch (error) {
      if (webhook.failurePolicy === 'Ignore') return { warnings: [] }
      return { warnings: [], refusal: unreachable(String(name), (error as Error).message) }
    }
  }

  async #request(uid: string, version: string, intent: Intent): Promise<Fields> {
    const { resource, operation, subresource, user, object, before, dryRun } = intent
    const inVersion = async (value: KubeJson | undefined) =>
      value === undefined ? null : await this.#conversions.between(resource, version, value)
    const { group, kind, plural } = resource
    const { name, namespace } = (object ?? before)!.metadata
    return {
      ...{ uid, kind: { group, version, kind }, resource: { group, version, resource: plural } },
      requestKind: { group, version: resource.version, kind },
      requestResource: { group, version: resource.version, resource: plural },
      ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
      ...{ name, namespace, operation, dryRun, userInfo: { username: user.name, groups: user.groups } },
      ...{ object: await inVersion(object), oldObject: await inVersion(before), options: null },
    }
  }
}

function matches(rule: Fields, { resource, operation, subresource }: Intent, version: string): boolean {
  const has = (name: string, value: string) => {
    const list = Array.isArray(rule[name]) ? rule[name] : []
    return list.includes('*') || list.includes(value)
  }
  const scope = rule.scope ?? '*'
  const full = subresource === '' ? resource.plural : `${resource.plural}/${subresource}`
  const wild = ['*/*', `*/${subresource}`, `${resource.plural}/*`]
  const resources = Array.isArray(rule.resources) ? rule.resources.map(String) : []
  const named = resources.some(
    pattern => pattern === full || wild.includes(pattern) || (pattern === '*' && subresource === ''),
  )
  const scoped = scope === '*' || scope === (resource.namespaced ? 'Namespaced' : 'Cluster')
  return (
    named && scoped && has('operations', operation) && has('apiGroups', resource.group) && has('apiVersions', version)
  )
}

/** metav1.LabelSelector; absent and empty ones select everything. */
function labelSelector(selector: unknown): (labels: Readonly<Record<string, string>>) => boolean {
  if (!isFields(selector)) return () => true
  const wanted = Object.entries(fieldsAt(selector, 'matchLabels'))
  const expressions = listAt(selector, 'matchExpressions')
  return labels =>
    wanted.every(([key, value]) => labels[key] === value) && expressions.every(term => holds(term, labels))
}

function holds({ key, operator, values }: Fields, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[String(key)]
  const listed = Array.isArray(values) && values.includes(value)
  if (operator === 'In') return value !== undefined && listed
  if (operator === 'NotIn') return value === undefined || !listed
  return (value !== undefined) === (operator === 'Exists')
}

/** The webhook's Status with its name in front, at least a 400 (apiserver webhookerrors.ToStatusErr). */
function denied(name: string, response: Fields): ApiError {
  const { code, message, reason, details } = fieldsAt(response, 'status')
  const head = `admission webhook "${name}" denied the request`
  const why = message || reason
  const text = why ? `${head}: ${why}` : `${head} without explanation`
  const refusal = Number(code ?? 0) < 400 ? 400 : Number(code)
  return new ApiError(refusal, String(reason ?? ''), text, isFields(details) ? details : undefined)
}

function unreachable(name: string, why: string): ApiError {
  const text = `failed calling webhook "${name}": failed to call webhook: ${why}`
  const causes = [{ reason: '', field: '', message: text }]
  return new ApiError(500, 'InternalError', `Internal error occurred: ${text}`, { causes })
}
