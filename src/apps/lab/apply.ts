/** `kubectl apply` in small, for machines without kubectl: creates the objects of a manifest or merges them in. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import type { KubeClient } from '../../adapters/kube/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'

/** The objects of a YAML text, with the namespace filled in at use. Throws an Error that names what is wrong. */
export function parseManifest(text: string, source: string): KubeObject[] {
  return parseAllDocuments(text, { version: '1.1', logLevel: 'error' }).flatMap(document => {
    const [error] = document.errors
    if (error !== undefined) throw new Error(`${source}: ${error.message.split('\n')[0]}`)
    const object = document.toJS() as KubeObject | null
    if (object === null) return []
    if (object.kind && object.apiVersion && object.metadata?.name) return [object]
    throw new Error(`${source}: an object needs apiVersion, kind and metadata.name`)
  })
}

export function readManifest(path: string): KubeObject[] {
  return parseManifest(readFileSync(path, 'utf8'), path)
}

export class Applier {
  readonly #kube: KubeClient
  readonly #types = new Map<string, ResourceType>()

  constructor(kube: KubeClient) {
    this.#kube = kube
  }

  /** One after the other, in the order given: a CustomResourceDefinition before its objects. Rejects with KubeError. */
  async apply(objects: readonly KubeObject[]): Promise<void> {
    for (const object of objects) await this.#applyOne(object)
  }

  async #applyOne(given: KubeObject): Promise<void> {
    const type = await this.#typeOf(given)
    const namespace = type.namespaced ? (given.metadata.namespace ?? 'default') : undefined
    const object = { ...given, metadata: { ...given.metadata, namespace } }
    try {
      await this.#kube.create(type, object)
    } catch (error) {
      if (!(error instanceof KubeError && error.code === 'ALREADY_EXISTS')) throw error
      await this.#kube.patch(type, object.metadata, { type: 'merge', body: object })
    }
  }

  async #typeOf({ apiVersion = '', kind = '' }: KubeObject): Promise<ResourceType> {
    const key = `${apiVersion}/${kind}`
    const known = this.#types.get(key)
    if (known !== undefined) return known
    const type = await this.#discover(apiVersion, kind)
    this.#types.set(key, type)
    return type
  }

  async #discover(apiVersion: string, kind: string): Promise<ResourceType> {
    const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const { status, text } = await this.#kube.connection.request({ method: 'GET', path })
    const { resources = [] } = status === 200 ? (JSON.parse(text) as { resources?: DiscoveredResource[] }) : {}
    const found = resources.find(resource => resource.kind === kind && !resource.name.includes('/'))
    if (found === undefined) throw new KubeError('NOT_FOUND', `the server has no kind ${kind} in ${apiVersion}`)
    return { group, version, kind, plural: found.name, namespaced: found.namespaced }
  }
}

interface DiscoveredResource {
  name: string
  kind: string
  namespaced: boolean
}
