import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { SupervisedWorker } from './supervised-worker.ts'

/** Echoes, dies when told to, and ends when the shared number says so, with that number as its last word. */
const THREAD = `
  import { parentPort, workerData } from 'node:worker_threads'
  if (Atomics.load(workerData.stop, 0) !== 0) throw new Error('told to end already')
  const look = setInterval(() => {
    const how = Atomics.load(workerData.stop, 0)
    if (how === 0) return
    parentPort.postMessage('ended with ' + how)
    parentPort.close()
    clearInterval(look)
  }, 1)
  parentPort.on('message', text => {
    if (text === 'die') throw new Error('told to')
    parentPort.postMessage(text)
  })
  workerData.port?.postMessage('moved here')`
const STILLBORN = `throw new Error('stillborn')`

const urlOf = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`)

function open(t: TestContext, source: string) {
  const clock = new FakeClock()
  const log = new FakeLog()
  /** What happened, in order; `next` resolves with each anew. */
  const events: string[] = []
  let tell = () => {}
  const note = (event: string) => {
    events.push(event)
    tell()
  }
  const until = async (event: string, times = 1) => {
    while (events.filter(one => one === event).length < times)
      await new Promise<void>(resolve => {
        tell = resolve
      })
  }
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  let moves = true
  const worker: SupervisedWorker<string, string> = new SupervisedWorker({
    ...{ url: urlOf(source), name: 'test', op: 'test', what: 'test thread', log, clock },
    prepare: supervision => {
      const data = moves ? { ...supervision, port: port2 } : supervision
      const transfer = moves ? [port2] : undefined
      moves = false
      return { data, transfer }
    },
    begun: () => note(`begun ${worker.isRunning}`),
    heard: note,
    died: () => note('died'),
  })
  t.after(() => worker.stop())
  worker.open()
  return { worker, clock, log, events, until, port: port1 }
}

test('a thread gets its data with what moves there, hears and is heard, and ends as it is told to', async t => {
  const { worker, events, until, port, log, clock } = open(t, THREAD)
  worker.run()
  worker.run() // it runs already
  worker.post('one')
  worker.post('two')
  assert.deepEqual(await once(port, 'message'), ['moved here'])
  await until('two')
  await worker.stop(7)
  assert.deepEqual(events, ['begun true', 'one', 'two', 'ended with 7'])
  assert.deepEqual([worker.isRunning, worker.isRestarting, clock.armed, log.lines], [false, false, 0, []])
})

test('a thread that dies at its start is started ever later, up to ten seconds, and each death is told', async t => {
  const { worker, clock, log, until } = open(t, STILLBORN)
  worker.run()
  const pauses: (number | undefined)[] = []
  for (let deaths = 1; deaths <= 9; deaths++) {
    await until('died', deaths)
    worker.run() // it is about to
    assert.deepEqual([worker.isRunning, worker.isRestarting], [false, true])
    pauses.push(clock.next)
    clock.advance(clock.next!)
    assert.deepEqual([worker.isRunning, worker.isRestarting], [true, false])
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  const told = {
    level: 'error',
    fields: { op: 'test', error: 'stillborn', msg: 'the test thread died, restarting it' },
  }
  assert.deepEqual(log.lines.slice(0, 9), Array(9).fill(told))
})

test('one that lived long is started soon again', async t => {
  const { worker, clock, until } = open(t, THREAD)
  worker.run()
  for (const [deaths, livedMs, pause] of [
    [1, 0, 100],
    [2, 30_000, 200],
    [3, 30_001, 100],
    [4, 0, 200],
  ] as const) {
    clock.advance(livedMs)
    worker.post('die')
    await until('died', deaths)
    assert.equal(clock.next, pause)
    clock.advance(pause)
  }
})

test('what is posted while it is dead is not kept: it is told when it begins', async t => {
  const { worker, clock, events, until } = open(t, THREAD)
  worker.post('before it ran')
  worker.run()
  worker.post('die')
  await until('died')
  worker.post('while it was dead')
  clock.advance(100)
  worker.post('afterwards')
  await until('afterwards')
  assert.deepEqual(events, ['begun true', 'died', 'begun true', 'afterwards'])
})

test('stopped while it is about to be restarted it stays dead, until it is opened again', async t => {
  const { worker, clock, events, until } = open(t, THREAD)
  worker.run()
  worker.post('die')
  await until('died')
  await worker.stop()
  worker.run() // closed
  assert.deepEqual([worker.isRunning, worker.isRestarting, clock.armed], [false, false, 0])
  for (const text of ['hello', 'hello again']) {
    worker.open()
    worker.run()
    worker.post(text)
    await until(text)
    await worker.stop()
  }
  const lives = ['hello', 'hello again'].flatMap(text => ['begun true', text, 'ended with 1'])
  assert.deepEqual(events, ['begun true', 'died', ...lives])
})
