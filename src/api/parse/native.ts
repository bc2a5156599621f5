/**
 * What the native mode of the reference could not do: chapter 01 section 2.3. Ours can; these are refused where the user
 * asks for the same strictness (decision 3).
 */
import { type BgpAdvertisement, type Problem, parseCommunity, parseDuration } from '../../core/config/index.ts'
import { formatPrefix, rangePrefixes } from '../../core/ip/index.ts'
import type { BFDProfileResource } from '../bfd-profile.ts'
import type { BGPAdvertisementResource } from '../bgp-advertisement.ts'
import type { BGPPeerResource } from '../bgp-peer.ts'
import type { CommunityResource } from '../community.ts'
import { type Report, reportOn } from './objects.ts'
import type { LabelledPool } from './pools.ts'

type Spec = NonNullable<BGPPeerResource['spec']>

const PEER_FIELDS: readonly [field: keyof Spec, words: string, set: (spec: Spec) => boolean][] = [
  ['bfdProfile', 'bfd-profile', spec => !!spec.bfdProfile],
  [
    'keepaliveTime',
    'keepalive-time',
    spec => spec.keepaliveTime !== undefined && parseDuration(spec.keepaliveTime) !== 0n,
  ],
  ['vrf', 'vrf', spec => !!spec.vrf],
  ['connectTime', 'connect time', spec => spec.connectTime !== undefined],
  ['enableGracefulRestart', 'EnableGracefulRestart flag', spec => spec.enableGracefulRestart === true],
  ['disableMP', 'disable MP flag', spec => spec.disableMP === true],
  ['dualStackAddressFamily', 'dualstackaddressfamily flag', spec => spec.dualStackAddressFamily === true],
  ['dynamicASN', 'dynamicASN', spec => !!spec.dynamicASN],
  ['interface', 'interface', spec => !!spec.interface],
  ['localASN', 'localASN', spec => !!spec.localASN],
]

export interface NativeInput {
  readonly peers: readonly BGPPeerResource[]
  readonly bfdProfiles: readonly BFDProfileResource[]
  readonly bgpAdvertisements: readonly BGPAdvertisementResource[]
  readonly communities: readonly CommunityResource[]
  readonly pools: readonly LabelledPool[]
  readonly advertisements: readonly Pick<BgpAdvertisement, 'pools'>[]
}

export function strictNativeProblems(input: NativeInput): Problem[] {
  const problems: Problem[] = []
  const report: Report = problem => void problems.push(problem)
  checkPeers(input, report)
  for (const profile of input.bfdProfiles)
    reportOn('BFDProfile', profile, report).error({ path: '', message: 'bfd profiles section set' })
  checkPools(input, report)
  checkCommunities(input, report)
  return problems
}

function checkPeers({ peers }: NativeInput, report: Report): void {
  for (const peer of peers) {
    const { spec = { myASN: 0 } } = peer
    for (const [field, words, set] of PEER_FIELDS) {
      if (!set(spec)) continue
      const message = `peer ${spec.peerAddress ?? ''} has ${words} set on native bgp mode`
      reportOn('BGPPeer', peer, report).error({ path: `spec.${field}`, message })
    }
  }
}

function checkPools({ pools, advertisements }: NativeInput, report: Report): void {
  for (const { name, pool, claims } of pools) {
    if (!advertisements.some(advertisement => advertisement.pools.has(name))) continue
    const claim = claims.find(({ range }) => range.family === 'ipv6')
    if (claim === undefined) continue
    const block = formatPrefix(rangePrefixes(claim.range)[0]!)
    const message = `pool "${name}" has ipv6 CIDR ${block}, native bgp mode does not support ipv6`
    reportOn('IPAddressPool', { metadata: pool }, report).error({ path: `spec.addresses[${claim.index}]`, message })
  }
}

/** Texts that are no communities are somebody else's problem. */
function checkCommunities({ bgpAdvertisements, communities }: NativeInput, report: Report): void {
  const isLarge = (text: string) => {
    const parsed = parseCommunity(text)
    return 'community' in parsed && parsed.community.kind === 'large'
  }
  const only = 'native BGP mode only supports legacy communities'
  for (const advertisement of bgpAdvertisements) {
    const { name } = advertisement.metadata
    for (const [index, text] of (advertisement.spec?.communities ?? []).entries()) {
      if (!isLarge(text)) continue
      const message = `${only}, BGP advertisement "${name}" has non legacy community "${text}"`
      reportOn('BGPAdvertisement', advertisement, report).error({ path: `spec.communities[${index}]`, message })
    }
  }
  for (const community of communities) {
    const { name } = community.metadata
    for (const [index, { name: alias = '', value = '' }] of (community.spec?.communities ?? []).entries()) {
      if (!isLarge(value)) continue
      const message = `${only}, BGP community CR "${name}" has non legacy community {"${alias}" "${value}"}`
      reportOn('Community', community, report).error({ path: `spec.communities[${index}].value`, message })
    }
  }
}
