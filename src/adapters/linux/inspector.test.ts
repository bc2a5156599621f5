import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

/** Says whether it is inspected once it may be, and again each time it reads a line. */
const PROGRAM = `
  import { isInspected } from '${import.meta.dirname}/inspector.ts'
  process.stdin.on('data', () => console.log(isInspected()))
  console.log(isInspected())`

for (const [flag, inspected] of [
  ['--inspect=127.0.0.1:0', true],
  ['--no-warnings', false],
] as const)
  test(`a process started with ${flag} is ${inspected ? '' : 'not '}inspected`, async t => {
    const words = [flag, '--input-type=module', '-e', PROGRAM]
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'ignore'] })
    t.after(() => child.kill('SIGKILL'))
    assert.deepEqual(String(await once(child.stdout, 'data')), `${inspected}\n`)
  })
