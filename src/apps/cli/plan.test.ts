import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const MAIN = join(import.meta.dirname, '..', 'metallbctl.ts')
const GUIDE = join(import.meta.dirname, '../../../docs/guide/plan.md')

function plan(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'plan', ...args], { encoding: 'utf8', input })
  return { status, stdout, stderr }
}

test('the example of the guide comes out as the guide says', t => {
  const dir = mkdtempSync(join(tmpdir(), 'plan-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/```(yaml|json)\n([\s\S]*?)```/g)].map(([, , text]) => text!)
  const [cluster, change, expected] = blocks as [string, string, string]
  writeFileSync(join(dir, 'cluster.yaml'), cluster)
  writeFileSync(join(dir, 'change.yaml'), change)
  const files = ['-f', join(dir, 'cluster.yaml'), '--with', join(dir, 'change.yaml')]
  const { status, stdout } = plan([...files, '-o', 'json'])
  assert.equal(status, 0)
  assert.deepEqual(JSON.parse(stdout), JSON.parse(expected))
  const text = plan(files).stdout
  assert.match(text, /Service default\/web: 192\.0\.2\.11 from pool lan/)
  assert.match(text, /default\/web +moves +layer2 +192\.0\.2\.10@node1 -> 192\.0\.2\.11@node1/)
})

test('answers by exit code what is wrong', () => {
  const bad = 'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: { name: p }\nspec: { addresses: [x] }\n'
  const invalid = plan(['-f', '-'], bad)
  assert.equal(invalid.status, 1)
  assert.match(invalid.stderr, /IPAddressPool metallb-system\/p spec\.addresses\[0\]: .*invalid CIDR "x"/)
  assert.equal(plan(['-f', '/no/such/file']).status, 2)
  assert.equal(plan([]).status, 3)
  assert.equal(plan(['--live', '-f', '-']).status, 3)
  assert.equal(plan(['--live', '--kubeconfig', '/no/such/file']).status, 4)
})
