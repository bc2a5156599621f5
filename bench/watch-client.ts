// The client of bench/watch.ts: one informer, as a daemon has it. Prints one JSON object.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Connection, KubeClient, Reflector } from '../src/adapters/kube/index.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { systemRandom } from '../src/adapters/system/random.ts'
import { services } from '../src/api/kubernetes/service.ts'
import { silent } from '../src/ports/index.ts'

const [url = '', count = ''] = process.argv.slice(2)
const peakMiB = () => process.resourceUsage().maxRSS / 1024
const baseMiB = peakMiB()

/** Longest time the event loop stood still while the work was going on, beside how long it took. */
async function measure(work: () => Promise<void>): Promise<{ ms: number; blockMs: number; peakMiB: number }> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const start = performance.now()
  await work()
  const ms = performance.now() - start
  delay.disable()
  return { ms, blockMs: Math.max(0, delay.max / 1e6 - 1), peakMiB: peakMiB() }
}

const access = {
  source: 'bench',
  server: new URL(url),
  tls: { rejectUnauthorized: true },
  identity: async () => ({}),
  renew: () => false,
}
const connection = new Connection({ access, clock: systemClock })
const client = new KubeClient(connection, systemRandom)
const reflector = new Reflector({ client, clock: systemClock, random: systemRandom, log: silent }, services)
let updates = 0
let finished = () => {}
reflector.subscribe(({ kind }) => {
  if (kind === 'updated' && ++updates === Number(count)) finished()
})

const list = await measure(async () => {
  reflector.start()
  await reflector.whenSynced()
})
await new Promise(resolve => setTimeout(resolve, 100)) // the watch is opened right after the list
const modified = await measure(async () => {
  const all = new Promise<void>(resolve => {
    finished = resolve
  })
  await connection.request({ method: 'GET', path: '/modify' })
  await all
})
if (reflector.list().length !== Number(count)) throw new Error(`${reflector.list().length} objects`)
console.log(JSON.stringify({ baseMiB, list, modified }))
await reflector.stop()
connection.close()
