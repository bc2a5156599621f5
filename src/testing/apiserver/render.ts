/** The forms an object can be answered in, by the Accept header: itself, its metadata, or a row of a table. */
import { apiVersionOf } from '../../core/object.ts'
import { toJson } from './json.ts'
import type { Resource } from './resources.ts'
import type { Entry } from './store.ts'
import { type IncludeObject, partial, table } from './table.ts'

export interface ListMetadata {
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
}

/** Texts of JSON answers for one resource in the form one client asked for; of entries in the resource's version. */
export interface Renderer {
  one(entry: Entry): string
  list(entries: readonly Entry[], metadata: ListMetadata): string
}

export function rendererFor(resource: Resource, accept: string, include: string | null): Renderer {
  const wanted = accept.split(',').map(type => /;as=(\w+)/.exec(type)?.[1])
  const form = wanted.find(as => as === undefined || as === 'Table' || /^PartialObjectMetadata(List)?$/.test(as))
  if (form === 'Table') return tables(resource, (include ?? 'Metadata') as IncludeObject)
  return form === undefined ? objects(resource) : partials()
}

function objects(resource: Resource): Renderer {
  const one = ({ text }: Entry) => text
  const head = `{"kind":"${resource.kind}List","apiVersion":"${apiVersionOf(resource)}","metadata":`
  return { one, list: (entries, metadata) => `${head}${toJson(metadata)},"items":[${entries.map(one).join(',')}]}\n` }
}

function tables(resource: Resource, include: IncludeObject): Renderer {
  const rows = (entries: readonly Entry[], metadata: ListMetadata) => {
    const shown = entries.map(({ object }) => object)
    return toJson(table(resource.columns, shown, { ...metadata }, include))
  }
  return { one: entry => rows([entry], { resourceVersion: String(entry.revision) }), list: rows }
}

function partials(): Renderer {
  const head = '{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":'
  const one = ({ object }: Entry) => toJson(partial(object))
  return { one, list: (entries, metadata) => `${head}${toJson(metadata)},"items":[${entries.map(one).join(',')}]}\n` }
}
