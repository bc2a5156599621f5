import { type NodeResource, parseNode } from '../../api/kubernetes/index.ts'
import { DRAIN_LABEL, EXCLUDE_LABEL, type Node } from '../../core/service.ts'
import type { Change } from '../../ports/index.ts'

/** Present Node objects; deleted ones are forgotten (IMP-2). */
export class NodeIndex {
  readonly nodes = new Map<string, Node>()

  /** Answers whether the change can move announcements (chapter 03 section 1.6). */
  apply({ kind, object }: Change<NodeResource>): boolean {
    const { name } = object.metadata
    const before = this.nodes.get(name)
    if (kind === 'deleted') return this.nodes.delete(name)
    const node = parseNode(object)
    this.nodes.set(name, node)
    return (
      before === undefined ||
      before.networkUnavailable !== node.networkUnavailable ||
      isExcluded(before) !== isExcluded(node) ||
      before.labels[DRAIN_LABEL] !== node.labels[DRAIN_LABEL] ||
      before.unschedulable !== node.unschedulable ||
      before.ready !== node.ready || // ends quiet takeovers
      before.shutDown !== node.shutDown
    )
  }
}

function isExcluded({ labels }: Node): boolean {
  return Object.hasOwn(labels, EXCLUDE_LABEL)
}
