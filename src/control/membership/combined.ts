import type { Minority } from '../../core/plan/index.ts'
import type {
  Clock,
  DirectEvidence,
  Heartbeats,
  Logger,
  MemberEvent,
  Membership,
  Task,
  Timer,
} from '../../ports/index.ts'
import { HoldDown } from './hold-down.ts'
import type { Majority } from './majority.ts'
import type { ListedMember, MemberlistMembership } from './memberlist.ts'
import { publishable } from './meta.ts'
import { retirement } from './retirement.ts'
import {
  combine,
  counted,
  heldOf,
  type Published,
  published,
  publishOther,
  reviewMs,
  type Standing,
} from './standing.ts'

export interface CombinedOptions {
  readonly node: string
  readonly memberlist: MemberlistMembership
  /** Absent where heartbeats are off. */
  readonly heartbeats?: Heartbeats
  /** Silence that memberlist contradicts counts for so long: a few of its probes. */
  readonly trustMs: number
  /** A node that left by plan counts as retired for so long; default 0, never. */
  readonly retireMs?: number
  /** How long a node that comes back leaves addresses where they are (IMP-4); default 0, not at all. */
  readonly holdDownMs?: number
  /** Absent where a minority goes on announcing. */
  readonly majority?: Majority
  readonly clock: Clock
  readonly log: Logger
}

/** What was told last. */
interface Before {
  readonly standings: ReadonlyMap<string, Standing>
  readonly published: Published
  readonly held: ReadonlySet<string>
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
  #own: readonly string[] | undefined
  #published: Published = new Map()
  readonly #holdDown: HoldDown | undefined
  /** Of the others. */
  #held: ReadonlySet<string> = new Set()
  #review: Timer | undefined
  #rejoinedMs = Number.NEGATIVE_INFINITY
  /** As it was told last. */
  #minority: Minority | undefined
  #unfollow = () => {}
  #stopping = false

  constructor(options: CombinedOptions) {
    this.#options = options
    this.#standings = new Map([[options.node, 'listed']])
    const { holdDownMs = 0, clock } = options
    if (holdDownMs > 0) this.#holdDown = new HoldDown(holdDownMs, clock, () => this.#tellHold())
  }

  async start(): Promise<void> {
    const { memberlist, heartbeats } = this.#options
    memberlist.subscribe(event => this.#update(event))
    heartbeats?.watch(() => this.#update())
    memberlist.hears = node => {
      const evidence = heartbeats?.evidence().get(node)
      return evidence?.at === 'alive' && !evidence.deaf
    }
    this.#unfollow = this.#options.majority?.subscribe(() => this.#update()) ?? (() => {})
    void memberlist.whenJoined().then(() => {
      this.#holdDown?.joined([...memberlist.present().values()].some(({ settled }) => settled))
      this.#update()
    })
    await memberlist.start()
    try {
      await heartbeats?.start()
    } catch (error) {
      await memberlist.stop()
      throw error
    }
  }

  /**
   * Heartbeats say at once that this speaker leaves, memberlist tells reference speakers. The view stays as it is: who closes
   * its ears must not take the others for gone, and claim in its last moments what they answer for.
   */
  async stop(): Promise<void> {
    const { memberlist, heartbeats } = this.#options
    this.#stopping = true
    this.#unfollow()
    this.#holdDown?.stop()
    await Promise.all([heartbeats?.stop(), memberlist.stop()])
    this.#retirementEnds?.cancel()
    this.#review?.cancel()
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

  held(): ReadonlySet<string> {
    const { node } = this.#options
    const others = [...this.#held].filter(other => other !== node)
    return new Set([...others, ...(this.#holdDown?.hold.held ? [node] : [])])
  }

  minority(): Minority | undefined {
    return this.#options.majority?.judge(this.#standings)
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

  interfaces(): Published {
    return this.#published
  }

  publish(interfaces: readonly string[]): void {
    const own = publishable(interfaces)
    if (own?.join('/') === this.#own?.join('/') && (own === undefined) === (this.#own === undefined)) return
    this.#own = own
    this.#options.memberlist.publish(own)
    this.#options.heartbeats?.publish(own)
    this.#holdDown?.uses(interfaces)
    this.#update()
  }

  #update(event?: MemberEvent): void {
    if (this.#stopping) return
    const { memberlist, heartbeats, node: self, clock, trustMs } = this.#options
    const listed = memberlist.present()
    const direct = heartbeats?.evidence() ?? new Map<string, DirectEvidence>()
    const before = { standings: this.#standings, published: this.#published, held: this.#held }
    const nowMs = clock.monotonic()
    this.#standings = combine({ self, listed, direct, nowMs, trustMs })
    this.#held = heldOf(listed, direct)
    this.#published = published({ self, own: this.#own, listed, direct, standings: this.#standings })
    if ([...direct].some(([node, { at }]) => at === 'alive' && !listed.has(node))) this.#rejoinSoon()
    this.#review?.cancel()
    const reviewIn = reviewMs({ listed, direct, nowMs, trustMs })
    this.#review = reviewIn === undefined ? undefined : clock.after(reviewIn, () => this.#update())
    this.#tellChanges(before, listed, direct, event)
    this.#tellMinority()
  }

  #tellHold(): void {
    const { memberlist, heartbeats, node, log } = this.#options
    const { hold } = this.#holdDown!
    memberlist.hold = hold
    heartbeats?.hold(hold.held)
    const msg = hold.held ? 'addresses stay where they are for now' : 'takes part in elections'
    log.info({ op: 'holdDown', ...hold, msg })
    this.#tell({ kind: 'NodeUpdate', node, address: '' })
  }

  /** The majority rule (IMP-6). Whoever joins sees nobody yet, and is told nothing. */
  #tellMinority(): void {
    const { memberlist, node, log } = this.#options
    const [before, now] = [this.#minority, this.minority()]
    if (!memberlist.joined || (before?.seen === now?.seen && before?.expected === now?.expected)) return
    this.#minority = now
    const op = 'majority'
    if (now !== undefined)
      log.warn({ op, ...now, msg: 'no majority of the speakers is seen: nothing is announced by layer 2' })
    else log.info({ op, msg: 'a majority of the speakers is seen again' })
    this.#tell({ kind: 'NodeUpdate', node, address: '' })
  }

  /** Somebody is heard who is no member, as after a partition. */
  #rejoinSoon(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#rejoinedMs < REJOIN_EVERY_MS) return
    this.#rejoinedMs = now
    this.#options.memberlist.rejoin()
  }

  #tellChanges(
    before: Before,
    listed: ReadonlyMap<string, ListedMember>,
    direct: ReadonlyMap<string, DirectEvidence>,
    event: MemberEvent | undefined,
  ): void {
    const [was, is] = [counted(before.standings), counted(this.#standings)]
    const moved = this.#retire(was, is, direct)
    this.#holdDown?.sees(is.size)
    const changed = inOneOnly(was, is)
    for (const node of changed) {
      const standing = this.#standings.get(node)
      const address = listed.get(node)?.address ?? event?.address ?? ''
      // What memberlist's own events do not say.
      if (event?.node !== node)
        this.#options.log.info({ msg: 'node event - forcing sync', ...fieldsOf(node, address, is.has(node)), standing })
      this.#tell({ kind: is.has(node) ? 'NodeJoin' : 'NodeLeave', node, address })
    }
    const others = publishOther(before.published, this.#published).filter(node => node !== this.#options.node)
    const held = inOneOnly(before.held, this.#held).filter(node => node !== this.#options.node)
    const updated = new Set([...others, ...held, ...(moved === undefined ? [] : [moved])])
    if (event?.kind === 'NodeUpdate' && changed.length === 0) {
      updated.delete(event.node)
      this.#tell(event)
    }
    for (const node of updated)
      if (!changed.includes(node)) this.#tell({ kind: 'NodeUpdate', node, address: listed.get(node)?.address ?? '' })
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
    return inOneOnly(new Set(before.keys()), new Set(this.#retired.keys()))[0]
  }

  #tell(event: MemberEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

function inOneOnly(a: ReadonlySet<string>, b: ReadonlySet<string>): string[] {
  return [...new Set([...a, ...b])].filter(node => a.has(node) !== b.has(node))
}

function fieldsOf(node: string, address: string, joins: boolean) {
  return { 'node addr': address, 'node name': node, 'node event': joins ? 'NodeJoin' : 'NodeLeave' }
}
