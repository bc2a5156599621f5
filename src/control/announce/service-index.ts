import { parseService, type ServiceResource } from '../../api/kubernetes/index.ts'
import { type Address, formatAddress } from '../../core/ip/index.ts'
import { objectKey } from '../../core/object.ts'
import type { Service } from '../../core/service.ts'
import type { Change } from '../../ports/index.ts'

/** Every Service, parsed once, and which of them hold an address. */
export class ServiceIndex {
  readonly #services = new Map<string, Service>()
  readonly #holders = new Map<string, Set<string>>()

  /** Answers the Services to look at again: this one, and those that held an address together with it before. */
  apply({ kind, object }: Change<ServiceResource>): string[] {
    const key = objectKey({ namespace: object.metadata.namespace, name: object.metadata.name })
    const before = this.#services.get(key)
    const affected = [key, ...(before === undefined ? [] : this.sharers(key))]
    if (before !== undefined) for (const text of addressesOf(before)) this.#unhold(text, key)
    if (kind === 'deleted') this.#services.delete(key)
    else {
      const service = parseService(object)
      this.#services.set(key, service)
      for (const text of addressesOf(service))
        this.#holders.set(text, (this.#holders.get(text) ?? new Set<string>()).add(key))
    }
    return [...new Set(affected)]
  }

  get(key: string): Service | undefined {
    return this.#services.get(key)
  }

  keys(): Iterable<string> {
    return this.#services.keys()
  }

  values(): Iterable<Service> {
    return this.#services.values()
  }

  holdersOf(address: Address): Service[] {
    return [...(this.#holders.get(formatAddress(address)) ?? [])].map(key => this.#services.get(key)!)
  }

  /** The Service and all that are tied to it by shared addresses. */
  sharers(key: string): string[] {
    const group = new Set([key])
    for (const member of group) {
      const service = this.#services.get(member)
      if (service === undefined) continue
      for (const text of addressesOf(service)) for (const other of this.#holders.get(text) ?? []) group.add(other)
    }
    return [...group]
  }

  #unhold(text: string, key: string): void {
    const holders = this.#holders.get(text)
    holders?.delete(key)
    if (holders?.size === 0) this.#holders.delete(text)
  }
}

function addressesOf({ type, ingress }: Service): string[] {
  if (type !== 'LoadBalancer') return []
  return ingress.flatMap(({ address }) => (address === undefined ? [] : [formatAddress(address)]))
}
