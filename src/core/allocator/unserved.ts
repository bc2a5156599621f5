import type { Reason } from '../reason.ts'
import type { Service } from '../service.ts'
import type { Account } from './account.ts'
import type { Outcome } from './outcome.ts'

/** Steps 1 to 5 of section 1.6: why a Service cannot have an address whatever is free; undefined where it can. */
export function whyUnserved(
  { type, clusterIPs, ipFamilyPolicy }: Service,
  hasPools: boolean,
  account: Account,
): { readonly result: Outcome['result']; readonly reason: Reason } | undefined {
  if (type !== 'LoadBalancer') {
    account.log('debug', { event: 'clearAssignment', reason: 'notLoadBalancer', msg: 'not a LoadBalancer' })
    const message = `is of type ${type}, not LoadBalancer`
    return { result: 'success', reason: { code: 'notLoadBalancer', message } }
  }
  const hopeless = (verdict: string, code: string, message: string, reason = message) => {
    account.verdict = { reason: verdict, message }
    return { result: 'error, no retry' as const, reason: { code, message: reason } }
  }
  if (!hasPools) {
    account.log('debug', { event: 'clearAssignment', reason: 'noConfig', msg: 'pools are empty' })
    return hopeless('NoPools', 'noConfig', 'there are no address pools')
  }
  if (clusterIPs.length === 0) {
    account.log('info', { event: 'clearAssignment', reason: 'noClusterIPs', msg: 'No ClusterIPs' })
    return hopeless('NoClusterIPs', 'noClusterIPs', 'the service has no cluster IP')
  }
  if (ipFamilyPolicy !== 'RequireDualStack' || clusterIPs.length >= 2) return undefined
  const message = `Service requires dual stack but not enough clusterips [${clusterIPs.join(' ')}]`
  account.event({ type: 'Warning', reason: 'not enough clusterips', message, standing: true })
  const reason = 'requires dual stack but clusterips are not dual stack'
  account.log('error', { event: 'clearAssignment', reason, msg: message })
  return hopeless('NotEnoughClusterIPs', 'notEnoughClusterIPs', message, reason)
}
