/** Whether a changed object goes together with the stored ones: chapter 01 section 4.3. */
import {
  type BGPAdvertisementResource,
  type BGPPeerResource,
  type ConfigSnapshot,
  type ParseOptions,
  parseConfig,
} from '../../api/index.ts'
import { parseDuration } from '../../core/config/index.ts'
import type { KubeObject } from '../../core/object.ts'
import type { Endpoint } from './endpoints.ts'
import { refusalOf } from './message.ts'
import { isJson, type Json, textOf, type Verdict } from './review.ts'

export const ALLOWED: Verdict = { allowed: true, code: 200 }

export function denied(message: string, warnings: readonly string[] = []): Verdict {
  return { allowed: false, code: 403, message, warnings }
}

/** The object of a request, with the name that the request gives where it has none of its own; a text says what is wrong. */
export function decode(endpoint: Endpoint, request: Json): KubeObject | string {
  const given = request.operation === 'DELETE' ? request.oldObject : request.object
  if (!isJson(given) || !isJson(given.metadata)) return `the request has no ${endpoint.kind}`
  const { metadata, spec } = given
  const name = textOf(metadata.name) ?? textOf(request.name) ?? textOf(metadata.generateName) ?? ''
  const object = { ...given, metadata: { ...metadata, name } } as KubeObject
  return durationProblem(endpoint, object, spec) ?? object
}

const DURATIONS = ['holdTime', 'keepaliveTime', 'connectTime']

/** Types that Go cannot decode; all others the schema of the kind has checked. */
function durationProblem({ kind, own }: Endpoint, { metadata }: KubeObject, spec: unknown): string | undefined {
  if (own !== 'peers' || !isJson(spec)) return undefined
  for (const field of DURATIONS) {
    const value = spec[field]
    if (typeof value === 'string' && parseDuration(value) === undefined)
      return `${kind} ${metadata.name} spec.${field}: time: invalid duration ${JSON.stringify(value)}`
  }
  return undefined
}

/** The verdict on the object among the stored ones, by the rules that controller and speakers load configuration by. */
export function validate(
  { kind, own }: Endpoint,
  object: KubeObject,
  stored: ConfigSnapshot,
  options: ParseOptions,
): Verdict {
  const changed = own === undefined ? stored : { ...stored, [own]: replaced(stored[own] ?? [], object) }
  const parsed = parseConfig(withoutTransient(changed), options)
  const found = 'problems' in parsed ? parsed.problems : parsed.warnings
  const errors = found.filter(({ severity }) => severity === 'error')
  const warnings = found
    .filter(problem => problem.severity === 'warning' && problem.kind === kind && problem.name === object.metadata.name)
    .map(({ message }) => message)
  return errors.length > 0 ? denied(refusalOf(errors), warnings) : { ...ALLOWED, warnings }
}

/** In place of the stored one of its name, whatever its namespace, or as the last. */
function replaced(stored: readonly KubeObject[], object: KubeObject): KubeObject[] {
  const { name } = object.metadata
  const known = stored.some(({ metadata }) => metadata.name === name)
  return known ? stored.map(other => (other.metadata.name === name ? object : other)) : [...stored, object]
}

/** References to what may still appear are no reason to refuse. */
function withoutTransient(snapshot: ConfigSnapshot): ConfigSnapshot {
  const { peers, bgpAdvertisements } = snapshot
  return {
    ...snapshot,
    ...(peers && { peers: peers.map(withoutReferences) }),
    // No alias is known: what is left of the communities has to be literal.
    ...(bgpAdvertisements && { bgpAdvertisements: bgpAdvertisements.map(withoutAliases), communities: [] }),
  }
}

function withoutReferences(peer: BGPPeerResource): BGPPeerResource {
  if (!isJson(peer.spec)) return peer
  const { bfdProfile: _, passwordSecret: __, ...spec } = peer.spec
  return { ...peer, spec }
}

function withoutAliases(advertisement: BGPAdvertisementResource): BGPAdvertisementResource {
  const { spec } = advertisement
  if (!isJson(spec) || !Array.isArray(spec.communities)) return advertisement
  const communities = spec.communities.filter(text => typeof text !== 'string' || text.includes(':'))
  return { ...advertisement, spec: { ...spec, communities } }
}
