/** The state that requests work on. Everything else is a function of it. */
import { ServiceAllocations } from './allocations.ts'
import { Registry } from './registry.ts'
import { Store } from './store.ts'

export interface ClusterOptions {
  /** One or two CIDRs; the first one's family is the cluster's primary. */
  serviceCidrs?: readonly string[]
  /** Events kept for each resource. */
  historyLimit?: number
}

export class Cluster {
  readonly store: Store
  readonly registry: Registry
  readonly allocations: ServiceAllocations

  constructor({ serviceCidrs = ['10.96.0.0/16', 'fd00:10:96::/112'], historyLimit }: ClusterOptions = {}) {
    this.store = new Store(historyLimit)
    this.registry = new Registry(this.store)
    this.allocations = new ServiceAllocations(this.store, serviceCidrs)
  }
}
