/** Which pools serve which Services (chapter 02 sections 2.3 and 2.4). */
import type { Pool } from '../config/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import { poolReason } from './refusal.ts'

/** Undefined where the pool admits the Service, else why not. An open pool admits every Service. */
export function admissionRefusal(pool: Pool, service: Service): Reason | undefined {
  const { allocation } = pool
  if (allocation === undefined) return undefined
  if (allocation.namespaces !== undefined && !allocation.namespaces.has(service.namespace)) {
    const message = `does not serve namespace "${service.namespace}"`
    return poolReason(pool, 'namespaceNotAdmitted', message, 'spec.serviceAllocation')
  }
  const { serviceSelectors } = allocation
  if (serviceSelectors.length > 0 && !anySelectorMatches(serviceSelectors, service.labels)) {
    const message = 'no service selector matches the labels of the service'
    return poolReason(pool, 'labelsNotAdmitted', message, 'spec.serviceAllocation.serviceSelectors')
  }
  return undefined
}

/** Pinned pools: best priority first, those without a positive one last, then by name (D14). */
export function comparePinned(a: Pool, b: Pool): number {
  return rankOf(a) - rankOf(b) || compareNames(a, b)
}

function rankOf({ allocation }: Pool): number {
  const priority = allocation?.priority ?? 0
  return priority > 0 ? priority : Number.MAX_SAFE_INTEGER
}

export function compareNames(a: Pool, b: Pool): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
