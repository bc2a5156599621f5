/** The ConfigMap `bgpextras`: raw FRR configuration, chapter 01 section 1.11. */
import type { ConfigMapResource } from '../kubernetes/index.ts'
import { type Reading, type Report, readObjects, reportOn } from './objects.ts'

export const BGP_EXTRAS = 'bgpextras'

const READING: Reading = {
  kind: 'ConfigMap',
  noun: 'configmap',
  fields: { data: { type: 'object', additionalProperties: { type: 'string' } } },
}

export function parseExtras(objects: readonly ConfigMapResource[], report: Report): string {
  const named = objects.filter(object => object?.metadata?.name === BGP_EXTRAS)
  for (const resource of readObjects(READING, named, report)) {
    const { extras } = resource.data ?? {}
    if (!extras) continue
    const message =
      'BGP Extras provided, please note that this configuration is not supported and used at your own risk'
    reportOn(READING.kind, resource, report).warning({ path: 'data.extras', message })
    return extras
  }
  return ''
}
