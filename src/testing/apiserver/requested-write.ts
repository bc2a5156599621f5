/** What a write request asks for: by its verb and media type, and counted for its field manager. */
import { apiVersionOf, type ObjectRef } from '../../core/object.ts'
import { applied } from './apply.ts'
import type { Cluster } from './cluster.ts'
import type { WriteOptions } from './decode.ts'
import { badRequest } from './errors.ts'
import { counted } from './managed-fields.ts'
import type { Resource } from './resources.ts'
import { APPLY, type Change, creation, type Located, patched, replacement } from './writes.ts'

export interface RequestedWrite {
  /** create, update or patch. */
  readonly verb: string
  readonly resource: Resource
  readonly ref: ObjectRef
  readonly subresource: string
  readonly query: URLSearchParams
  readonly userAgent: string
  readonly mediaType: string
  readonly body: unknown
  readonly options: WriteOptions
}

/** Throws what the client is to be told where it cannot be done. */
export function requestedChange(cluster: Cluster, write: RequestedWrite, found: Located | undefined): Change {
  const { verb, resource, ref, subresource, query, body, options } = write
  if (verb === 'patch' && write.mediaType === APPLY) {
    const force = query.get('force') === 'true'
    const applyOptions = { ...options, fieldManager: query.get('fieldManager') ?? '', force }
    return applied(cluster, resource, ref, found, body, subresource, applyOptions)
  }
  const change = plainChange(cluster, write, found)
  // The client's own word for itself, or its program's name.
  const name = query.get('fieldManager') || write.userAgent.split('/')[0] || 'unknown'
  const manager = { name, operation: 'Update' as const, apiVersion: apiVersionOf(resource), subresource }
  return { ...change, object: counted(resource, change.object, change.before, manager) }
}

function plainChange(cluster: Cluster, write: RequestedWrite, found: Located | undefined): Change {
  const { verb, resource, ref, subresource, mediaType, body, options } = write
  if (verb === 'create') return creation(cluster, resource, ref.namespace, body, options)
  if (verb === 'update') return replacement(cluster, resource, ref, found, body, subresource, options)
  return patched(cluster, resource, ref, found, mediaType, body, subresource, options)
}

/** Throws 400 for a fieldValidation that there is not. */
export function writeOptions(query: URLSearchParams): WriteOptions & { warnings: string[] } {
  const validation = query.get('fieldValidation') || 'Warn'
  if (!['Strict', 'Warn', 'Ignore'].includes(validation))
    throw badRequest(
      `fieldValidation: Unsupported value: "${validation}": supported values: "Ignore", "Warn", "Strict"`,
    )
  const fieldValidation = validation as WriteOptions['fieldValidation']
  return { dryRun: query.get('dryRun') === 'All', fieldValidation, warnings: [] }
}
