/** Objects in another version than the one they are kept in: by their apiVersion alone, or by a conversion webhook. */
import { apiVersionOf } from '../../core/object.ts'
import { storageApiVersion } from './decode.ts'
import { ApiError } from './errors.ts'
import { type Fields, fieldsAt, isFields, type KubeJson, newUid } from './object.ts'
import type { Registry } from './registry.ts'
import type { Resource } from './resources.ts'
import { Entry } from './store.ts'
import type { WebhookClient } from './webhook-client.ts'

/** A fixed one (apiextensions webhook converter). */
const TIMEOUT_SECONDS = 30

/** True where the fields differ between this version and the stored one. */
export function converts({ conversion, version, storageVersion }: Resource): boolean {
  return conversion !== undefined && version !== storageVersion
}

export class Conversions {
  readonly #registry: Registry
  readonly #client: WebhookClient
  /** What an entry looks like in a version; forgotten with the entry, and whenever the definition changes. */
  readonly #shown = new WeakMap<Resource, WeakMap<Entry, Entry>>()

  constructor(registry: Registry, client: WebhookClient) {
    this.#registry = registry
    this.#client = client
  }

  /** Stored entries in the resource's version; a promise only where a webhook has to be asked. Rejects with 500. */
  shown(given: Resource, entries: readonly Entry[]): readonly Entry[] | Promise<readonly Entry[]> {
    if (given.version === given.storageVersion) return entries
    const resource = this.#registry.get(given.group, given.version, given.plural) ?? given
    const known = this.#shown.get(resource) ?? new WeakMap<Entry, Entry>()
    this.#shown.set(resource, known)
    const missing = entries.filter(entry => !known.has(entry))
    const all = () => entries.map(entry => known.get(entry)!)
    const learn = (objects: readonly KubeJson[]) => {
      for (const [index, entry] of missing.entries()) known.set(entry, new Entry(objects[index]!, entry.revision))
    }
    const objects = missing.map(({ object }) => object)
    if (missing.length > 0 && converts(resource))
      return this.#ask(resource, apiVersionOf(resource), objects).then(converted => {
        learn(converted)
        return all()
      })
    learn(objects.map(object => ({ ...object, apiVersion: apiVersionOf(resource) })))
    return all()
  }

  /** An object of the resource's version as it is stored. */
  stored(resource: Resource, object: KubeJson): KubeJson | Promise<KubeJson> {
    if (converts(resource))
      return this.#ask(resource, storageApiVersion(resource), [object]).then(([converted]) => converted!)
    return { ...object, apiVersion: storageApiVersion(resource) }
  }

  /** An object of one served version in another. */
  async between(resource: Resource, version: string, object: KubeJson): Promise<KubeJson> {
    const wanted = apiVersionOf({ ...resource, version })
    if (object.apiVersion === wanted) return object
    if (resource.conversion === undefined) return { ...object, apiVersion: wanted }
    return (await this.#ask(resource, wanted, [object]))[0]!
  }

  async #ask(resource: Resource, desiredAPIVersion: string, objects: readonly KubeJson[]): Promise<KubeJson[]> {
    const uid = newUid()
    const request = { uid, desiredAPIVersion, objects }
    try {
      const review = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request }
      const response = await this.#client.call(resource.conversion!, TIMEOUT_SECONDS, review)
      return checked(response, uid, desiredAPIVersion, objects)
    } catch (error) {
      const from = objects[0]!.apiVersion
      const why = `conversion webhook for ${from}, Kind=${resource.kind} failed: ${(error as Error).message}`
      throw new ApiError(500, 'InternalError', why)
    }
  }
}

function checked(response: Fields, uid: string, apiVersion: string, sent: readonly KubeJson[]): KubeJson[] {
  if (response.uid !== uid) throw new Error(`expected response.uid=${uid}, got ${response.uid}`)
  const { status, message } = fieldsAt(response, 'result')
  if (status !== 'Success') throw new Error(String(message || 'the webhook gave no reason'))
  const list = Array.isArray(response.convertedObjects) ? response.convertedObjects : []
  if (list.length !== sent.length) throw new Error(`expected ${sent.length} converted objects, got ${list.length}`)
  return list.map((object, index) => checkedObject(object, apiVersion, sent[index]!))
}

/** A webhook may change labels and annotations, and nothing else of metadata (apiextensions webhook converter). */
function checkedObject(object: unknown, apiVersion: string, { metadata, kind }: KubeJson): KubeJson {
  if (!isFields(object) || object.apiVersion !== apiVersion || object.kind !== kind)
    throw new Error(`expected a ${kind} in ${apiVersion}`)
  const { labels, annotations, name, uid } = fieldsAt(object, 'metadata') as Partial<KubeJson['metadata']>
  if (name !== metadata.name || uid !== metadata.uid) throw new Error('the converted object must keep its name and uid')
  const kept = { ...metadata, labels, annotations }
  if (labels === undefined) delete kept.labels
  if (annotations === undefined) delete kept.annotations
  return { ...object, apiVersion, kind, metadata: kept }
}
