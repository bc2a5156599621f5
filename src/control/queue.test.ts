import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../ports/index.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { WorkQueue, type WorkQueueOptions } from './queue.ts'

function queueOf(handle: WorkQueueOptions['handle'], workers = 1) {
  const clock = new FakeClock()
  return { clock, queue: new WorkQueue({ name: 'test', clock, log: silent, handle, workers }) }
}

test('a key waits once however often it is added, and nothing runs before the start', async () => {
  const seen: string[] = []
  const { queue } = queueOf(async key => {
    seen.push(key)
    return 'done'
  })
  for (const key of ['a', 'b', 'a']) queue.add(key)
  assert.deepEqual(seen, [])
  queue.start()
  await queue.whenIdle()
  assert.deepEqual(seen, ['a', 'b'])
})

test('a key added while it is handled is handled again, never twice at once', async () => {
  let running = 0
  let runs = 0
  const { queue } = queueOf(async key => {
    assert.equal(++running, 1)
    if (++runs === 1) queue.add(key)
    await null
    running--
    return 'done'
  }, 4)
  queue.start()
  queue.add('a')
  await queue.whenIdle()
  assert.equal(runs, 2)
})

test('a failing key comes back after 5, 10, 20 ms, a rejection counts as failure, success forgets', async () => {
  let outcome: 'done' | 'retry' | 'throw' = 'retry'
  let runs = 0
  const { clock, queue } = queueOf(async () => {
    runs++
    if (outcome === 'throw') throw new Error('broken')
    return outcome
  })
  queue.start()
  queue.add('a')
  for (const delay of [5, 10, 20]) {
    await queue.whenIdle()
    const before = runs
    assert.equal(clock.next, delay)
    outcome = 'throw'
    clock.advance(delay - 1)
    await queue.whenIdle()
    assert.equal(runs, before)
    if (delay === 20) outcome = 'done'
    clock.advance(1)
  }
  await queue.whenIdle()
  assert.equal(runs, 4)
  outcome = 'retry'
  queue.add('a')
  await queue.whenIdle()
  assert.equal(clock.next, 5)
})

test('one stuck key does not keep the other workers from theirs', async () => {
  const seen: string[] = []
  let release = () => {}
  const { queue } = queueOf(async key => {
    if (key === 'stuck') await new Promise<void>(resolve => (release = resolve))
    seen.push(key)
    return 'done'
  }, 2)
  queue.start()
  for (const key of ['stuck', 'a', 'b']) queue.add(key)
  while (seen.length < 2) await null
  assert.deepEqual(seen, ['a', 'b'])
  release()
  await queue.whenIdle()
  assert.deepEqual(seen, ['a', 'b', 'stuck'])
})

test('stop waits for what runs and drops the rest', async () => {
  let release = () => {}
  const seen: string[] = []
  const { clock, queue } = queueOf(async key => {
    await new Promise<void>(resolve => (release = resolve))
    seen.push(key)
    return 'retry'
  })
  queue.start()
  queue.add('a')
  queue.add('b')
  const stopped = queue.stop()
  release()
  await stopped
  queue.add('c')
  assert.deepEqual(seen, ['a'])
  assert.equal(clock.armed, 0)
})
