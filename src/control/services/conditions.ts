/** The condition metallb.io/AddressAllocated of a Service, beside whatever others write there. */
import type { ServiceResource } from '../../api/index.ts'
import { CONDITION, type Verdict } from '../../core/allocator/index.ts'
import { formatTimestamp } from '../../core/timestamp.ts'

export type Conditions = readonly NonNullable<NonNullable<ServiceResource['status']>['conditions']>[number][]

/** The conditions with ours as the verdict has it, without it where there is none. `nowMs` is the wall clock. */
export function withVerdict({ status }: ServiceResource, verdict: Verdict | undefined, nowMs: number): Conditions {
  const conditions = status?.conditions ?? []
  const others = conditions.filter(({ type }) => type !== CONDITION)
  if (verdict === undefined) return others
  const before = conditions.find(({ type }) => type === CONDITION)
  const { allocated, reason, message } = verdict
  const value = allocated ? 'True' : 'False'
  const lastTransitionTime = before?.status === value ? before.lastTransitionTime : formatTimestamp(nowMs)
  return [...others, { type: CONDITION, status: value, reason, message, lastTransitionTime }]
}

/**
 * Whether the condition alone is worth a write. A Service that has its address and no condition yet is left as it is:
 * a new controller does not write every Service of the cluster.
 */
export function isWorthWriting({ status }: ServiceResource, verdict: Verdict | undefined): boolean {
  const before = status?.conditions?.find(({ type }) => type === CONDITION)
  if (before === undefined) return verdict !== undefined && !verdict.allocated
  if (verdict === undefined) return true
  const same = before.status === (verdict.allocated ? 'True' : 'False') && before.reason === verdict.reason
  return !same || before.message !== verdict.message
}

/** Whether two versions of a Service differ in nothing but conditions: the echo of our own write, most often. */
export function differInConditionsOnly(before: ServiceResource, after: ServiceResource): boolean {
  if (before.status?.conditions === undefined && after.status?.conditions === undefined) return false
  return contentOf(before) === contentOf(after)
}

function contentOf({ metadata: { labels, annotations, deletionTimestamp }, spec, status }: ServiceResource): string {
  return JSON.stringify([labels, annotations, deletionTimestamp, spec, status?.loadBalancer?.ingress ?? []])
}
