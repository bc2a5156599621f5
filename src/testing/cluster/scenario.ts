/** What happens to a cluster, as data: made from a seed, printed, played. */
import type { Random } from '../../ports/index.ts'
import { FakeRandom } from '../fake-random.ts'
import { LEARNED_MS } from './bounds.ts'
import { Cluster } from './cluster.ts'
import type { Conditions } from './links.ts'
import { TOLERATED } from './truth.ts'

export type Step =
  /** `kill`: the machine is without power. `crash`: the process alone. `leave`: SIGTERM. */
  | { readonly do: 'start' | 'kill' | 'crash' | 'leave'; readonly node: number }
  /** `freeze`: the process stands still. `jump`: its wall clock does. */
  | { readonly do: 'freeze' | 'jump'; readonly node: number; readonly ms: number }
  /** These on one side, the others on the other. */
  | { readonly do: 'partition'; readonly side: readonly number[] }
  /** Hears nobody; is heard by nobody. */
  | { readonly do: 'deaf' | 'mute'; readonly node: number }
  /** A single path, both ways or one. */
  | { readonly do: 'cut'; readonly from: number; readonly to: number; readonly both: boolean }
  | { readonly do: 'heal' }
  | { readonly do: 'run'; readonly ms: number }
  /** Until all is as it should be. */
  | { readonly do: 'settle' }
  /** So long nothing may move. */
  | { readonly do: 'quiet'; readonly ms: number }

export interface Scenario {
  readonly seed: number
  readonly speakers: number
  readonly conditions: Partial<Conditions>
  readonly steps: readonly Step[]
}

export interface Outcome {
  readonly violations: readonly string[]
  /** The longest time without an answer, and with several, from what caused it. */
  readonly longest: { readonly nobody: number; readonly several: number }
  readonly lastedMs: number
  readonly packets: number
}

/** The same outcome for the same scenario, always. */
export async function play({ seed, speakers, conditions, steps }: Scenario): Promise<Outcome> {
  const cluster = new Cluster({ seed, speakers, learnedMs: LEARNED_MS.troubles })
  cluster.conditions = conditions
  await cluster.boot()
  await cluster.calm()
  cluster.judge.longest.nobody = 0
  for (const step of steps) {
    await perform(cluster, step)
    if (cluster.judge.violations.length > 0) break
  }
  const { violations, longest } = cluster.judge
  return { violations, longest, lastedMs: cluster.now, packets: cluster.network.sent }
}

async function perform(cluster: Cluster, step: Step): Promise<unknown> {
  const name = (n: number) => cluster.names[n]!
  switch (step.do) {
    case 'start':
      return cluster.start(name(step.node))
    case 'kill':
    case 'crash':
    case 'leave':
      return cluster[step.do](name(step.node))
    case 'freeze':
    case 'jump':
      return cluster[step.do](name(step.node), step.ms)
    case 'partition':
      return cluster.partition(step.side.map(name))
    case 'deaf':
    case 'mute':
      return cluster.oneWay(name(step.node), step.do)
    case 'cut':
      return cluster.cut([name(step.from)], [name(step.to)], step.both)
    case 'heal':
      return cluster.heal()
    case 'run':
    case 'quiet':
      return cluster[step.do](step.ms)
    case 'settle':
      return cluster.settle()
  }
}

/** A scenario of a few troubles and their ends, one after the other or one into the other. */
export function scenarioOf(seed: number, speakers?: number): Scenario {
  const random = new FakeRandom(seed)
  const count = speakers ?? 4 + Math.floor(random.next() * 8)
  const conditions = {
    loss: TOLERATED.loss * random.next(),
    ...{ delayMs: 0.1 + random.next() * 3, jitterMs: random.next() * 10 },
    ...{ reorder: 0.05 * random.next(), duplicate: 0.02 * random.next() },
  }
  const writer = new Writer(random, count)
  for (let round = 0; round < 3; round++) {
    writer.calm()
    writer.trouble()
    if (random.next() < 0.4) writer.trouble(random.next() * 800)
    writer.steps.push({ do: 'settle' })
    writer.mend()
    writer.steps.push({ do: 'settle' })
  }
  return { seed, speakers: count, conditions, steps: writer.steps }
}

/** Writes steps that can follow one another. */
class Writer {
  readonly steps: Step[] = []
  readonly #random: Random
  readonly #count: number
  readonly #down = new Set<number>()
  #cut = false
  #frozen = 0

  constructor(random: Random, count: number) {
    this.#random = random
    this.#count = count
  }

  /** Nothing that may move anything: short stalls and wall clocks that jump. */
  calm(): void {
    for (let n = this.#below(3); n > 0; n--) {
      const node = this.#running()
      this.steps.push({ do: 'freeze', node, ms: this.#below(TOLERATED.stallMs) })
      this.steps.push({ do: 'jump', node: this.#running(), ms: (this.#random.next() - 0.5) * 1e8 })
      this.steps.push({ do: 'quiet', ms: 200 + this.#below(1000) })
    }
  }

  trouble(afterMs = 0): void {
    if (afterMs > 0) this.steps.push({ do: 'run', ms: Math.round(afterMs) })
    const node = this.#running()
    const kind = this.#below(this.#cut ? 4 : 8)
    // Three that work are left on a side at least: what fewer do is no matter of chance, and has tests of its own.
    if (kind <= 3 && this.#count - this.#down.size - this.#frozen < 4) return
    if (kind < 3) this.#ends(node, (['kill', 'crash', 'leave'] as const)[kind]!)
    else if (kind === 3) this.#freezes(node)
    else this.#cuts(node, kind)
  }

  mend(): void {
    if (this.#cut) this.steps.push({ do: 'heal' })
    this.#cut = false
    this.#frozen = 0
    for (const node of this.#down) {
      if (this.#random.next() < 0.3) continue
      this.steps.push({ do: 'start', node }, { do: 'run', ms: this.#below(500) })
      this.#down.delete(node)
    }
  }

  #freezes(node: number): void {
    this.#frozen++
    this.steps.push({ do: 'freeze', node, ms: 200 + this.#below(4800) })
  }

  #ends(node: number, how: 'kill' | 'crash' | 'leave'): void {
    this.#down.add(node)
    this.steps.push({ do: how, node })
    if (how === 'leave') this.steps.push({ do: 'run', ms: 1200 }) // it takes its time
  }

  #cuts(node: number, kind: number): void {
    this.#cut = true
    const others = this.#others(node)
    if (kind === 4)
      this.steps.push({ do: 'partition', side: [node, ...others.filter(() => this.#random.next() < 0.5)] })
    else if (kind === 7)
      this.steps.push({ do: 'cut', from: node, to: others[this.#below(others.length)]!, both: this.#below(2) === 0 })
    else this.steps.push({ do: kind === 5 ? 'deaf' : 'mute', node })
  }

  #running(): number {
    const running = Array.from({ length: this.#count }, (_, n) => n).filter(n => !this.#down.has(n))
    return running[this.#below(running.length)]!
  }

  #others(node: number): number[] {
    return Array.from({ length: this.#count }, (_, n) => n).filter(n => n !== node)
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }
}

/** One line a step. */
export function textOf({ seed, speakers, conditions, steps }: Scenario): string {
  const settings = Object.entries(conditions).map(([name, value]) => `${name} ${Number(value.toFixed(4))}`)
  const lines = steps.map(({ do: what, ...rest }) => `  ${what} ${Object.values(rest).join(' ')}`)
  return [`seed ${seed}, ${speakers} speakers, ${settings.join(', ')}`, ...lines].join('\n')
}
