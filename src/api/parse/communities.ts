/** Community objects to one table of aliases, chapter 01 section 2.8. */
import { type Community, parseCommunity } from '../../core/config/index.ts'
import { type CommunityResource, communityCrd } from '../community.ts'
import { type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'

const READING: Reading = {
  kind: 'Community',
  noun: 'community',
  fields: { spec: specSchema(communityCrd) },
}

export function readCommunities(objects: readonly CommunityResource[], report: Report): CommunityResource[] {
  return readObjects(READING, objects, report)
}

/** Alias to community; undefined where the alias is defined but its value is broken, which is reported here. */
export function parseCommunities(
  resources: readonly CommunityResource[],
  report: Report,
): Map<string, Community | undefined> {
  const aliases = new Map<string, Community | undefined>()
  for (const resource of resources) {
    const on = reportOn(READING.kind, resource, report)
    for (const [index, { name = '', value = '' }] of (resource.spec?.communities ?? []).entries()) {
      const path = `spec.communities[${index}]`
      const parsed = parseCommunity(value)
      if ('error' in parsed)
        on.error({ path: `${path}.value`, message: `parsing community "${name}": ${parsed.error}` })
      if (aliases.has(name)) on.error({ path: `${path}.name`, message: `duplicate definition of community "${name}"` })
      else aliases.set(name, 'community' in parsed ? parsed.community : undefined)
    }
  }
  return aliases
}
