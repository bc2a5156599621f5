import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must, run } from './command.ts'

const node = process.execPath

test('a failing program is a value', async () => {
  const output = await run([node, '-e', 'console.log("out"); console.error("err"); process.exit(7)'])
  assert.deepEqual(output, { code: 7, stdout: 'out\n', stderr: 'err\n' })
})

test('input and environment reach the program', async () => {
  const script = 'process.stdin.on("data", text => console.log(text + process.env.GREETING))'
  assert.equal((await run([node, '-e', script], { input: 'in ', env: { GREETING: 'hello' } })).stdout, 'in hello\n')
})

test('a program that takes too long is killed', async () => {
  assert.equal((await run([node, '-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 })).code, -1)
})

test('must repeats what the program complained about', async () => {
  const script = 'console.error("no such bridge"); process.exit(2)'
  await assert.rejects(must([node, '-e', script]), { name: 'CommandError', message: /failed \(2\): no such bridge$/ })
  await assert.rejects(must(['/nowhere/nft']), { message: /cannot run \/nowhere\/nft: .*ENOENT/ })
})
