/** From the ConfigMap that configured MetalLB before 0.13 to the objects that do since: chapter 05 section 5.1. */
import { type Finding, formatDuration, parseDuration } from '../../core/config/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { groupObjects, parseConfig } from '../parse/index.ts'
import { readShape } from '../parse/shape.ts'
import { unknownFields } from '../schema-check.ts'
import { objectName } from './names.ts'
import {
  OLD_CONFIG,
  type OldAdvertisement,
  type OldBfdProfile,
  type OldConfig,
  type OldPeer,
  type OldPool,
} from './old-format.ts'

export interface Renamed {
  readonly kind: string
  readonly from: string
  readonly to: string
}

/** `objects` in the order in which they are written. */
export type Migration = { objects: KubeObject[]; renamed: Renamed[] } | { error: string; renamed: Renamed[] }

/** Why the old configuration cannot be converted; `migrate` hands its message on. */
class Refused extends Error {}

/** The old configuration as parsed YAML. Whatever it is, this never throws. */
export function migrate(given: unknown, namespace: string): Migration {
  const renamed: Renamed[] = []
  try {
    const objects = convert(readOld(given), namespace, renamed)
    const parsed = parseConfig(groupObjects(objects))
    const errors = 'problems' in parsed ? parsed.problems.filter(({ severity }) => severity === 'error') : []
    if (errors.length === 0) return { objects, renamed }
    return {
      error: [...new Set(errors.map(({ message }) => message + renamedHint(message, renamed)))].join('; '),
      renamed,
    }
  } catch (error) {
    if (error instanceof Refused) return { error: error.message, renamed }
    throw error
  }
}

function renamedHint(message: string, renamed: readonly Renamed[]): string {
  const twin = renamed.find(({ to }) => message.includes(`"${to}"`) && message.startsWith('duplicate definition'))
  return twin === undefined ? '' : ` (the name was changed from "${twin.from}")`
}

function readOld(given: unknown): OldConfig {
  const findings: Finding[] = []
  const read = readShape(OLD_CONFIG, given ?? {}, '', findings)
  const all = [...findings, ...unknownFields(OLD_CONFIG, given, '')]
  if (all.length > 0)
    throw new Refused(all.map(({ path, message }) => `${path.slice(1) || 'config'}: ${message}`).join('; '))
  return read as OldConfig
}

type Make = (apiVersion: string, kind: string, name: string, spec: object, more?: object) => KubeObject

function convert(old: OldConfig, namespace: string, renamed: Renamed[]): KubeObject[] {
  const make: Make = (version, kind, name, spec, status = {}) =>
    ({ apiVersion: `metallb.io/${version}`, kind, metadata: { name, namespace }, spec, status }) as KubeObject
  const rename = (kind: string, from: string): string => {
    const to = objectName(from)
    if (to === undefined) throw new Refused(`${kind} name "${from}" has no letter to begin with`)
    if (to !== from && !renamed.some(known => known.kind === kind && known.from === from))
      renamed.push({ kind, from, to })
    return to
  }
  const pools = (old['address-pools'] ?? []).map(pool => ({ ...pool, name: rename('IpAddressPool', pool.name ?? '') }))
  const profiles = (old['bfd-profiles'] ?? []).map(profile => ({
    ...profile,
    name: rename('BFDProfile', profile.name ?? ''),
  }))
  const named = (profile: string) => rename('BFDProfile', profile)
  const aliases = Object.entries(old['bgp-communities'] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    ...(old.peers ?? []).map((peer, index) => make('v1beta2', 'BGPPeer', `peer${index + 1}`, peerSpec(peer, named))),
    ...pools.map(pool => make('v1beta1', 'IPAddressPool', pool.name, poolSpec(pool), NO_ADDRESSES)),
    ...advertisements(pools, make),
    ...profiles.map(profile => make('v1beta1', 'BFDProfile', profile.name, profileSpec(profile))),
    ...(aliases.length === 0 ? [] : [make('v1beta1', 'Community', 'communities', { communities: aliases.map(alias) })]),
  ]
}

const NO_ADDRESSES = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 0, availableIPv6: 0 }

function alias([name, value]: [string, string]) {
  return { name, value }
}

function peerSpec(old: OldPeer, profileName: (old: string) => string): object {
  const selectors = old['node-selectors']?.map(selector => ({
    ...given('matchLabels', selector['match-labels']),
    ...given('matchExpressions', selector['match-expressions']),
  }))
  return {
    ...given('bfdProfile', old['bfd-profile'] && profileName(old['bfd-profile'])),
    ...given('ebgpMultiHop', old['ebgp-multihop']),
    holdTime: seconds(holdTime(old['hold-time'] || '90s')),
    ...given('keepaliveTime', old['keepalive-time'] && seconds(duration(old['keepalive-time'], 'keepalive'))),
    myASN: old['my-asn'] ?? 0,
    ...given('nodeSelectors', selectors?.length ? selectors : undefined),
    ...given('password', old.password),
    passwordSecret: {},
    ...given('peerASN', old['peer-asn']),
    ...given('peerAddress', old['peer-address']),
    ...given('peerPort', old['peer-port']),
    ...given('routerID', old['router-id']),
    ...given('sourceAddress', old['source-address']),
  }
}

/** An optional field: zero, false and empty are as good as absent. */
function given(name: string, value: unknown): object {
  return value ? { [name]: value } : {}
}

const SECOND = 1_000_000_000n

/** RFC 4271 section 4.2: zero, or at least three seconds; compared after the fraction is cut off. */
function holdTime(text: string): bigint {
  const hold = duration(text, 'hold')
  const whole = hold / SECOND
  if (whole !== 0n && whole < 3n) throw new Refused(`invalid hold time "${text}": must be 0 or >=3s`)
  return hold
}

function duration(text: string, which: string): bigint {
  const parsed = parseDuration(text)
  if (parsed === undefined) throw new Refused(`invalid ${which} time "${text}": write a number and a unit, such as 90s`)
  return parsed
}

function seconds(time: bigint): string {
  return formatDuration((time / SECOND) * SECOND)
}

function poolSpec(old: OldPool): object {
  return {
    addresses: old.addresses ?? [],
    ...(old['auto-assign'] === undefined ? {} : { autoAssign: old['auto-assign'] }),
    ...given('avoidBuggyIPs', old['avoid-buggy-ips']),
  }
}

/** Numbered across all pools. */
function advertisements(pools: readonly (OldPool & { name: string })[], make: Make): KubeObject[] {
  const bgp: object[] = []
  const layer2: object[] = []
  for (const { name, protocol = '', 'bgp-advertisements': list } of pools) {
    const reach = { ipAddressPools: [name] }
    if (protocol === 'layer2') layer2.push(reach)
    else if (protocol === 'bgp')
      bgp.push(...(list?.length ? list : [{}]).map(old => ({ ...advertisementSpec(old), ...reach })))
    else throw new Refused(`unknown protocol "${protocol}" in pool "${name}": must be "layer2" or "bgp"`) // D 18
  }
  return [
    ...bgp.map((spec, index) => make('v1beta1', 'BGPAdvertisement', `bgpadvertisement${index + 1}`, spec)),
    ...layer2.map((spec, index) => make('v1beta1', 'L2Advertisement', `l2advertisement${index + 1}`, spec)),
  ]
}

function advertisementSpec(old: OldAdvertisement): object {
  return {
    ...(old['aggregation-length'] === undefined ? {} : { aggregationLength: old['aggregation-length'] }),
    ...(old['aggregation-length-v6'] === undefined ? {} : { aggregationLengthV6: old['aggregation-length-v6'] }),
    ...given('localPref', old.localpref),
    ...given('communities', old.communities?.length ? old.communities : undefined),
  }
}

function profileSpec(old: OldBfdProfile): object {
  const numbers = {
    receiveInterval: old['receive-interval'],
    transmitInterval: old['transmit-interval'],
    detectMultiplier: old['detect-multiplier'],
    echoInterval: old['echo-interval'],
    minimumTtl: old['minimum-ttl'],
  }
  return {
    ...Object.fromEntries(Object.entries(numbers).filter(([, number]) => number !== undefined)),
    echoMode: old['echo-mode'] ?? false,
    passiveMode: old['passive-mode'] ?? false,
  }
}
