import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isRunning, readState, recordOf, writeState } from './state.ts'

test('a process is known by pid and start time: a reused pid is another process', async () => {
  const own = recordOf('self', process.pid)
  assert.equal(isRunning(own), true)
  assert.equal(isRunning({ ...own, started: '1' }), false)
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const record = recordOf('child', child.pid!)
  assert.equal(isRunning(record), true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isRunning(record), false)
})

test('state is read back; none, or a broken one, is none', t => {
  const dir = mkdtempSync(join(tmpdir(), 'metallb-state-'))
  t.after(() => rmSync(dir, { recursive: true }))
  assert.equal(readState(dir), undefined)
  const state = { name: 'x', supervisor: recordOf('self', process.pid), processes: [] }
  writeState(dir, state)
  assert.deepEqual(readState(dir), state)
  writeFileSync(join(dir, 'state.json'), '{"name":')
  assert.equal(readState(dir), undefined)
})
