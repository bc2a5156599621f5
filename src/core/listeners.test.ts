import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Listeners } from './listeners.ts'

test('all are told, in order, until they want no more', () => {
  const told: string[] = []
  const listeners = new Listeners<number>()
  const first = listeners.add(value => told.push(`first ${value}`))
  listeners.add(value => told.push(`second ${value}`))
  listeners.tell(1)
  first()
  listeners.tell(2)
  assert.deepEqual(told, ['first 1', 'second 1', 'second 2'])
})

test('who goes while others are told is not told, who comes is told the next time', () => {
  const told: string[] = []
  const listeners = new Listeners()
  listeners.add(() => {
    last()
    listeners.add(() => told.push('new'))
  })
  const last = listeners.add(() => told.push('last'))
  listeners.tell()
  assert.deepEqual(told, [])
  listeners.tell()
  assert.deepEqual(told, ['new'])
})
