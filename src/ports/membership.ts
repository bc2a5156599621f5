/** Which nodes have a live speaker. */
export interface Membership {
  /** Node names, self included; undefined where membership is off and every known Node counts. */
  members(): ReadonlySet<string> | undefined
  /** Nodes that left by plan and have not come back, and when: monotonic milliseconds. Absent where that is not known. */
  retired?(): ReadonlyMap<string, number>
  /**
   * How few of the speakers this one sees, where the majority rule is on and they are too few (IMP-6). A change of it is a
   * NodeUpdate of this node.
   */
  minority?(): { readonly seen: number; readonly expected: number } | undefined
  /** Members that leave addresses to others for now, where one can have them (IMP-4). Absent where nobody does. */
  held?(): ReadonlySet<string>
  /** Called after the member set changed, or that of retired nodes. */
  subscribe(listener: (event: MemberEvent) => void): () => void
  /** Look for speakers to join now, e.g. because nodes changed. */
  rejoin(): void
  /** True once the first join ended or its time was up: before that an election would be won by default (IMP-1). */
  readonly joined: boolean
  /** Resolves when `joined` becomes true. */
  whenJoined(): Promise<void>
  /** This speaker can announce from now on: others may count on it in their elections. */
  activate(): void
  /**
   * Usable interfaces that members publish, this node's included; a node that publishes none is absent, one whose set is
   * empty has no usable one (IMP-25). A change of another member's is a NodeUpdate.
   */
  interfaces(): ReadonlyMap<string, ReadonlySet<string>>
  /** Publishes the usable ones of the interfaces that advertisements name; a change reaches the other speakers at once. */
  publish(interfaces: readonly string[]): void
}

export interface MemberEvent {
  readonly kind: 'NodeJoin' | 'NodeLeave' | 'NodeUpdate'
  readonly node: string
  readonly address: string
}
