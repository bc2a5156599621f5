/** What FRR cannot have on one node: chapter 01 section 2.3. Both FRR modes. */
import { selectorErrors } from '../../core/config/rules/index.ts'
import { intersects } from '../../core/sets.ts'
import type { BGPPeerResource } from '../bgp-peer.ts'
import { type Report, reportOn } from './objects.ts'
import { selectedNames } from './selectors.ts'
import type { Labelled } from './snapshot.ts'

type Spec = NonNullable<BGPPeerResource['spec']>

interface Rule {
  readonly path: string
  readonly differ: (later: Spec, earlier: Spec) => boolean
  readonly message: (later: Spec, earlier: Spec) => string
}

const RULES: readonly Rule[] = [
  {
    path: 'spec.routerID',
    differ: (p, q) => (p.routerID ?? '') !== (q.routerID ?? ''),
    message: (p, q) =>
      `peer ${p.routerID ?? ''} has RouterID different from ${q.routerID ?? ''}, in FRR mode peers selecting the same node must all have the same RouterID`,
  },
  {
    path: 'spec.peerAddress',
    differ: (p, q) => identifier(p) === identifier(q),
    message: p =>
      `peer ${identifier(p)} already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node`,
  },
  {
    path: 'spec.myASN',
    differ: (p, q) => p.myASN !== q.myASN && (p.vrf ?? '') === (q.vrf ?? ''),
    message: (p, q) =>
      `peer ${identifier(p)} has myAsn different from ${identifier(q)}, in FRR mode peers selecting the same node must have the same myAsn within the same VRF`,
  },
]

/** For each peer and rule, the first earlier peer that it cannot live with. */
export function checkFrr(resources: readonly BGPPeerResource[], nodes: readonly Labelled[], report: Report): void {
  const peers = resources.map(resource => ({
    resource,
    spec: resource.spec ?? { myASN: 0 },
    nodes: nodesOf(resource, nodes),
  }))
  for (const [index, { resource, spec, nodes: own }] of peers.entries()) {
    const rivals = peers.slice(0, index).filter(({ nodes: theirs }) => shareNode(own, theirs))
    for (const { path, differ, message } of RULES) {
      const rival = rivals.find(({ spec: earlier }) => differ(spec, earlier))
      if (rival === undefined) continue
      const hint = `the other peer is BGPPeer ${rival.resource.metadata.name}`
      reportOn('BGPPeer', resource, report).error({ path, message: message(spec, rival.spec), hint })
    }
  }
}

type Nodes = ReadonlySet<string> | 'every' | 'unknown'

/** Which nodes open the session: every one where no node is known, unknown where a selector cannot be used. */
function nodesOf({ spec }: BGPPeerResource, nodes: readonly Labelled[]): Nodes {
  const selectors = spec?.nodeSelectors ?? []
  if (selectors.some(selector => selectorErrors(selector).length > 0)) return 'unknown'
  return nodes.length === 0 || selectors.length === 0 ? 'every' : selectedNames(selectors, nodes)
}

function shareNode(a: Nodes, b: Nodes): boolean {
  if (a === 'unknown' || b === 'unknown') return false
  if (a === 'every') return b === 'every' || b.size > 0
  return b === 'every' ? a.size > 0 : intersects(a, b)
}

function identifier({ peerAddress, interface: name = '', vrf }: Spec): string {
  return `${peerAddress || name}${vrf ? `-${vrf}` : ''}`
}

/** FRRConfiguration has no field for it (decision 8). */
export function warnFrrK8s(resources: readonly BGPPeerResource[], report: Report): void {
  for (const resource of resources)
    if (resource.spec?.sourceAddress)
      reportOn('BGPPeer', resource, report).warning({
        path: 'spec.sourceAddress',
        message: 'has no effect in frr-k8s mode',
      })
}
