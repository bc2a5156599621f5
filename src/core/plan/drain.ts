/** Whether traffic should leave a node while it still forwards: maintenance (RFC 8326). */
import type { Reason } from '../reason.ts'
import { DRAIN_LABEL, type Node } from '../service.ts'
import type { PlanOptions } from './world.ts'

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
