/** Whether anything asks for a Service to be announced at all: what the controller can tell without knowing nodes. */
import type { Config } from '../config/index.ts'
import { anySelectorMatches } from '../labels.ts'
import type { Reason } from '../reason.ts'
import { type Admitted, objectOf } from './admission.ts'

/** Why no node will announce the Service, by any protocol; undefined where an advertisement asks for it. */
export function notAdvertised({ service, pool }: Admitted, { l2Advertisements, bgp }: Config): Reason | undefined {
  const all = [...l2Advertisements, ...(bgp?.advertisements ?? [])]
  const ofPool = all.filter(({ pools }) => pools.has(pool.name))
  const code = 'notAdvertised'
  if (ofPool.length === 0) {
    const message = `no L2Advertisement or BGPAdvertisement selects pool ${pool.name}`
    return { code, message, object: { kind: 'IPAddressPool', namespace: pool.namespace, name: pool.name } }
  }
  const matches = ofPool.some(
    ({ serviceSelectors }) => serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, service.labels),
  )
  if (matches) return undefined
  const names = ofPool.map(({ name }) => name).join(', ')
  const message = `the advertisements of pool ${pool.name}, ${names}, select other services`
  return { code, message, object: objectOf(service), field: 'metadata.labels' }
}
