import type { Clock, Logger, MemberEvent, Membership, Task, Timer } from '../../ports/index.ts'
import type { DirectEvidence, HeartbeatMembership } from './heartbeat.ts'
import type { ListedMember, MemberlistMembership } from './memberlist.ts'
import { retirement } from './retirement.ts'

/** Why a node is counted, or is not. */
export type Standing =
  /** Memberlist holds it for alive or suspect, and nothing speaks against it. */
  | 'listed'
  /** Its speaker cannot announce yet. */
  | 'joining'
  /** It said itself, by heartbeat, that it stops. */
  | 'leaving'
  /** Silent towards this node and towards another one. */
  | 'silent'
  /** Silent towards this node alone: the path between them may be broken. */
  | 'unconfirmed'
  /** Its heartbeats stopped long ago, but memberlist's probes are answered: its heartbeat port may be filtered. */
  | 'contradicted'

export interface CombineInput {
  readonly self: string
  /** Alive and suspect nodes of memberlist. */
  readonly listed: ReadonlyMap<string, Pick<ListedMember, 'suspect' | 'joining' | 'heartbeats'>>
  readonly direct: ReadonlyMap<string, DirectEvidence>
  readonly nowMs: number
  /** Silence that memberlist contradicts counts for so long. */
  readonly trustMs: number
}

/**
 * Which nodes count, and why. Memberlist says who is there; a node that does not send heartbeats, as reference speakers do
 * not, is judged by it alone. One that does is gone early when its heartbeats stopped here and one other node misses it too.
 */
export function combine({ self, listed, direct, nowMs, trustMs }: CombineInput): ReadonlyMap<string, Standing> {
  const standings = new Map<string, Standing>([[self, 'listed']])
  for (const [node, member] of listed) {
    if (node === self) continue
    const evidence = member.heartbeats ? direct.get(node) : undefined
    // Gossip reaches nearly everybody; who missed that a speaker can announce would do without it until the next push/pull.
    const joining = evidence?.at === 'alive' ? evidence.joining : member.joining
    if (joining) standings.set(node, 'joining')
    else if (evidence === undefined) standings.set(node, 'listed')
    else standings.set(node, standingOf(evidence, member.suspect, node, listed, nowMs - trustMs))
  }
  return standings
}

function standingOf(
  { at, heardMs, witnesses }: DirectEvidence,
  suspect: boolean,
  node: string,
  listed: CombineInput['listed'],
  trustedSinceMs: number,
): Standing {
  if (at === 'alive' || at === 'suspect') return 'listed'
  if (heardMs < trustedSinceMs && !suspect) return 'contradicted'
  if (at === 'left') return 'leaving'
  return witnesses.some(witness => witness !== node && listed.has(witness)) ? 'silent' : 'unconfirmed'
}

/** Those who count in elections. */
export function counted(standings: ReadonlyMap<string, Standing>): Set<string> {
  const counts = (standing: Standing) =>
    standing === 'listed' || standing === 'unconfirmed' || standing === 'contradicted'
  return new Set([...standings].filter(([, standing]) => counts(standing)).map(([node]) => node))
}

export interface CombinedOptions {
  readonly node: string
  readonly memberlist: MemberlistMembership
  /** Absent where heartbeats are off. */
  readonly heartbeats?: HeartbeatMembership
  /** Silence that memberlist contradicts counts for so long: a few of its probes. */
  readonly trustMs: number
  /** A node that left by plan counts as retired for so long; default 0, never. */
  readonly retireMs?: number
  readonly clock: Clock
  readonly log: Logger
}

const REJOIN_EVERY_MS = 500

/** Memberlist, and beside it the direct heartbeats that notice a crash within half a second. */
export class CombinedMembership implements Membership, Task {
  readonly name = 'membership'
  readonly #options: CombinedOptions
  readonly #listeners = new Set<(event: MemberEvent) => void>()
  #standings: ReadonlyMap<string, Standing>
  #retired: ReadonlyMap<string, number> = new Map()
  #retirementEnds: Timer | undefined
  #rejoinedMs = Number.NEGATIVE_INFINITY

  constructor(options: CombinedOptions) {
    this.#options = options
    this.#standings = new Map([[options.node, 'listed']])
  }

  async start(): Promise<void> {
    const { memberlist, heartbeats } = this.#options
    memberlist.subscribe(event => this.#update(event))
    heartbeats?.watch(() => this.#update())
    await memberlist.start()
    try {
      await heartbeats?.start()
    } catch (error) {
      await memberlist.stop()
      throw error
    }
  }

  /** Heartbeats say at once that this speaker leaves, memberlist tells reference speakers. */
  async stop(): Promise<void> {
    const { memberlist, heartbeats } = this.#options
    await Promise.all([heartbeats?.stop(), memberlist.stop()])
    this.#retirementEnds?.cancel()
  }

  ready(): true | string {
    return this.#options.memberlist.ready()
  }

  members(): ReadonlySet<string> {
    return counted(this.#standings)
  }

  /** Every node that memberlist holds for alive or suspect, and why it counts or not. */
  standings(): ReadonlyMap<string, Standing> {
    return this.#standings
  }

  retired(): ReadonlyMap<string, number> {
    return this.#retired
  }

  get joined(): boolean {
    return this.#options.memberlist.joined
  }

  whenJoined(): Promise<void> {
    return this.#options.memberlist.whenJoined()
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  rejoin(): void {
    this.#options.memberlist.rejoin()
    this.#options.heartbeats?.rejoin()
  }

  activate(): void {
    this.#options.memberlist.activate()
    this.#options.heartbeats?.activate()
  }

  /** Of members alone; heartbeats are the faster ones to tell, and the newer where both do. */
  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    const { memberlist, heartbeats } = this.#options
    const known = new Map([...memberlist.interfaces(), ...(heartbeats?.interfaces() ?? [])])
    return new Map([...known].filter(([node]) => this.#standings.has(node)))
  }

  publish(interfaces: readonly string[]): void {
    this.#options.memberlist.publish(interfaces)
    this.#options.heartbeats?.publish(interfaces)
  }

  #update(event?: MemberEvent): void {
    const { memberlist, heartbeats, node: self, clock, trustMs } = this.#options
    const listed = memberlist.present()
    const direct = heartbeats?.evidence() ?? new Map<string, DirectEvidence>()
    const before = this.#standings
    this.#standings = combine({ self, listed, direct, nowMs: clock.monotonic(), trustMs })
    if ([...direct].some(([node, { at }]) => at === 'alive' && !listed.has(node))) this.#rejoinSoon()
    this.#tellChanges(before, listed, direct, event)
  }

  /** Somebody is heard who is no member, as after a partition. */
  #rejoinSoon(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#rejoinedMs < REJOIN_EVERY_MS) return
    this.#rejoinedMs = now
    this.#options.memberlist.rejoin()
  }

  #tellChanges(
    before: ReadonlyMap<string, Standing>,
    listed: ReadonlyMap<string, ListedMember>,
    direct: ReadonlyMap<string, DirectEvidence>,
    event: MemberEvent | undefined,
  ): void {
    const [was, is] = [counted(before), counted(this.#standings)]
    const moved = this.#retire(was, is, direct)
    const changed = [...new Set([...was, ...is])].filter(node => was.has(node) !== is.has(node))
    for (const node of changed) {
      const standing = this.#standings.get(node)
      const address = listed.get(node)?.address ?? event?.address ?? ''
      // What memberlist's own events do not say.
      if (event?.node !== node)
        this.#options.log.info({ msg: 'node event - forcing sync', ...fieldsOf(node, address, is.has(node)), standing })
      this.#tell({ kind: is.has(node) ? 'NodeJoin' : 'NodeLeave', node, address })
    }
    if (event?.kind === 'NodeUpdate' && changed.length === 0) this.#tell(event)
    else if (changed.length === 0 && moved !== undefined)
      this.#tell({ kind: 'NodeUpdate', node: moved, address: listed.get(moved)?.address ?? '' })
  }

  /** Answers a node that is retired now and was not, or the other way round. */
  #retire(
    was: ReadonlySet<string>,
    is: ReadonlySet<string>,
    direct: ReadonlyMap<string, DirectEvidence>,
  ): string | undefined {
    const { memberlist, clock, retireMs: limitMs = 0 } = this.#options
    const nowMs = clock.monotonic()
    const before = this.#retired
    const gone = new Map<string, string>(memberlist.gone())
    for (const [node, { at }] of direct) if (at === 'left' || at === 'dead') gone.set(node, at)
    const those = (how: string) => new Set([...gone].filter(([, at]) => at === how).map(([node]) => node))
    this.#retired = retirement({ before, was, is, left: those('left'), dead: those('dead'), nowMs, limitMs })
    this.#retirementEnds?.cancel()
    if (this.#retired.size > 0) {
      const endMs = Math.min(...this.#retired.values()) + limitMs
      this.#retirementEnds = clock.after(endMs - nowMs, () => this.#update())
    }
    return [...new Set([...before.keys(), ...this.#retired.keys()])].find(
      node => before.has(node) !== this.#retired.has(node),
    )
  }

  #tell(event: MemberEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

function fieldsOf(node: string, address: string, joins: boolean) {
  return { 'node addr': address, 'node name': node, 'node event': joins ? 'NodeJoin' : 'NodeLeave' }
}
