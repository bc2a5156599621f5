import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { systemClock } from '../system/clock.ts'
import { LinuxLayer2Responder } from './layer2-responder.ts'

/** Dies in its first life; in the next it leaves when it is told to, and has left when it is asked to announce. */
const thread = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads'
    const look = setInterval(() => {
      if (Atomics.load(workerData.stop, 0) === 0) return
      clearInterval(look)
      parentPort.unref()
    }, 2)
    parentPort.postMessage({ kind: 'interfaces', interfaces: [] })
    if (workerData.companion === 1) throw new Error('died on purpose')
    const answers = { leave: 'leaving', reannounce: 'left' }
    parentPort.on('message', ({ kind }) => kind in answers && parentPort.postMessage({ kind: answers[kind] }))
  `)}`,
)

test('a responder whose thread once died still waits for its successors when it leaves', async t => {
  let life = 0
  const lives = new EventTarget()
  const responder = new LinuxLayer2Responder({
    ...{ worker: thread, log: new FakeLog(), metrics: new FakeMetrics(), clock: systemClock },
    companion: () => ({ data: ++life, transfer: [] }),
  })
  t.after(() => responder.stop())
  responder.subscribe(() => lives.dispatchEvent(new Event(`life ${life}`)))
  const second = once(lives, 'life 2')
  await responder.start()
  await second
  const { over } = await responder.leave()
  const open = new Promise(resolve => setImmediate(resolve, 'open'))
  assert.equal(await Promise.race([over, open]), 'open')
  responder.reannounce(parseAddress('192.0.2.1')!)
  await over
})
