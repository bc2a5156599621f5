// The speaker's main thread, reduced to what bench/arp.ts measures: it hands over the table, and then it is busy.
import { LinuxLayer2Responder } from '../src/adapters/linux/index.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { responderWorkerUrl } from '../src/apps/speaker/responder-worker-url.ts'
import { parseAddress } from '../src/core/ip/index.ts'
import { silent } from '../src/ports/index.ts'
import { FakeMetrics } from '../src/testing/fake-metrics.ts'

const BLOCK_MS = 200
const PAUSE_MS = 5

const [role, load, base, count] = process.argv.slice(2)
if (role === 'speaker') await announce(base!, Number(count))
if (load === 'blocked') setInterval(block, PAUSE_MS)
else setInterval(() => {}, 60_000)

async function announce(base: string, count: number): Promise<void> {
  const realtime = process.env.REALTIME !== '0'
  const options = { log: silent, metrics: new FakeMetrics(), clock: systemClock, realtime }
  const responder = new LinuxLayer2Responder({ worker: responderWorkerUrl, ...options })
  await responder.start()
  const { family, value: first } = parseAddress(base)!
  const address = (index: number) => ({ family, value: first + BigInt(index) })
  await responder.update(Array.from({ length: count }, (_, index) => ({ address: address(index), interfaces: 'all' })))
  console.log('ready')
}

function block(): void {
  for (const end = performance.now() + BLOCK_MS; performance.now() < end; );
}
