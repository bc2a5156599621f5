/** A client that asks a Service every few milliseconds, and what that says about an outage. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Host } from './machine.ts'
import { nodeCommand } from './programs.ts'

/** One request that ended; times in milliseconds since 1970. */
export interface Attempt {
  readonly sent: number
  readonly ended: number
  /** Empty where nothing came. */
  readonly body: string
  /** Absent for an answer. */
  readonly error?: string
}

export interface Gap {
  readonly from: number
  readonly to: number
  readonly ms: number
}

/** The longest time between two answers; undefined where there are fewer than two. */
export function longestGap(attempts: readonly Attempt[]): Gap | undefined {
  const answers = attempts.filter(({ error }) => error === undefined).map(({ ended }) => ended)
  answers.sort((a, b) => a - b)
  const gaps = answers.slice(1).map((to, i) => ({ from: answers[i]!, to, ms: to - answers[i]! }))
  return gaps.reduce<Gap | undefined>((longest, gap) => (longest && longest.ms >= gap.ms ? longest : gap), undefined)
}

export class Probe {
  readonly attempts: Attempt[] = []
  readonly #child: ChildProcess

  constructor(client: Host, url: string, intervalMs = 20, timeoutMs = 200) {
    this.#child = client.start(nodeCommand('probe', [url, String(intervalMs), String(timeoutMs)]))
    createInterface({ input: this.#child.stdout! }).on('line', line => this.attempts.push(JSON.parse(line) as Attempt))
  }

  /** Answers to requests that were sent after the given time. */
  answersSince(time: number): Attempt[] {
    return this.attempts.filter(({ sent, error }) => error === undefined && sent > time)
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}
