/** The measurement behind the demo and the bench: what a client sees when the node that owns an address dies. */
import { createInterface } from 'node:readline'
import type { Lab } from './lab.ts'
import { type Attempt, longestGap, Probe } from './probe.ts'
import { waitFor } from './wait.ts'

/** Times in milliseconds since 1970. */
export interface Failover {
  readonly before: string
  readonly after: string
  /** When the owner was struck. */
  readonly killedAt: number
  readonly lastAnswer: number
  /** When the client's ARP table had the new owner, by a gratuitous packet or by asking. */
  readonly learned: number
  readonly firstAnswer: number
  /** The longest time without an answer around the kill. */
  readonly outageMs: number
  readonly attempts: readonly Attempt[]
}

/** Answers to see before the kill, and after it, so that both sides of the gap are steady. */
const STEADY = 20

export interface FailoverOptions {
  readonly timeoutMs?: number
  /** What happens to the owner. Default: the whole node is killed. */
  readonly strike?: (node: string) => Promise<void>
}

/** Strikes the owner of an address under a client's eyes. Rejects with a sentence where some part is not observed. */
export async function measureFailover(lab: Lab, address: string, options: FailoverOptions = {}): Promise<Failover> {
  const { timeoutMs = 30_000, strike = (node: string) => lab.kill(node) } = options
  const before = await waitFor(() => lab.owner(address), `a node to answer ARP for ${address}`)
  await lab.client.exec(['ip', 'neigh', 'flush', 'to', address, 'dev', 'eth0']) // it may still use who stood in for the owner
  const probe = new Probe(lab.client, `http://${address}/`)
  const arpTable = new ArpTable(lab, address)
  try {
    await waitFor(() => probe.answersSince(0).length >= STEADY, `steady answers from ${address}`)
    const killedAt = Date.now()
    await strike(before)
    const enough = () => probe.answersSince(killedAt).length >= STEADY
    await waitFor(enough, `answers from ${address} after ${before} was struck`, timeoutMs)
    const { node: after, at: learned } = await waitFor(
      () => arpTable.changes.find(({ node, at }) => at > killedAt && node !== before),
      'the client to learn another owner',
    )
    const { from: lastAnswer, to: firstAnswer, ms: outageMs } = longestGap(probe.attempts)!
    return { before, after, killedAt, lastAnswer, learned, firstAnswer, outageMs, attempts: probe.attempts }
  } finally {
    arpTable.stop()
    await probe.stop()
  }
}

/** Follows which node the client's kernel takes for the owner of the address. */
class ArpTable {
  readonly changes: { readonly at: number; readonly node: string }[] = []
  readonly stop: () => void

  constructor(lab: Lab, address: string) {
    const monitor = lab.client.start(['ip', 'monitor', 'neigh', 'dev', 'eth0'])
    this.stop = () => monitor.kill('SIGKILL')
    createInterface({ input: monitor.stdout! }).on('line', line => {
      const node = lab.plan.nodes.find(({ mac }) => line.startsWith(`${address} `) && line.includes(`lladdr ${mac}`))
      if (node !== undefined) this.changes.push({ at: Date.now(), node: node.name })
    })
  }
}
