/** BGPPeers that would be the same session of one node: native mode runs one of them (control/bgp refuses the other). */
import { type BGPPeerResource, bgpPeers } from '../bgp-peer.ts'
import { NODE_OVERRIDES } from './node-overrides.ts'
import { type Report, reportOn } from './objects.ts'
import { selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

/** A warning, since the reference accepts them and lets the router choose. Where nodes override, the speaker will say. */
export function warnTwins(resources: readonly BGPPeerResource[], nodes: readonly Labelled[], report: Report): void {
  const seen = new Map<string, { name: string; nodes: ReadonlySet<string> }[]>()
  for (const resource of resources) {
    const { metadata, spec } = resource
    if (spec === undefined || metadata.annotations?.[NODE_OVERRIDES] !== undefined) continue
    const { peerAddress = '', interface: device = '', peerPort = 179, vrf = '', sourceAddress = '' } = spec
    const key = [peerAddress, device, peerPort, vrf, sourceAddress].join(' ')
    const selected = selectedNames(spec.nodeSelectors, nodes)
    const earlier = seen.get(key) ?? []
    const [twin, shared] = twinOf(selected, earlier)
    if (twin !== undefined)
      reportOn(bgpPeers.kind, resource, report).warning({
        path: device ? 'spec.interface' : 'spec.peerAddress',
        message: `BGPPeer ${twin} has the same address, port, VRF and source on node ${shared}: one of them has no session there`,
        hint: 'let their nodeSelectors differ, or their sourceAddress',
      })
    seen.set(key, [...earlier, { name: metadata.name, nodes: selected }])
  }
}

function twinOf(
  selected: ReadonlySet<string>,
  earlier: readonly { name: string; nodes: ReadonlySet<string> }[],
): [twin: string, node: string] | [] {
  for (const { name, nodes } of earlier) for (const node of selected) if (nodes.has(node)) return [name, node]
  return []
}
