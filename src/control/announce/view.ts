/** What a speaker sees and decides, for `metallbctl explain`: JSON values. */
import {
  type BgpNodeExplanation,
  explainBgp,
  explainLayer2,
  type Minority,
  type NodeExplanation,
  type PlanOptions,
  type World,
} from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import type { Membership } from '../../ports/index.ts'
import type { Announcements } from './announcements.ts'

/** What cannot be seen from outside. */
export interface SpeakerView {
  /** Flags that change decisions. */
  readonly options: PlanOptions
  /** Why it decides nothing yet; absent where it does. */
  readonly waiting?: string
  /** Nodes with a live speaker; absent where membership is off and every Node counts. */
  readonly members?: readonly string[]
  /** Members that leave addresses to others for now (IMP-4). */
  readonly held: readonly string[]
  /** Where it sees too few speakers, and therefore announces nothing by layer 2 (IMP-6). */
  readonly minority?: Minority
  /** Usable interfaces that members publish (IMP-25). */
  readonly interfaces: Readonly<Record<string, readonly string[]>>
}

/** What the node decides for one Service, and what it announces. */
export interface SpeakerVerdict {
  readonly layer2: NodeExplanation
  readonly bgp: BgpNodeExplanation
  /** Addresses announced now. */
  readonly announced: Readonly<Record<'bgp' | 'layer2', readonly string[]>>
}

export function speakerView(membership: Membership, options: PlanOptions, waiting: string | undefined): SpeakerView {
  const members = membership.members()
  const minority = membership.minority?.()
  const interfaces = [...membership.interfaces()].map(([node, names]) => [node, [...names].sort()])
  return {
    options,
    ...(waiting !== undefined && { waiting }),
    ...(members && { members: [...members].sort() }),
    held: [...(membership.held?.() ?? [])].sort(),
    ...(minority && { minority }),
    interfaces: Object.fromEntries(interfaces),
  }
}

/** `world` is a sentence where the speaker has to wait before it decides anything. */
export function verdictOf(
  service: Service,
  node: string,
  world: World | string,
  announcements: Announcements,
): SpeakerVerdict {
  const announced = {
    bgp: announcements.liveBy('bgp', service.key),
    layer2: announcements.liveBy('layer2', service.key),
  }
  const failures = announcements.failuresBy('layer2', service.key)
  if (typeof world === 'string') {
    const no = { node, announces: false, reasons: [{ code: 'speakerWaits', message: world }] }
    return {
      layer2: { ...no, interfaces: [], score: 0 },
      bgp: { ...no, warnings: [], prefixes: [], peers: [] },
      announced,
    }
  }
  const [layer2] = explainLayer2(service, world, [node]).nodes
  const [bgp = noBgp(node)] = explainBgp(service, world, [node]).nodes
  return { layer2: withFailures(layer2!, failures), bgp, announced }
}

/** The elected node announces what its interfaces let it (IMP-7). */
function withFailures(elected: NodeExplanation, failures: readonly Reason[]): NodeExplanation {
  if (!elected.announces || failures.length === 0) return elected
  return { ...elected, announces: false, interfaces: [], reasons: [...failures, ...elected.reasons] }
}

function noBgp(node: string): BgpNodeExplanation {
  const reasons = [{ code: 'notOwner', message: 'neither peers nor advertisements of BGP are configured' }]
  return { node, announces: false, reasons, warnings: [], prefixes: [], peers: [] }
}
