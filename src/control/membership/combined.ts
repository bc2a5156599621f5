import { Listeners } from '../../core/listeners.ts'
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
import { type Hold, HoldDown } from './hold-down.ts'
import type { Published } from './interfaces.ts'
import type { Majority } from './majority.ts'
import type { MemberlistMembership } from './memberlist.ts'
import { publishable } from './meta.ts'
import type { Standing } from './standing.ts'
import { changesOf, firstView, type Known, lookAgainMs, type View, viewOf } from './view.ts'

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

const REJOIN_EVERY_MS = 500
/** Listeners are told at once, and of what follows this much later: a partition of a hundred changes evidence each millisecond. */
const APART_MS = 5
/** Who may take addresses back has them before the others are told to give them up: a decision takes some milliseconds. */
const TAKE_BACK_MS = 50
const NOBODY: ReadonlyMap<string, DirectEvidence> = new Map()

/**
 * Memberlist, and beside it the direct heartbeats that notice a crash within half a second. Packets say that something is
 * another; whoever asks then gets a view of everything that is known, made once; listeners are told once a turn of the
 * event loop in what the views of that turn differed (`view.ts`), also where all is as before: somebody may have asked
 * meanwhile, and decided by what he saw.
 */
export class CombinedMembership implements Membership, Task {
  readonly name = 'membership'
  readonly #options: CombinedOptions
  readonly #listeners = new Listeners<MemberEvent>()
  readonly #holdDown: HoldDown | undefined
  #view: View
  /** What listeners are to be told of, the last word on each node. */
  readonly #changes = new Map<string, MemberEvent>()
  #minorityMoved = false
  #loggedMinority: Minority | undefined
  /** Something was heard since the view was made. */
  #stale = true
  #turn: Timer | undefined
  #toldMs = Number.NEGATIVE_INFINITY
  #review: Timer | undefined
  #takeBack: Timer | undefined
  /** Nodes of which memberlist itself said what happened to them. */
  readonly #said = new Set<string>()
  #own: readonly string[] | undefined
  #rejoinedMs = Number.NEGATIVE_INFINITY
  #unfollow = () => {}
  #stopping = false

  constructor(options: CombinedOptions) {
    this.#options = options
    this.#view = firstView(options.node)
    const { holdDownMs = 0, clock } = options
    if (holdDownMs > 0) this.#holdDown = new HoldDown(holdDownMs, clock, () => this.#tellHold())
  }

  async start(): Promise<void> {
    const { memberlist, heartbeats, majority } = this.#options
    memberlist.subscribe(({ node }) => this.#said.add(node))
    memberlist.watch(() => this.#heard())
    heartbeats?.watch(() => this.#heard())
    memberlist.hears = node => {
      const evidence = heartbeats?.evidence().get(node)
      return evidence?.at === 'alive' && !evidence.deaf
    }
    this.#unfollow = majority?.subscribe(() => this.#heard()) ?? (() => {})
    void memberlist.whenJoined().then(() => {
      this.#holdDown?.joined([...memberlist.present().values()].some(({ settled }) => settled))
      this.#heard()
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
    this.#look()
    this.#stopping = true
    this.#unfollow()
    this.#holdDown?.stop()
    for (const timer of [this.#turn, this.#review, this.#takeBack]) timer?.cancel()
    await Promise.all([heartbeats?.stop(), memberlist.stop()])
  }

  ready(): true | string {
    return this.#options.memberlist.ready()
  }

  members(): ReadonlySet<string> {
    return this.#look().members
  }

  /** Every node that memberlist holds for alive or suspect, and why it counts or not. */
  standings(): ReadonlyMap<string, Standing> {
    return this.#look().standings
  }

  retired(): ReadonlyMap<string, number> {
    return this.#look().retired
  }

  held(): ReadonlySet<string> {
    const { node } = this.#options
    const held = new Set(this.#look().held)
    if (this.#holdDown?.hold.held) held.add(node)
    else held.delete(node)
    return held
  }

  minority(): Minority | undefined {
    return this.#look().minority
  }

  interfaces(): Published {
    return this.#look().interfaces
  }

  get joined(): boolean {
    return this.#options.memberlist.joined
  }

  whenJoined(): Promise<void> {
    return this.#options.memberlist.whenJoined()
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  rejoin(): void {
    this.#options.memberlist.rejoin()
    this.#options.heartbeats?.rejoin()
  }

  activate(): void {
    this.#options.memberlist.activate()
    this.#options.heartbeats?.activate()
  }

  publish(interfaces: readonly string[]): void {
    const own = publishable(interfaces)
    if (own?.join('/') === this.#own?.join('/') && (own === undefined) === (this.#own === undefined)) return
    this.#own = own
    this.#options.memberlist.publish(own)
    this.#options.heartbeats?.publish(own)
    this.#holdDown?.uses(interfaces)
    this.#heard()
  }

  /** However many packets come in a turn of the event loop, listeners hear of it once. */
  #heard(): void {
    if (this.#stopping) return
    this.#stale = true
    const { clock } = this.#options
    const inMs = Math.max(0, this.#toldMs + APART_MS - clock.monotonic())
    this.#turn ??= clock.after(inMs, () => this.#tellChanges())
  }

  #look(): View {
    if (!this.#stale || this.#stopping) return this.#view
    this.#stale = false
    const [before, known] = [this.#view, this.#known()]
    this.#view = viewOf(known, before)
    for (const event of changesOf(before, this.#view, known.self)) this.#changes.set(event.node, event)
    if (!sameMinority(before.minority, this.#view.minority)) this.#minorityMoved = true
    if ([...known.direct].some(([node, { at }]) => at === 'alive' && !known.listed.has(node))) this.#rejoinSoon()
    this.#review?.cancel()
    const againMs = lookAgainMs(known, this.#view)
    this.#review = againMs === undefined ? undefined : this.#options.clock.after(againMs, () => this.#heard())
    this.#holdDown?.sees(this.#view.members.size)
    return this.#view
  }

  #known(): Known {
    const { memberlist, heartbeats, majority, node: self, clock, trustMs, retireMs = 0 } = this.#options
    const heard = { listed: memberlist.present(), gone: memberlist.gone(), direct: heartbeats?.evidence() ?? NOBODY }
    return { self, own: this.#own, ...heard, majority, nowMs: clock.monotonic(), trustMs, retireMs }
  }

  /** Somebody is heard who is no member, as after a partition. */
  #rejoinSoon(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#rejoinedMs < REJOIN_EVERY_MS) return
    this.#rejoinedMs = now
    this.#options.memberlist.rejoin()
  }

  #tellChanges(): void {
    this.#turn = undefined
    this.#toldMs = this.#options.clock.monotonic()
    const view = this.#look()
    const changes = [...this.#changes.values()]
    this.#changes.clear()
    for (const event of changes) {
      this.#logMove(event, view)
      this.#listeners.tell(event)
    }
    this.#said.clear()
    this.#tellMinority()
  }

  /** What memberlist's own events do not say. */
  #logMove({ kind, node, address }: MemberEvent, { standings }: View): void {
    if (kind === 'NodeUpdate' || this.#said.has(node)) return
    const fields = { 'node addr': address, 'node name': node, 'node event': kind }
    this.#options.log.info({ msg: 'node event - forcing sync', ...fields, standing: standings.get(node) })
  }

  #tellHold(): void {
    const { node, log, clock } = this.#options
    const { hold } = this.#holdDown!
    this.#takeBack?.cancel()
    if (hold.held) this.#publishHold(hold)
    else this.#takeBack = clock.after(TAKE_BACK_MS, () => this.#publishHold(hold))
    const msg = hold.held ? 'addresses stay where they are for now' : 'takes part in elections'
    log.info({ op: 'holdDown', ...hold, msg })
    this.#listeners.tell({ kind: 'NodeUpdate', node, address: '' })
  }

  #publishHold(hold: Hold): void {
    const { memberlist, heartbeats } = this.#options
    memberlist.hold = hold
    heartbeats?.hold(hold.held)
  }

  /** The majority rule (IMP-6). Whoever joins sees nobody yet, and is told nothing. */
  #tellMinority(): void {
    const { memberlist, node } = this.#options
    if (!memberlist.joined || !this.#minorityMoved) return
    this.#minorityMoved = false
    this.#logMinority(this.#view.minority)
    this.#listeners.tell({ kind: 'NodeUpdate', node, address: '' })
  }

  #logMinority(minority: Minority | undefined): void {
    const { log } = this.#options
    if (sameMinority(minority, this.#loggedMinority)) return
    this.#loggedMinority = minority
    const op = 'majority'
    if (minority !== undefined)
      log.warn({ op, ...minority, msg: 'no majority of the speakers is seen: nothing is announced by layer 2' })
    else log.info({ op, msg: 'a majority of the speakers is seen again' })
  }
}

function sameMinority(left: Minority | undefined, right: Minority | undefined): boolean {
  return left?.seen === right?.seen && left?.expected === right?.expected
}
