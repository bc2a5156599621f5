/** A Service that nobody announces because of a label: cluster of one node, and of control planes only (chapter 05 section 8). */
import type { Reason } from '../reason.ts'
import { EXCLUDE_LABEL } from '../service.ts'

export function isExclusion({ code }: Reason): boolean {
  return code === 'nodeLabeledExcludeBalancers'
}

/**
 * What one of the nodes should tell the user of, the first that could announce it but for its label; `object` is that
 * node. Empty where the node asked for is none of them.
 */
export function skippedByLabel(labelled: readonly string[], node: string): Reason[] {
  const [first, ...others] = [...labelled].sort()
  if (first === undefined || !labelled.includes(node)) return []
  const who = others.length === 0 ? `node ${first} has` : `nodes ${[first, ...others].join(', ')} have`
  const message = `no node is left to announce it: ${who} the label ${EXCLUDE_LABEL}; remove it, or run the speakers with --ignore-exclude-lb`
  return [{ code: 'announceSkipped', message, object: { kind: 'Node', name: first } }]
}
