import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Broadcasts } from './broadcasts.ts'

const text = (bytes: Uint8Array[]) => bytes.map(one => String.fromCharCode(...one))
const bytes = (word: string) => Uint8Array.from(word, letter => letter.charCodeAt(0))

/** With `n` 1 and `mult` 4 each is sent four times. */
const take = (queue: Broadcasts, budget = 1000, max?: number) => text(queue.take(budget, 4, 1, max))

test('least often sent first, then the longest, then the newest', () => {
  const queue = new Broadcasts()
  queue.add('a', bytes('aa'))
  queue.add('b', bytes('bbbb'))
  queue.add('c', bytes('cc'))
  assert.deepEqual(take(queue), ['bbbb', 'cc', 'aa'])
  queue.add('d', bytes('d'))
  assert.deepEqual(take(queue), ['d', 'bbbb', 'cc', 'aa'])
})

test('as many times as section 4.9 says, then no more, and the sender hears of it', () => {
  const queue = new Broadcasts()
  let finished = 0
  queue.add('a', bytes('a'), () => finished++)
  const rounds = Array.from({ length: 6 }, () => take(queue).length)
  assert.deepEqual([rounds, finished, queue.size], [[1, 1, 1, 1, 0, 0], 1, 0])
})

test('newer news of a node replaces the older, which is finished; it is repeated as often again', () => {
  const queue = new Broadcasts()
  let finished = 0
  queue.add('a', bytes('old'), () => finished++)
  take(queue)
  queue.add('a', bytes('new'))
  assert.deepEqual([finished, queue.size], [1, 1])
  assert.equal(
    Array.from({ length: 6 }, () => take(queue))
      .flat()
      .join(),
    'new,new,new,new',
  )
})

test('what fits: two bytes more for each part, a shorter one where a longer does not, no more than asked', () => {
  const queue = new Broadcasts()
  queue.add('a', bytes('aaaaaa'))
  queue.add('b', bytes('bb'))
  queue.add('c', bytes('cc'))
  assert.deepEqual(take(queue, 7), ['cc']) // a takes 8, the others 4 each
  assert.deepEqual(take(queue, 8), ['aaaaaa'])
  assert.deepEqual(take(queue, 3), [])
  assert.deepEqual(take(queue, 12), ['bb', 'aaaaaa'])
})

test('no more parts than asked for', () => {
  const queue = new Broadcasts()
  for (const name of 'abc') queue.add(name, bytes(name))
  assert.deepEqual(take(queue, 1000, 2), ['c', 'b'])
  assert.deepEqual(take(queue, 1000, 2), ['a', 'c'])
})
