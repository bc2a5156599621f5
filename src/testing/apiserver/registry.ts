/** The resources served now: the built-in ones and those of the stored CustomResourceDefinitions. */
import { BUILT_IN } from './builtin.ts'
import { crdResources } from './crd.ts'
import type { Resource } from './resources.ts'
import type { Store } from './store.ts'

const CRDS = 'apiextensions.k8s.io/customresourcedefinitions'

export class Registry {
  /** By `group/version/plural`. */
  readonly #resources = new Map<string, Resource>()
  readonly #ofCrd = new Map<string, Resource[]>()

  constructor(store: Store) {
    for (const resource of BUILT_IN) this.#add(resource)
    store.followAll(({ resource, type, entry }) => {
      if (resource !== CRDS) return
      for (const old of this.#ofCrd.get(entry.key) ?? []) this.#resources.delete(pathOf(old))
      this.#ofCrd.delete(entry.key)
      if (type === 'DELETED') return
      const resources = crdResources(entry.object)
      this.#ofCrd.set(entry.key, resources)
      for (const defined of resources) this.#add(defined)
    })
  }

  get(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.get(`${group}/${version}/${plural}`)
  }

  /** Every served resource, a version a row. */
  all(): Resource[] {
    return [...this.#resources.values()]
  }

  byId(id: string): Resource | undefined {
    return this.all().find(resource => resource.id === id && resource.version === resource.storageVersion)
  }

  byKind(apiVersion: string, kind: string): Resource | undefined {
    const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
    return this.all().find(found => found.kind === kind && found.group === group && found.version === version)
  }

  #add(resource: Resource): void {
    this.#resources.set(pathOf(resource), resource)
  }
}

function pathOf({ group, version, plural }: Resource): string {
  return `${group}/${version}/${plural}`
}
