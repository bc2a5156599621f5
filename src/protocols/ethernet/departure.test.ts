import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Departure } from './index.ts'

test('it lets each address go once, with who was answered last, and knows when all are gone', () => {
  const departure = new Departure<string>()
  departure.answers(1, 'a', 5)
  assert.deepEqual(departure.release(1, 'a', 3), { id: 3, last: 5 })
  departure.answers(1, 'a', 6)
  assert.deepEqual(departure.release(1, 'a', 4), { id: 3, last: 5 })
  assert.deepEqual([departure.has(1, 'a'), departure.has(2, 'a'), departure.has(1, 'b')], [true, false, false])
  assert.deepEqual([departure.isOver(['a']), departure.isOver(['a', 'b'])], [true, false])
  assert.deepEqual(departure.release(2, 'b', 0), { id: 0, last: 0 })
  assert.equal(departure.isOver(['a', 'b']), true)
})

test('an address that is given up while somebody asks for it is let go with the next question, where that is', () => {
  const departure = new Departure<string>()
  departure.asks(1, 'a')
  assert.equal(departure.letsGo(1, 'a'), false)
  assert.deepEqual([...departure.yield('a')], [1])
  assert.deepEqual([departure.letsGo(1, 'a'), departure.letsGo(2, 'a'), departure.letsGo(1, 'b')], [true, false, false])
})

test('nobody asks for it: it is simply given up', () => {
  const departure = new Departure<string>()
  departure.asks(1, 'b')
  assert.equal(departure.yield('a').size, 0)
  assert.equal(departure.letsGo(1, 'a'), false)
})

test('who has not asked for 0.1 s asks no more, and what was kept for him is over', () => {
  const departure = new Departure<string>()
  departure.asks(1, 'a')
  departure.answers(1, 'a', 5)
  assert.deepEqual(departure.over(1000), [])
  departure.yield('a')
  assert.deepEqual(departure.over(1099), [])
  assert.equal(departure.mayLetGo(1, 'a'), true)
  assert.deepEqual(departure.over(1100), ['a'])
  assert.deepEqual([departure.mayLetGo(1, 'a'), departure.letsGo(1, 'a')], [false, false])
  departure.asks(1, 'a')
  assert.deepEqual(departure.release(1, 'a', 0), { id: 0, last: 0 }, 'who was answered long ago does not matter')
})

test('what was let go is forgotten when nobody asks any more, and not before', () => {
  const departure = new Departure<string>()
  departure.asks(1, 'a')
  departure.yield('a')
  departure.release(1, 'a', 3)
  assert.deepEqual([departure.over(1000), departure.has(1, 'a')], [[], true])
  assert.deepEqual([departure.over(1100), departure.has(1, 'a')], [['a'], false])
})

test('each question counts anew', () => {
  const departure = new Departure<string>()
  for (let now = 0; now < 1000; now += 50) {
    departure.asks(1, 'a')
    departure.over(now)
  }
  assert.equal(departure.mayLetGo(1, 'a'), true)
})

test('an address that comes back is as if it had never been asked for', () => {
  const departure = new Departure<string>()
  departure.asks(1, 'a')
  departure.yield('a')
  departure.release(1, 'a', 3)
  departure.regain('a')
  assert.deepEqual([departure.has(1, 'a'), departure.letsGo(1, 'a'), departure.mayLetGo(1, 'a')], [false, false, false])
})

test('who leaves altogether yields nothing besides', () => {
  const departure = new Departure<string>()
  departure.isLeaving = true
  departure.asks(1, 'a')
  assert.equal(departure.yield('a').size, 0)
})
