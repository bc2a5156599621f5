/** The measurement behind the demo and the bench: what a client sees when the node that owns an address dies. */
import type { Lab } from './lab.ts'
import { type Attempt, longestGap, Probe } from './probe.ts'
import { waitFor } from './wait.ts'

export interface Failover {
  readonly before: string
  readonly after: string
  /** Times in milliseconds since 1970. */
  readonly killedAt: number
  readonly lastAnswer: number
  readonly firstAnswer: number
  /** The longest time without an answer around the kill. */
  readonly outageMs: number
  readonly attempts: readonly Attempt[]
}

/** Answers to see before the kill, and after it, so that both sides of the gap are steady. */
const STEADY = 20

/** Kills the owner's node under a client's eyes. Rejects with a sentence where some part is not observed. */
export async function measureFailover(lab: Lab, address: string, timeoutMs = 30_000): Promise<Failover> {
  const before = await waitFor(() => lab.owner(address), `a node to answer ARP for ${address}`)
  const probe = new Probe(lab.client, `http://${address}/`)
  try {
    await waitFor(() => probe.answersSince(0).length >= STEADY, `steady answers from ${address}`)
    const killedAt = Date.now()
    await lab.kill(before)
    const enough = () => probe.answersSince(killedAt).length >= STEADY
    await waitFor(enough, `answers from ${address} after ${before} was killed`, timeoutMs)
    const after = await waitFor(() => lab.owner(address), `another node to answer ARP for ${address}`)
    if (after === before) throw new Error(`${address} is still answered by ${before}, which was killed`)
    const gap = longestGap(probe.attempts)!
    const { from: lastAnswer, to: firstAnswer, ms: outageMs } = gap
    return { before, after, killedAt, lastAnswer, firstAnswer, outageMs, attempts: probe.attempts }
  } finally {
    await probe.stop()
  }
}
