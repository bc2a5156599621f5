/** A cluster of speakers in one thread, on a simulated network and clock; what happens depends on the seed alone. */
import type { Config } from '../../core/config/index.ts'
import type { MemberEvent } from '../../ports/index.ts'
import { FakeKube } from '../fake-kube.ts'
import { FakeRandom } from '../fake-random.ts'
import { HEALED_MS, LastingBound, LEARNED_MS, MIXED_MS, takeoverBoundMs } from './bounds.ts'
import { Expectation } from './expectation.ts'
import { at, Judge } from './judge.ts'
import { CALM, type Conditions } from './links.ts'
import { Machine } from './machine.ts'
import { Network } from './network.ts'
import { addressOf, configOf, nameOf, putNode, putService, removeService, serviceAddressOf } from './objects.ts'
import type { ClusterOptions } from './options.ts'
import { Ownership } from './ownership.ts'
import { Scheduler } from './scheduler.ts'
import { pairOf, TOLERATED, Truth } from './truth.ts'

/** Promises settle at least this often; events between are exact. */
const STEP_MS = 1
const CONFIG_AFTER_MS = 250
/** A start, a planned stop and the longest freeze are over after this. */
const STEADY_MS = 6000

export class Cluster {
  readonly scheduler = new Scheduler()
  readonly random: FakeRandom
  readonly network: Network
  readonly kube = new FakeKube()
  readonly names: readonly string[]
  readonly ownership: Ownership
  readonly truth: Truth
  readonly judge: Judge
  /** Nodes that some speaker does not count on any more. */
  readonly leaves: { readonly atMs: number; readonly seer: string; readonly node: string }[] = []
  readonly expectation: Expectation
  /** Somebody is heard and hears nobody: heartbeats go on, and memberlist notices. */
  #deaf = false
  readonly #bound = new LastingBound()
  readonly #learnedMs: number
  readonly #options: ClusterOptions
  readonly #machines = new Map<string, Machine>()
  readonly #config: Config

  constructor(options: ClusterOptions) {
    const { seed, speakers, addresses = 16, learnedMs = LEARNED_MS.calm } = options
    const { majority = false, balanced = false } = options
    this.#options = options
    this.#learnedMs = learnedMs
    const now = () => this.scheduler.now
    this.random = new FakeRandom(seed)
    this.network = new Network(this.scheduler, this.random)
    this.names = Array.from({ length: speakers }, (_, n) => nameOf(n))
    this.#config = configOf(this.names, options.interfaces)
    this.ownership = new Ownership(
      Array.from({ length: addresses }, (_, n) => serviceAddressOf(n)),
      now,
    )
    this.truth = new Truth(this.names, now)
    this.judge = new Judge({
      ...{ nodes: this.names, truth: this.truth, ownership: this.ownership, now },
      majority,
      balanced,
      takeoverMs: () => this.takeoverMs,
      knownWithinMs: () => Math.max(this.takeoverMs, HEALED_MS),
      singleMs: () => Math.max(this.takeoverMs, HEALED_MS),
    })
    const parts = { names: this.names, truth: this.truth, ownership: this.ownership, judge: this.judge }
    const membersOf = (node: string) => this.machine(node).members
    this.expectation = new Expectation({ ...parts, majority, balanced, membersOf })
    for (let n = 0; n < speakers; n++) putNode(this.kube, n)
    for (let n = 0; n < addresses; n++) putService(this.kube, n)
  }

  get now(): number {
    return this.scheduler.now
  }

  /** After a crash, with those that work on the smallest side of a cut; a bound stays until it could be over. */
  get takeoverMs(): number {
    const works = (node: string) => this.truth.running.has(node) && !this.machine(node).process.frozen
    const survivors = this.#deaf ? 1 : this.expectation.fewest(works)
    const quick = takeoverBoundMs(survivors, this.names.length, this.#learnedMs)
    return this.#bound.at(this.now, this.#options.references ? MIXED_MS : quick)
  }

  isReference(node: string): boolean {
    const n = this.names.indexOf(node)
    return n % 2 === 0 && n / 2 < (this.#options.references ?? 0)
  }

  machine(node: string): Machine {
    return this.#machines.get(node)!
  }

  // ── what happens ──

  /** Starts every speaker at once; afterwards each address has its owner. */
  async boot(): Promise<void> {
    this.truth.disturbed()
    for (const node of this.names) await this.start(node)
    await this.settle()
  }

  async start(node: string, configAfterMs = CONFIG_AFTER_MS): Promise<void> {
    const { scheduler, network, random, kube, ownership, truth } = this
    const address = addressOf(this.names.indexOf(node))
    const machine = new Machine({
      ...{ node, address, scheduler, network, random, kube },
      config: this.#config,
      options: this.#options,
      reference: this.isReference(node),
      announced: table => ownership.update(node, table),
      activated: () => truth.lives(node, 'announcing'),
      event: event => this.#heard(node, event),
    })
    network.powerOff(address, false)
    if (this.#options.references) truth.disturbed() // reference speakers count on it before it can announce
    this.#machines.set(node, machine)
    truth.lives(node, 'starting')
    ownership.silence(node, false)
    await machine.start(configAfterMs)
  }

  /** The whole machine is without power. */
  kill(node: string): void {
    this.network.powerOff(addressOf(this.names.indexOf(node)), true)
    this.#ends(node)
  }

  /** kill -9 of the speaker alone: its machine refuses connections. */
  crash(node: string): void {
    const { process } = this.machine(node)
    this.#ends(node)
    this.network.reset(process)
  }

  /** SIGTERM. */
  leave(node: string): void {
    this.truth.lives(node, 'leaving')
    void this.machine(node)
      .leave()
      .then(() => this.#ends(node))
  }

  freeze(node: string, ms: number): void {
    const { process } = this.machine(node)
    const hard = ms > TOLERATED.stallMs
    if (hard) {
      this.truth.trouble(node)
      this.ownership.silence(node, true)
    }
    process.freeze(ms, () => {
      void this.takeoverMs
      this.ownership.silence(node, false)
      if (!hard) return
      this.truth.disturbed()
      if (this.truth.life(node) === 'announcing') this.truth.over(node)
    })
  }

  jump(node: string, ms: number): void {
    this.machine(node).process.jump(ms)
  }

  /** The link of an interface of the node is lost, or back. */
  carrier(node: string, name: string, there: boolean): void {
    if (there) this.truth.plugged(node)
    else this.truth.unplugged(node)
    this.machine(node).carrier(name, there)
  }

  addService(n: number): void {
    this.truth.disturbed()
    this.ownership.watch(serviceAddressOf(n))
    putService(this.kube, n)
  }

  removeService(n: number): void {
    this.truth.disturbed()
    this.ownership.ignore(serviceAddressOf(n))
    removeService(this.kube, n)
  }

  /** No packets from any of these to any of those; `both` ways, or in this direction alone. */
  cut(from: readonly string[], to: readonly string[], both = true): void {
    const [sources, targets] = [from, to].map(side => side.map(node => addressOf(this.names.indexOf(node)))) as [
      string[],
      string[],
    ]
    this.network.links.cut(sources, targets)
    if (both) this.network.links.cut(targets, sources)
    for (const a of from) for (const b of to) if (a !== b) this.truth.trouble(pairOf(a, b))
  }

  /** Nobody reaches the other side; clients on each are asked from now on. */
  partition(side: readonly string[]): void {
    const rest = this.names.filter(node => !side.includes(node))
    this.cut(side, rest)
    this.expectation.sides = [side, rest]
    this.#divide()
  }

  /** The node hears nobody, or nobody hears it; what the others do counts. */
  oneWay(node: string, direction: 'deaf' | 'mute'): void {
    const rest = this.names.filter(other => other !== node)
    this.#deaf = direction === 'deaf'
    if (this.#deaf) this.cut(rest, [node], false)
    else this.cut([node], rest, false)
    this.expectation.sides = [rest]
    this.#divide()
  }

  heal(): void {
    const all = this.names.map((_, n) => addressOf(n))
    this.network.links.mend(all, all)
    for (const a of this.names) for (const b of this.names) if (a < b) this.truth.over(pairOf(a, b))
    this.expectation.sides = []
    this.#deaf = false
    this.#divide()
  }

  set conditions(change: Partial<Conditions>) {
    if ((change.loss ?? 0) > TOLERATED.loss) this.truth.disturbed()
    this.network.links.conditions = { ...CALM, ...change }
  }

  async run(ms: number): Promise<void> {
    const end = this.now + ms
    while (this.now < end) {
      this.scheduler.runUntil(Math.min(end, this.now + STEP_MS))
      await new Promise(resolve => setImmediate(resolve))
    }
    this.judge.review()
  }

  /** Until everything is as it should be; the time that took. Too long is a violation. */
  async settle(withinMs = Math.max(this.takeoverMs, HEALED_MS)): Promise<number> {
    await this.#steady()
    const start = this.now
    while (this.wrong() !== undefined && this.now - start < withinMs) await this.run(10)
    const wrong = this.wrong()
    if (wrong !== undefined)
      this.judge.violations.push(`at ${at(this.now)}: ${wrong}, ${Math.round(withinMs)} ms after`)
    this.judge.review()
    return this.now - start
  }

  /** Until what happened is an excuse for nothing any more. */
  async calm(): Promise<void> {
    await this.run(Math.max(0, this.truth.lastChangeMs + HEALED_MS + 1 - this.now))
  }

  /** Nothing may move in this time: no owner, no view. */
  async quiet(ms: number): Promise<void> {
    await this.calm()
    const [changes, leaves] = [this.ownership.changes.length, this.leaves.length]
    await this.run(ms)
    const moved = this.ownership.changes.slice(changes).map(({ node, address }) => `${address} at ${node}`)
    const gone = this.leaves.slice(leaves).map(({ seer, node }) => `${seer} gave ${node} up`)
    if (moved.length + gone.length > 0)
      this.judge.violations.push(`at ${at(this.now)}: nothing was broken, and yet ${[...gone, ...moved].join(', ')}`)
  }

  /** Until nobody starts, leaves or stands still any more. */
  async #steady(): Promise<void> {
    const start = this.now
    const moves = (node: string) => ['starting', 'leaving'].includes(this.truth.life(node))
    const moving = () => this.names.filter(node => moves(node) || this.#machines.get(node)?.process.frozen)
    while (moving().length > 0 && this.now - start < STEADY_MS) await this.run(10)
    if (moving().length > 0) this.judge.violations.push(`at ${at(this.now)}: ${moving()} still starting or leaving`)
  }

  /** What is not as it should be when nothing moves any more; undefined where all is well. */
  wrong(): string | undefined {
    return this.expectation.wrong()
  }

  #divide(): void {
    this.ownership.divide(...this.expectation.audiences())
  }

  #ends(node: string): void {
    this.truth.lives(node, 'down')
    this.machine(node).end()
    this.ownership.update(node, [])
    this.#divide()
  }

  #heard(seer: string, { kind, node }: MemberEvent): void {
    if (kind === 'NodeLeave') this.leaves.push({ atMs: this.now, seer, node })
  }
}
