/** Writes as requests make them: worked out, converted, shown to the webhooks, and done if nothing changed meanwhile. */
import { type ObjectRef, objectKey } from '../../core/object.ts'
import type { Admission, Operation } from './admission.ts'
import type { User } from './auth.ts'
import type { Cluster } from './cluster.ts'
import type { Conversions } from './conversion.ts'
import type { WriteOptions } from './decode.ts'
import { type DeleteOptions, remove } from './deletion.ts'
import { conflict, MODIFIED } from './errors.ts'
import type { Resource } from './resources.ts'
import type { Entry } from './store.ts'
import { type Change, commit, current, type Located } from './writes.ts'

export interface WriteRequest {
  readonly resource: Resource
  readonly ref: ObjectRef
  readonly subresource: string
  readonly user: User
  readonly options: WriteOptions & { readonly warnings: string[] }
}

/** How often a write is worked out anew because another one came between. */
const MAX_ATTEMPTS = 5

export class Writer {
  readonly #cluster: Cluster
  readonly #conversions: Conversions
  readonly #admission: Admission

  constructor(cluster: Cluster, conversions: Conversions, admission: Admission) {
    this.#cluster = cluster
    this.#conversions = conversions
    this.#admission = admission
  }

  /** Answers what is stored then. Waits only where a webhook is asked, so that other writes come before or after. */
  async write(request: WriteRequest, prepare: (found: Located | undefined) => Change): Promise<Entry> {
    const { resource, ref, options } = request
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const located = this.#locate(resource, ref)
      const change = prepare(located instanceof Promise ? await located : located)
      const asked = this.#review(request, change)
      if (asked !== undefined) await asked
      const stored = this.#conversions.stored(resource, change.object)
      const object = stored instanceof Promise ? await stored : stored
      if (this.#cluster.store.get(resource.id, objectKey(object.metadata)) === change.stored)
        return commit(this.#cluster, resource, { ...change, object }, options)
    }
    throw conflict(resource, ref.name, MODIFIED)
  }

  async remove(request: WriteRequest, entry: Entry, deletion: DeleteOptions): Promise<{ entry: Entry; gone: boolean }> {
    const { resource, subresource, user, options } = request
    const shown = this.#conversions.shown(resource, [entry])
    const [seen] = shown instanceof Promise ? await shown : shown
    const intent = { resource, operation: 'DELETE' as const, subresource, user, before: seen!.object }
    const asked = this.#admission.review({ ...intent, dryRun: deletion.dryRun === true }, options.warnings)
    if (asked !== undefined) await asked
    const { name, namespace } = entry.object.metadata
    return remove(this.#cluster, resource, current(this.#cluster, resource, { name, namespace }), deletion)
  }

  #locate(resource: Resource, ref: ObjectRef): Located | undefined | Promise<Located> {
    const stored = this.#cluster.store.get(resource.id, objectKey(ref))
    if (stored === undefined) return undefined
    const shown = this.#conversions.shown(resource, [stored])
    if (shown instanceof Promise) return shown.then(([seen]) => ({ stored, seen: seen! }))
    return { stored, seen: shown[0]! }
  }

  #review({ resource, subresource, user, options }: WriteRequest, change: Change): Promise<void> | undefined {
    const operation: Operation = change.stored === undefined ? 'CREATE' : 'UPDATE'
    const { object, before } = change
    const dryRun = options.dryRun === true
    return this.#admission.review({ resource, operation, subresource, user, object, before, dryRun }, options.warnings)
  }
}
