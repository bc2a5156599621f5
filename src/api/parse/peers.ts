/** BGPPeers, chapter 01 section 2.7. */

import { type Finding, keyProblem, type Peer, parseDuration } from '../../core/config/index.ts'
import { completeTimers, selectorErrors, timersFinding } from '../../core/config/rules/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { anySelectorMatches, type LabelSelector } from '../../core/labels.ts'
import { type BGPPeerResource, type BGPPeerV1Beta1Resource, bgpPeerCrd } from '../bgp-peer.ts'
import { toV1Beta2 } from '../bgp-peer-conversion.ts'
import { parsePeerOptions } from './bgp-options.ts'
import { specVariants } from './node-overrides.ts'
import { type ObjectReport, type Reading, type Report, readObjects, reportOn, specSchema } from './objects.ts'
import { passwordOf, type Secrets } from './password.ts'
import { checkSelectors } from './selectors.ts'
import type { Labelled } from './snapshot.ts'
import { aoKeysOf } from './tcp-ao.ts'

type Spec = NonNullable<BGPPeerResource['spec']>

const READING: Reading = {
  kind: 'BGPPeer',
  noun: 'peer',
  fields: { apiVersion: { type: 'string' }, spec: specSchema(bgpPeerCrd) },
}

/** The peers of this node, or all where no node is given. Those that a file has in v1beta1 are converted. */
export function readPeers(objects: readonly BGPPeerResource[], node: Labelled | undefined, report: Report) {
  return readObjects(READING, objects, report)
    .filter(({ spec }) => concerns(node, spec?.nodeSelectors))
    .map(peer => (peer.apiVersion === 'metallb.io/v1beta1' ? toV1Beta2(peer as BGPPeerV1Beta1Resource) : peer))
}

/** Whether node selectors mean the node; where one of them cannot be used, everybody has to say so (REF-BUG 11). */
export function concerns(node: Labelled | undefined, selectors: readonly LabelSelector[] = []): boolean {
  if (node === undefined || selectors.length === 0) return true
  return anySelectorMatches(selectors, node.labels) || selectors.some(selector => selectorErrors(selector).length > 0)
}

export interface PeerReferences {
  /** Absent: not checked. */
  readonly profiles?: ReadonlySet<string>
  readonly secrets?: Secrets
  /** Whose overrides count. Absent: the spec as written, and every override is checked. */
  readonly node?: Labelled
}

export function parsePeers(resources: readonly BGPPeerResource[], references: PeerReferences, report: Report): Peer[] {
  return resources.map(resource => parseVariants(resource, references, reportOn(READING.kind, resource, report)))
}

function parseVariants(resource: BGPPeerResource, references: PeerReferences, on: ObjectReport): Peer {
  const [first, ...others] = specVariants(resource, references.node, on)
  const peer = parsePeer({ ...resource, spec: first.spec }, references, first.report)
  for (const { spec, report } of others) parsePeer({ ...resource, spec }, references, report)
  return peer
}

function parsePeer(resource: BGPPeerResource, { profiles, secrets }: PeerReferences, on: ObjectReport): Peer {
  const { name } = resource.metadata
  const spec: Spec = resource.spec ?? { myASN: 0 }
  const { nodeSelectors = [], sourceAddress: source } = spec
  const context = `parsing peer ${name} `
  const within: ObjectReport = { ...on, error: finding => on.error({ ...finding, message: context + finding.message }) }
  checkAsNumbers(spec, within)
  const endpoint = endpointOf(spec, within)
  const times = timersOf(spec, within)
  const routerId = routerIdOf(spec, within)
  const sourceAddress = addressOf(source, 'spec.sourceAddress', 'source IP', within)
  const invalid = [`failed to convert peer ${name} node selector`] as const
  checkSelectors({ path: 'spec.nodeSelectors', selectors: nodeSelectors, invalid, context }, on)
  const password = passwordOf(resource, secrets, on)
  checkPassword(password, on)
  checkProfile(name, spec, profiles, on)
  if (spec.disableMP) on.warning({ path: 'spec.disableMP', message: DISABLE_MP })
  const plain = plainFields(spec)
  return {
    name,
    ...plain,
    ...parsePeerOptions(resource.metadata.annotations, plain, within),
    endpoint,
    ...(sourceAddress ? { sourceAddress } : {}),
    ...times,
    ...(routerId ? { routerId } : {}),
    nodeSelectors,
    ...password,
    ...aoKeysOf(resource, secrets, within),
  }
}

/** The reference takes any, and has no session then (example 109 of chapter 04). */
function checkPassword(
  { password, passwordSecret }: Pick<Peer, 'password' | 'passwordSecret'>,
  on: ObjectReport,
): void {
  const problem = password === undefined ? undefined : keyProblem(password)
  const path = passwordSecret === undefined ? 'spec.password' : 'spec.passwordSecret'
  if (problem) on.warning({ path, message: `the password ${problem}: there will be no session` })
}

const DISABLE_MP = "disable mp is deprecated and has no effect since it's the default behavior now"

/** The fields that can hold nothing wrong. */
function plainFields(spec: Spec) {
  return {
    myAsn: spec.myASN,
    remoteAs: spec.dynamicASN ?? spec.peerASN ?? 0,
    ...(spec.localASN ? { localAsn: spec.localASN } : {}),
    port: spec.peerPort ?? 179,
    ...(spec.bfdProfile ? { bfdProfile: spec.bfdProfile } : {}),
    gracefulRestart: spec.enableGracefulRestart ?? false,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    ...(spec.vrf ? { vrf: spec.vrf } : {}),
    disableMP: spec.disableMP ?? false,
    dualStackAddressFamily: spec.dualStackAddressFamily ?? false,
  }
}

function checkProfile(name: string, { bfdProfile }: Spec, profiles: PeerReferences['profiles'], on: ObjectReport) {
  if (!bfdProfile || profiles === undefined || profiles.has(bfdProfile)) return
  const message = `peer ${name} referencing non existing bfd profile ${bfdProfile}`
  on.error({ path: 'spec.bfdProfile', message, transient: true })
}

function checkAsNumbers({ myASN, peerASN, dynamicASN, ebgpMultiHop }: Spec, on: ObjectReport): void {
  if (!myASN) on.error({ path: 'spec.myASN', message: 'missing local ASN' })
  if (!peerASN && !dynamicASN) on.error({ path: 'spec.peerASN', message: 'missing peer ASN and dynamicASN' })
  if (peerASN && dynamicASN) on.error({ path: 'spec.dynamicASN', message: 'both peer ASN and dynamicASN specified' })
  if (dynamicASN && dynamicASN !== 'internal' && dynamicASN !== 'external')
    on.error({ path: 'spec.dynamicASN', message: `invalid dynamicASN ${dynamicASN}`, hint: 'use internal or external' })
  if (!ebgpMultiHop) return
  const path = 'spec.ebgpMultiHop'
  if (peerASN && peerASN === myASN)
    on.error({ path, message: 'invalid ebgp-multihop parameter set for an ibgp peer', hint: 'remove ebgpMultiHop' })
  if (dynamicASN === 'internal') on.warning({ path, message: 'has no effect for a peer of the same AS' }) // REF-BUG 21
}

function endpointOf(spec: Spec, on: ObjectReport): Peer['endpoint'] {
  const { peerAddress, interface: name } = spec
  if (peerAddress && name)
    on.error({ path: 'spec.interface', message: 'peer has both Address and Interface specified' })
  if (!peerAddress && !name)
    on.error({ path: 'spec.peerAddress', message: 'peer has no Address or Interface specified' })
  if (name) return { interface: name }
  const address = addressOf(peerAddress, 'spec.peerAddress', 'BGPPeer address', on)
  return { address: address ?? { family: 'ipv4', value: 0n } } // refused above, never used
}

function addressOf(text: string | undefined, path: string, noun: string, on: ObjectReport) {
  if (!text) return undefined
  const address = parseAddress(text)
  if (address === undefined) on.error({ path, message: `invalid ${noun} "${text}"` })
  return address
}

/** The reference takes IPv6; no OPEN message can carry it (REF-BUG 20). */
function routerIdOf({ routerID }: Spec, on: ObjectReport) {
  const path = 'spec.routerID'
  const address = addressOf(routerID, path, 'router ID', on)
  if (address?.family !== 'ipv6') return address
  on.warning({ path, message: `router ID "${routerID}" is not an IPv4 address and is not used` })
  return undefined
}

function timersOf(spec: Spec, on: ObjectReport): Pick<Peer, 'holdMs' | 'keepaliveMs' | 'connectMs'> {
  const hold = durationOf(spec.holdTime, 'spec.holdTime', on)
  const keepalive = durationOf(spec.keepaliveTime, 'spec.keepaliveTime', on)
  const connect = durationOf(spec.connectTime, 'spec.connectTime', on)
  const wrong = timersFinding({ hold, keepalive })
  if (wrong) on.error({ ...wrong, path: `spec.${wrong.path}`, message: `invalid BGPPeer timers: ${wrong.message}` })
  const connectFinding = connect === undefined ? undefined : connectTimeFinding(connect)
  if (connectFinding) on.error(connectFinding)
  const times = completeTimers({ hold, keepalive })
  return { ...inMs('holdMs', times.hold), ...inMs('keepaliveMs', times.keepalive), ...inMs('connectMs', connect) }
}

function durationOf(text: string | undefined, path: string, on: ObjectReport): bigint | undefined {
  if (text === undefined) return undefined
  const duration = parseDuration(text)
  if (duration === undefined)
    on.error({ path, message: `invalid duration "${text}"`, hint: 'write a number and a unit, such as 90s or 1m30s' })
  return duration
}

/** The CEL rules of the field, for objects that no API server has seen. */
function connectTimeFinding(connect: bigint): Finding | undefined {
  const path = 'spec.connectTime'
  const seconds = connect / 1_000_000_000n
  if (seconds < 1n || seconds > 65535n) return { path, message: 'connect time should be between 1 seconds to 65535' }
  if (connect % 1_000_000_000n !== 0n) return { path, message: 'connect time should contain a whole number of seconds' }
  return undefined
}

function inMs<Name extends string>(name: Name, duration: bigint | undefined): { [key in Name]?: number } {
  return duration === undefined ? {} : ({ [name]: Number(duration) / 1e6 } as { [key in Name]: number })
}
