import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** Every core has a thread of work, and this thread works in bursts that make garbage. */
export async function underLoad(seconds: number): Promise<void> {
  const spin = 'const kept = []; for (let n = 0; ; n++) { kept[n % 100000] = { n, text: String(n) } }'
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(spin, { eval: true }))
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
    const kept: object[] = []
    for (const pause = performance.now() + 200; performance.now() < pause; ) kept.push({ text: String(kept.length) })
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await Promise.all(workers.map(worker => worker.terminate()))
}
