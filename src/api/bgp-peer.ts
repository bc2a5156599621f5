/** metallb.io BGPPeer: v1beta2, which is stored, and the deprecated v1beta1; chapter 01 section 1.5. */
import type { LabelSelector } from '../core/labels.ts'
import type { KubeObject, ResourceType } from '../core/object.ts'
import {
  crdVersion,
  defineCrd,
  flag,
  int64,
  list,
  NO_STATUS,
  type PrinterColumn,
  record,
  type Schema,
  selectors,
  text,
} from './schema.ts'

/** v1beta2. Durations are written as Go does: `90s`, `1m30s`. */
export interface BGPPeerResource extends KubeObject {
  spec?: {
    myASN: number
    peerASN?: number
    localASN?: number
    dynamicASN?: 'internal' | 'external'
    peerAddress?: string
    interface?: string
    sourceAddress?: string
    peerPort?: number
    holdTime?: string
    keepaliveTime?: string
    connectTime?: string
    routerID?: string
    nodeSelectors?: LabelSelector[]
    password?: string
    passwordSecret?: { name?: string; namespace?: string }
    bfdProfile?: string
    enableGracefulRestart?: boolean
    ebgpMultiHop?: boolean
    vrf?: string
    disableMP?: boolean
    dualStackAddressFamily?: boolean
  }
}

export interface BGPPeerV1Beta1Resource extends KubeObject {
  spec?: {
    myASN: number
    peerASN: number
    peerAddress: string
    sourceAddress?: string
    peerPort?: number
    holdTime?: string
    keepaliveTime?: string
    routerID?: string
    nodeSelectors?: {
      matchLabels?: Record<string, string>
      matchExpressions?: { key: string; operator: string; values: string[] }[]
    }[]
    password?: string
    bfdProfile?: string
    ebgpMultiHop?: boolean
  }
}

export const bgpPeers: ResourceType<BGPPeerResource> = {
  group: 'metallb.io',
  version: 'v1beta2',
  kind: 'BGPPeer',
  plural: 'bgppeers',
  namespaced: true,
}

const asn = (description: string, minimum = 0) => int64(description, { minimum, maximum: 4294967295 })
const port = { type: 'integer', description: 'TCP port of the peer.', maximum: 16384 } as const

/** What both versions have. */
const COMMON: Record<string, Schema> = {
  bfdProfile: text('Name of the BFDProfile for the session; empty means no BFD.'),
  ebgpMultiHop: flag('The peer of another AS is more than one hop away.'),
  holdTime: text('BGP hold time, a duration such as 90s.'),
  keepaliveTime: text('BGP keepalive interval, a duration such as 30s.'),
  myASN: asn('AS number of the local side.'),
  peerASN: asn('AS number of the peer.'),
  peerAddress: text('IP address of the peer.'),
  password: text('TCP MD5 password (RFC 2385) in clear text.'),
  routerID: text('BGP identifier of the local side, an IPv4 address.'),
  sourceAddress: text('Local address of the session.'),
}

const v1beta2 = record(
  {
    ...COMMON,
    connectTime: text('Delay between attempts to connect, whole seconds from 1s to 65535s.', {
      'x-kubernetes-validations': [
        {
          rule: 'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535',
          message: 'connect time should be between 1 seconds to 65535',
        },
        {
          rule: 'duration(self).getMilliseconds() % 1000 == 0',
          message: 'connect time should contain a whole number of seconds',
        },
      ],
    }),
    disableMP: flag('Deprecated, has no effect.', { default: false }),
    dualStackAddressFamily: flag('Exchange both address families on the session.', { default: false }),
    dynamicASN: text('Find out the AS of the peer: internal wants the local one, external any other.', {
      enum: ['internal', 'external'],
    }),
    enableGracefulRestart: flag('BGP graceful restart (RFC 4724). Cannot be changed later.', {
      'x-kubernetes-validations': [
        { rule: 'self == oldSelf', message: 'EnableGracefulRestart cannot be changed after creation' },
      ],
    }),
    interface: text('Interface of the node for an unnumbered session, instead of peerAddress.'),
    localASN: asn('AS number shown to this peer instead of myASN.', 1),
    nodeSelectors: selectors('Nodes that open the session; empty means every node.'),
    passwordSecret: record(
      {
        name: text('Name of the Secret.'),
        namespace: text('Namespace of the Secret; it is always read from the namespace of MetalLB.'),
      },
      'Secret of type kubernetes.io/basic-auth whose key password is the TCP MD5 password.',
      { default: {}, 'x-kubernetes-map-type': 'atomic' },
    ),
    peerPort: { ...port, default: 179, minimum: 1 },
    vrf: text('Linux VRF the session is opened from.'),
  },
  'The session and its two sides.',
  { required: ['myASN'] },
)

const v1beta1NodeSelector = record(
  {
    matchExpressions: list(
      record(
        {
          key: text('Label key.'),
          operator: text('In or NotIn.'),
          values: list({ type: 'string' }, 'Values.', { minItems: 1 }),
        },
        'One requirement on a label.',
        { required: ['key', 'operator', 'values'] },
      ),
      'Requirements that must all hold.',
    ),
    matchLabels: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Labels that must all be present with these values.',
    },
  },
  'A selector of nodes.',
)

const v1beta1 = record(
  {
    ...COMMON,
    nodeSelectors: list(v1beta1NodeSelector, 'Nodes that open the session; empty means every node.'),
    peerPort: { ...port, minimum: 0 },
  },
  'The session and its two sides.',
  { required: ['myASN', 'peerASN', 'peerAddress'] },
)

const columns: PrinterColumn[] = [
  { name: 'Address', type: 'string', jsonPath: '.spec.peerAddress' },
  { name: 'ASN', type: 'string', jsonPath: '.spec.peerASN' },
  { name: 'BFD Profile', type: 'string', jsonPath: '.spec.bfdProfile' },
  { name: 'Multi Hops', type: 'string', jsonPath: '.spec.ebgpMultiHop' },
]

const description = 'A BGP session.'

const crd = defineCrd(bgpPeers, [
  crdVersion('v1beta1', false, {
    description,
    properties: { spec: v1beta1, status: NO_STATUS },
    columns,
    deprecationWarning: 'v1beta1 is deprecated, please use v1beta2',
  }),
  crdVersion('v1beta2', true, { description, properties: { spec: v1beta2, status: NO_STATUS }, columns }),
])

/** The controller serves the conversion (section 4.4). */
export const bgpPeerCrd: typeof crd = {
  ...crd,
  spec: {
    ...crd.spec,
    conversion: {
      strategy: 'Webhook',
      webhook: {
        clientConfig: {
          service: { name: 'metallb-webhook-service', namespace: 'metallb-system', path: '/convert' },
        },
        conversionReviewVersions: ['v1beta1', 'v1beta2'],
      },
    },
  },
}
