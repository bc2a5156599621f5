/** Whether traffic should leave a node while it still forwards: maintenance (RFC 8326). */
import { type Community, compareCommunities, formatCommunity } from '../config/index.ts'
import type { Reason } from '../reason.ts'
import { DRAIN_LABEL, type Node } from '../service.ts'
import type { PlanOptions } from './world.ts'

/** "GRACEFUL_SHUTDOWN", RFC 8326 section 4.1. */
const GRACEFUL_SHUTDOWN: Community = { kind: 'standard', parts: [65535, 0] }

interface Preference {
  readonly localPref?: number
  readonly communities: readonly Community[]
}

/** Routers use other paths where they have any (RFC 8326 section 4.2); the community also tells those of other ASes. */
export function leastPreferred<T extends Preference>(route: T): T {
  const others = route.communities.filter(one => formatCommunity(one) !== formatCommunity(GRACEFUL_SHUTDOWN))
  return { ...route, localPref: 0, communities: [...others, GRACEFUL_SHUTDOWN].sort(compareCommunities) }
}

/** Never on a mere cordon, unless that is asked for: a cordoned node may serve for long (chapter 04 section 9). */
export function drainReason(node: Node | undefined, { drainCordoned }: PlanOptions): Reason | undefined {
  if (node === undefined) return undefined
  const { name, labels, unschedulable } = node
  const object = { kind: 'Node', name }
  const told = 'routers are told to prefer others (GRACEFUL_SHUTDOWN)'
  if (Object.hasOwn(labels, DRAIN_LABEL) && labels[DRAIN_LABEL] !== 'false')
    return { code: 'nodeDrained', message: `node ${name} is labelled ${DRAIN_LABEL}: ${told}`, object }
  if (drainCordoned && unschedulable)
    return { code: 'nodeDrained', message: `node ${name} is cordoned: ${told}`, object }
  return undefined
}
