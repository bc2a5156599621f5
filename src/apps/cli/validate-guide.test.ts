import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'

const guide = readFileSync('docs/guide/validate.md', 'utf8')
const directory = mkdtempSync(join(tmpdir(), 'guide-'))
after(() => rmSync(directory, { recursive: true }))
for (const [, name, text] of guide.matchAll(/```yaml file=(\S+)\n(.*?)```/gs))
  writeFileSync(join(directory, name!), text!)

const examples = [...guide.matchAll(/```console\n\$ metallbctl (.*?)\n(.*?)```/gs)]
test('the guide has examples', () => assert.equal(examples.length, 2))
for (const [, command, output] of examples)
  test(`metallbctl ${command}`, () => {
    const args = [resolve('src/apps/metallbctl.ts'), ...command!.split(' ')]
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
    assert.deepEqual([stderr, stdout], ['', output])
  })
