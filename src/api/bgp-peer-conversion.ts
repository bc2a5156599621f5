/** Between the two versions of BGPPeer, chapter 01 section 1.5.3. v1beta1 cannot express everything v1beta2 can. */
import { parseDuration } from '../core/config/index.ts'
import type { BGPPeerResource, BGPPeerV1Beta1Resource } from './bgp-peer.ts'

type V1Beta1Spec = NonNullable<BGPPeerV1Beta1Resource['spec']>
type V1Beta2Spec = NonNullable<BGPPeerResource['spec']>

/** A timer that is absent or zero stays absent, so that the default applies (REF-BUG 2). */
export function toV1Beta2({ metadata, spec }: BGPPeerV1Beta1Resource): BGPPeerResource {
  const converted = spec && {
    ...shared(spec),
    myASN: spec.myASN,
    peerASN: spec.peerASN || undefined,
    peerAddress: spec.peerAddress || undefined,
    peerPort: spec.peerPort || undefined,
    holdTime: unlessZero(spec.holdTime),
    keepaliveTime: unlessZero(spec.keepaliveTime),
    nodeSelectors: spec.nodeSelectors,
  }
  return { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', metadata, ...present(converted) }
}

/** Loses what v1beta1 has no field for. */
export function toV1Beta1({ metadata, spec }: BGPPeerResource): BGPPeerV1Beta1Resource {
  const converted = spec && {
    ...shared(spec),
    myASN: spec.myASN,
    peerASN: spec.peerASN ?? 0,
    peerAddress: spec.peerAddress ?? '',
    peerPort: spec.peerPort,
    holdTime: spec.holdTime,
    keepaliveTime: spec.keepaliveTime,
    nodeSelectors: spec.nodeSelectors?.map(({ matchLabels, matchExpressions }) => ({
      ...(matchLabels ? { matchLabels: { ...matchLabels } } : {}),
      ...(matchExpressions
        ? {
            matchExpressions: matchExpressions.map(({ key, operator, values = [] }) => ({
              key,
              operator,
              values: [...values],
            })),
          }
        : {}),
    })),
  }
  return { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata, ...present(converted) }
}

function shared({ sourceAddress, routerID, password, bfdProfile, ebgpMultiHop }: V1Beta1Spec | V1Beta2Spec) {
  return { sourceAddress, routerID, password, bfdProfile, ebgpMultiHop }
}

function unlessZero(duration: string | undefined): string | undefined {
  return duration !== undefined && parseDuration(duration) === 0n ? undefined : duration
}

/** Without the fields that are undefined: JSON that is compared and written has none. */
function present<T extends object>(spec: T | undefined): { spec?: T } {
  if (spec === undefined) return {}
  return { spec: Object.fromEntries(Object.entries(spec).filter(([, field]) => field !== undefined)) as T }
}
