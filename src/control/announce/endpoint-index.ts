import { type EndpointSliceResource, parseEndpoints, SERVICE_NAME_LABEL } from '../../api/kubernetes/index.ts'
import { objectKey } from '../../core/object.ts'
import type { Endpoint } from '../../core/service.ts'
import type { Change } from '../../ports/index.ts'

/** EndpointSlices by the Service they belong to; one without the label belongs to none. */
export class EndpointIndex {
  readonly #slices = new Map<string, Map<string, EndpointSliceResource>>()

  /** Answers the Services whose endpoints changed. */
  apply(change: Change<EndpointSliceResource>): string[] {
    const before = change.kind === 'updated' ? change.before : undefined
    const affected = new Set<string>()
    for (const gone of change.kind === 'deleted' ? [change.object] : before ? [before] : []) {
      const service = serviceOf(gone)
      if (service === undefined) continue
      this.#remove(service, objectKey(gone.metadata))
      affected.add(service)
    }
    const service = change.kind === 'deleted' ? undefined : serviceOf(change.object)
    if (service !== undefined) {
      const slices = this.#slices.get(service) ?? new Map<string, EndpointSliceResource>()
      this.#slices.set(service, slices.set(objectKey(change.object.metadata), change.object))
      affected.add(service)
    }
    return [...affected]
  }

  endpointsOf(service: string): Endpoint[] {
    return [...(this.#slices.get(service)?.values() ?? [])].flatMap(parseEndpoints)
  }

  #remove(service: string, slice: string): void {
    const slices = this.#slices.get(service)
    slices?.delete(slice)
    if (slices?.size === 0) this.#slices.delete(service)
  }
}

function serviceOf({ metadata }: EndpointSliceResource): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME_LABEL]
  return name ? objectKey({ namespace: metadata.namespace, name }) : undefined
}
