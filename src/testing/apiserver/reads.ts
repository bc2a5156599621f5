/** Lists: selected, consistent over their pages, at a revision. */
import { ApiError, badRequest, expired } from './errors.ts'
import type { ListMetadata } from './render.ts'
import type { Resource } from './resources.ts'
import { type Filter, fieldFilter, labelFilter } from './selectors.ts'
import type { Entry, Store } from './store.ts'

/** How many paged lists are kept for their later pages; older ones answer 410. */
const KEPT_LISTS = 64

interface KeptList {
  readonly entries: readonly Entry[]
  readonly revision: number
}

/** What a list or a watch selects: a namespace, labels, fields. */
export function selection(resource: Resource, namespace: string | undefined, query: URLSearchParams): Filter {
  const byLabels = labelFilter(query.get('labelSelector') ?? '')
  const byFields = fieldFilter(query.get('fieldSelector') ?? '', resource.selectable)
  return object =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (byLabels === undefined || byLabels(object)) &&
    (byFields === undefined || byFields(object))
}

export class Lists {
  readonly #store: Store
  readonly #kept = new Map<string, KeptList>()
  #serial = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** One page; throws 410 where the list of a continue token is no longer kept. */
  page(
    resource: Resource,
    filter: Filter,
    query: URLSearchParams,
  ): { entries: readonly Entry[]; metadata: ListMetadata } {
    const limit = wholeNumber(query, 'limit')
    const token = query.get('continue')
    const { list, offset, id } = token ? this.#resume(token) : this.#begin(resource, filter, query)
    const end = limit === 0 ? list.entries.length : Math.min(offset + limit, list.entries.length)
    const metadata: ListMetadata = { resourceVersion: String(list.revision) }
    const remaining = list.entries.length - end
    if (remaining > 0) {
      metadata.continue = this.#keep(list, end, id)
      // A real server does not know how many of the rest a selector takes.
      if (!query.get('labelSelector') && !query.get('fieldSelector')) metadata.remainingItemCount = remaining
    }
    return { entries: list.entries.slice(offset, end), metadata }
  }

  /** All continue tokens are void from now on. */
  forget(): void {
    this.#kept.clear()
  }

  #begin(resource: Resource, filter: Filter, query: URLSearchParams) {
    const wanted = knownRevision(query, this.#store)
    const exact = query.get('resourceVersionMatch') === 'Exact'
    if (exact && wanted !== this.#store.revision) throw expired('The resourceVersion for the provided list is too old.')
    const entries = this.#store.list(resource.id).filter(({ object }) => filter(object))
    return { list: { entries, revision: this.#store.revision }, offset: 0, id: undefined }
  }

  #resume(token: string) {
    const [id, offset] = Buffer.from(token, 'base64url').toString().split('/')
    if (id === undefined || !/^\d+$/.test(offset ?? '')) throw badRequest('continue key is not valid')
    const list = this.#kept.get(id)
    if (list === undefined)
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
      )
    return { list, offset: Number(offset), id }
  }

  #keep(list: KeptList, offset: number, id = `${Date.now()}-${++this.#serial}`): string {
    this.#kept.delete(id)
    this.#kept.set(id, list)
    if (this.#kept.size > KEPT_LISTS) this.#kept.delete(this.#kept.keys().next().value!)
    return Buffer.from(`${id}/${offset}`).toString('base64url')
  }
}

export function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) || '0'
  if (!/^\d+$/.test(text)) throw badRequest(`${name}: Invalid value: "${text}": must be a whole number`)
  return Number(text)
}

/** The resourceVersion asked for; 0 where there is none. */
export function wantedRevision(query: URLSearchParams): number {
  const text = query.get('resourceVersion') || '0'
  if (!/^\d+$/.test(text)) throw badRequest(`Invalid value: "${text}": resource version must be a whole number`)
  return Number(text)
}

/** Throws 504 for a resourceVersion in the future, as after a restore from a backup: a list cannot wait for it. */
function knownRevision(query: URLSearchParams, { revision }: Store): number {
  const wanted = wantedRevision(query)
  if (wanted <= revision) return wanted
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }]
  const message = `Timeout: Too large resource version: ${wanted}, current: ${revision}`
  throw new ApiError(504, 'Timeout', message, { causes, retryAfterSeconds: 1 })
}
