export { planAssumptions } from './assumptions.ts'
export { withAssumedFields, withChange } from './change.ts'
export { comparePlans, type PlannedChange } from './compare.ts'
export { type Plan, type PlannedAnnouncement, type PlannedService, planCluster } from './plan.ts'
