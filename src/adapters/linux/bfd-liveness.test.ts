import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BfdProfile } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { Logger } from '../../ports/index.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { systemClock } from '../system/clock.ts'
import { LinuxLiveness } from './bfd-liveness.ts'

/** Says that it lives, and ends when told to. */
const thread = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads'
    parentPort.postMessage({ kind: 'log', level: 'info', fields: { msg: 'started' } })
    const look = setInterval(() => Atomics.load(workerData.stop, 0) !== 0 && clearInterval(look), 2)
  `)}`,
)
const profile: BfdProfile = { name: 'fast', echoMode: false, passiveMode: false }

test('the thread of BFD starts with the first session and serves the next', async () => {
  const lines: unknown[] = []
  const write = (fields: unknown) => void lines.push(fields)
  const log: Logger = { debug: write, info: write, warn: write, error: write, with: () => log }
  const liveness = new LinuxLiveness({ worker: thread, log, metrics: new FakeMetrics(), clock: systemClock })
  liveness.start()
  await liveness.stop() // whatever a thread said is heard before its end
  assert.deepEqual(lines, [])

  liveness.start()
  assert.equal(liveness.ready(), true)

  const watch = (ip: string) => liveness.watch({ peer: parseAddress(ip)!, multihop: false }, profile, () => undefined)
  watch('192.0.2.1')
  watch('192.0.2.2')
  await liveness.stop()
  assert.deepEqual(lines, [{ msg: 'started' }])
})
