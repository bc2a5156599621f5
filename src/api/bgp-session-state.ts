/** frrk8s.metallb.io/v1beta1 BGPSessionState, the kind of frr-k8s: how a session of a node is, chapter 04 section 4.3. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, record, text } from './schema.ts'

export interface BGPSessionStateResource extends KubeObject {
  spec?: Record<string, never>
  status?: {
    node?: string
    /** As in its label: the colons of an IPv6 address are dashes. */
    peer?: string
    /** Empty for the default VRF. */
    vrf?: string
    /** As vtysh says: `Idle`, `Connect`, `Active`, `OpenSent`, `OpenConfirm`, `Established`. */
    bgpStatus?: string
    /** `Up`, `Down`, or `N/A` where the peer has no BFD profile. */
    bfdStatus?: string
  }
}

export const bgpSessionStates: ResourceType<BGPSessionStateResource> = {
  group: 'frrk8s.metallb.io',
  version: 'v1beta1',
  kind: 'BGPSessionState',
  plural: 'bgpsessionstates',
  namespaced: true,
}

const status = record(
  {
    bfdStatus: text('State of the BFD session: Up, Down, or N/A where there is none.'),
    bgpStatus: text('State of the BGP session: Idle, Connect, Active, OpenSent, OpenConfirm or Established.'),
    node: text('The node that has the session.'),
    peer: text('Address or interface of the peer, with dashes for the colons of IPv6.'),
    vrf: text('VRF of the session; empty for the default one.'),
  },
  'How the session is; written by the speaker, or by frr-k8s where that has the sessions.',
)

/** The same as that of frr-k8s, so that it does not matter whose is installed last. */
export const bgpSessionStateCrd = defineCrd(bgpSessionStates, [
  crdVersion('v1beta1', true, {
    description: 'Exposes the state of a BGP session of a node.',
    properties: { spec: { type: 'object', description: 'Not used.' }, status },
    columns: [
      { name: 'Node', type: 'string', jsonPath: '.status.node' },
      { name: 'Peer', type: 'string', jsonPath: '.status.peer' },
      { name: 'VRF', type: 'string', jsonPath: '.status.vrf' },
      { name: 'BGP', type: 'string', jsonPath: '.status.bgpStatus' },
      { name: 'BFD', type: 'string', jsonPath: '.status.bfdStatus' },
    ],
  }),
])
