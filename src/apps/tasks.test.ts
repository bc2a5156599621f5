import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent, type Task } from '../ports/index.ts'
import { startAll, stopAll } from './tasks.ts'

function recorded(trace: string[], name: string, fails?: 'start' | 'stop'): Task {
  const act = (what: 'start' | 'stop') => {
    trace.push(`${what} ${name}`)
    if (fails === what) throw new Error(`${name} does not ${what}`)
  }
  return { name, start: () => act('start'), stop: () => act('stop'), ready: () => true }
}

test('tasks start in order and stop in reverse, also past one that fails to stop', async () => {
  const trace: string[] = []
  const tasks = [recorded(trace, 'a'), recorded(trace, 'b', 'stop'), recorded(trace, 'c')]
  await startAll(tasks, silent)
  await stopAll(tasks, silent)
  assert.deepEqual(trace, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
})

test('a task that fails to start takes down what was started before it and nothing else', async () => {
  const trace: string[] = []
  const tasks = [recorded(trace, 'a'), recorded(trace, 'b', 'start'), recorded(trace, 'c')]
  await assert.rejects(startAll(tasks, silent), /b does not start/)
  assert.deepEqual(trace, ['start a', 'start b', 'stop a'])
})
