import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { crds, customResourceDefinitions } from '../../api/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'
import { startApiServer } from '../../testing/apiserver/index.ts'
import { captureOutput } from '../../testing/captured-output.ts'
import { parseWritten } from './files.ts'
import { validateCommand } from './validate.ts'
import { type CheckOptions, check } from './validate-check.ts'
import { difference, differenceText } from './validate-diff.ts'
import { readLive } from './validate-live.ts'
import { verdictJson, verdictText } from './validate-print.ts'

const options: CheckOptions = { namespace: 'metallb-system', mode: 'native' }
const lint = (yaml: string, more: Partial<CheckOptions> = {}) =>
  check(parseWritten(yaml, 'x.yaml'), { ...options, ...more })
const pool = (name: string, addresses: string, more = '') =>
  `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: ${name}${more}}\nspec:\n  addresses: [${addresses}]\n---\n`
const peer = (spec: string, version = 'v1beta2') =>
  `apiVersion: metallb.io/${version}\nkind: BGPPeer\nmetadata: {name: tor}\nspec: {myASN: 64500, peerASN: 64501, peerAddress: 192.0.2.1, ${spec}}\n---\n`
const other = (kind: string, name: string, rest: string) =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\n${rest}\n---\n`

const places: [name: string, yaml: string, problems: string[]][] = [
  ['valid', pool('a', '10.0.0.0/24'), []],
  ['a list item', pool('a', '10.0.0.0/24, nope'), ['error 5:28 nope']],
  ['nothing to point at: its parent', pool('a', ''), ['error 5:3 addresses']],
  [
    'a missing field',
    'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\nspec: {autoAssign: true}',
    ['error 4:1 spec'],
  ],
  ['a foreign namespace', pool('a', '10.0.0.0/24', ', namespace: default'), ['error 3:32 default']],
  ['twice the same name', pool('a', '10.0.0.0/24') + pool('a', '10.0.1.0/24'), ['error 9:18 a']],
  ['overlap', pool('a', '10.0.0.0/24') + pool('b', '10.0.0.0/25'), ['error 11:15 10.0.0.0/25']],
  ['a mistyped kind', pool('a', '10.0.0.0/24').replace('Pool', 'Pol'), ['error 2:7 IPAddressPol']],
  ['a missing profile', peer('bfdProfile: f'), ['error 4:74 f']],
  ['a port of v1beta1', peer('peerPort: 0', 'v1beta1'), []],
  ['other kinds', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {addresses: 5}', []],
  ['the same kind of others', 'apiVersion: example.com/v1\nkind: Community\nmetadata: {name: a}\nspec: 5', []],
  ['an anchor', pool('a', '&x nope').replace('spec:', 'spec:\n'), ['error 6:18 nope']],
  [
    'a community that YAML 1.1 takes for a number',
    'apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: a, labels: {since: 2026-01-02}}\nspec: {communities: [64512:10]}',
    [],
  ],
  [
    'a merged field',
    `x: &x {spec: {addresses: [nope]}}\n<<: *x\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}`,
    ['warning 1:1 x', 'error 1:27 nope'],
  ],
]
for (const [name, yaml, problems] of places)
  test(`points at: ${name}`, () => {
    const found = lint(yaml).problems.map(({ severity, place }) => {
      const { line, column, length, text } = place!
      return `${severity} ${line}:${column} ${text.slice(column - 1, column - 1 + length)}`
    })
    assert.deepEqual(found, problems)
  })

test('a twin names the place of the first', () => {
  const [problem] = lint(pool('a', '10.0.0.0/24') + pool('a', '10.0.1.0/24')).problems
  assert.match(problem!.message, /duplicate definition of IPAddressPool "a", which is defined at x.yaml:3:18 already/)
})

test('passwords are neither in the text nor in the JSON', () => {
  const secret = other('Secret', 's', 'type: kubernetes.io/basic-auth\nstringData: {password: hunter2}')
  const both = peer('passwordSecret: {name: s}') + secret
  const wrong = peer('password: hunter2, peerPort: 99999')
  for (const yaml of [both, wrong, peer('password: hunter2')]) {
    const verdict = lint(yaml)
    assert.ok(!`${verdictText(verdict)}${JSON.stringify(verdictJson(verdict))}`.includes('hunter2'))
  }
  assert.equal(lint(both).valid, true)
  assert.equal(lint(wrong).problems.length, 1)
})

test('Secrets are asked for only where there are any', () => {
  const asking = peer('passwordSecret: {name: s}')
  assert.deepEqual([lint(asking).valid, lint(asking).notes.length], [true, 1])
  assert.equal(lint(asking + other('Secret', 'else', 'data: {}')).valid, false)
})

test('modes: what only FRR cannot do is refused there only', () => {
  const two =
    peer('vrf: red') + peer('vrf: red').replace('name: tor', 'name: tor2').replace('myASN: 64500', 'myASN: 64502')
  assert.equal(lint(two).valid, true)
  assert.equal(lint(two, { mode: 'frr' }).valid, false)
  assert.equal(lint(two, { strictNative: true }).valid, false)
})

const parsed = (yaml: string): KubeObject[] => parseWritten(yaml, 'live').map(({ object }) => object)

test('a difference: created, changed, unchanged; secrets hidden; the configuration that becomes invalid', () => {
  const live = {
    objects: parsed(pool('a', '10.0.0.0/24') + pool('same', '10.9.0.0/24', ', uid: x') + peer('password: old')),
    unread: [],
  }
  const files = parseWritten(
    pool('a', '10.0.0.0/25') +
      pool('b', '10.0.0.0/30') +
      pool('same', '10.9.0.0/24') +
      peer('password: new, peerPort: 179'),
    'x',
  )
  const found = difference(live, files, options)
  assert.deepEqual(
    found.changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`),
    ['change IPAddressPool a', 'create IPAddressPool b', 'change BGPPeer tor'],
  )
  assert.deepEqual([found.before.valid, found.after.valid], [true, false])
  const text = differenceText(found)
  assert.match(text, /- {4}- 10\.0\.0\.0\/24\n\+ {4}- 10\.0\.0\.0\/25/)
  assert.match(text, /-\s+password: "?\*\*\* \(before\)/)
  assert.match(text, /the configuration becomes invalid/)
  assert.doesNotMatch(text, /: (old|new)$/m)
})

test('a difference that stays valid shows the change of the resolved configuration', () => {
  const found = difference(
    { objects: parsed(pool('a', '10.0.0.0/24')), unread: [] },
    parseWritten(pool('a', '10.0.0.0/25'), 'x'),
    options,
  )
  assert.ok(found.config.includes('-      - 10.0.0.0-10.0.0.255'), found.config.join('\n'))
  const none = difference(
    { objects: parsed(pool('a', '10.0.0.0/24')), unread: [] },
    parseWritten(pool('a', '10.0.0.0/24'), 'x'),
    options,
  )
  assert.deepEqual([none.changes, none.config], [[], []])
})

test('kinds that may not be read are noted and not checked', async () => {
  const list = async ({ kind }: { kind: string }) => {
    if (kind === 'BFDProfile') throw new KubeError('FORBIDDEN', 'no')
    return kind === 'BGPPeer' ? parsed(peer('bfdProfile: f')) : []
  }
  const live = await readLive({ list: list as never }, 'metallb-system')
  const verdict = check(
    live.objects.map(object => ({ object })),
    { ...options, unread: live.unread },
  )
  assert.deepEqual(
    [verdict.valid, verdict.notes],
    [true, ['BFDProfile objects could not be read, references to them are not checked']],
  )
})

const directory = mkdtempSync(join(tmpdir(), 'validate-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

/** Exit code and what was printed. */
async function run(...args: string[]): Promise<[number, string]> {
  const { code, out } = await captureOutput(() => validateCommand(args))
  return [code, out]
}

test('exit codes', async () => {
  const good = file('good.yaml', pool('a', '10.0.0.0/24'))
  const bad = file('bad.yaml', pool('a', 'nope'))
  assert.equal((await run('-f', good))[0], 0)
  assert.equal((await run('-f', good, '-f', bad))[0], 1)
  assert.equal((await run('-f', file('not.yaml', '{')))[0], 2)
  for (const args of [
    [],
    ['--live', '-f', good],
    ['--diff'],
    ['-f', good, '-o', 'xml'],
    ['-f', good, '--bgp-mode', 'x'],
    ['--nope'],
  ])
    assert.equal((await run(...args))[0], 3, args.join(' '))
  assert.equal((await run('--live', '--kubeconfig', join(directory, 'none')))[0], 4)
})

test('a cluster: --live and --diff', async t => {
  const server = await startApiServer({ plainHttp: true })
  t.after(() => server.stop())
  for (const crd of crds)
    server.objects.put({ ...crd, apiVersion: 'apiextensions.k8s.io/v1', kind: customResourceDefinitions.kind })
  server.objects.put(parsed(other('Namespace', 'metallb-system', ''))[0]!)
  for (const object of parsed(pool('a', '10.0.0.0/24', ', namespace: metallb-system'))) server.objects.put(object)
  const kubeconfig = file('kubeconfig', server.kubeconfig())
  assert.deepEqual(await run('--live', '--kubeconfig', kubeconfig), [
    0,
    'valid: 1 pool, 0 advertisements, 0 peers, 0 errors, 0 warnings\n',
  ])
  const same = file('same.yaml', pool('a', '10.0.0.0/24'))
  assert.match((await run('--diff', '-f', same, '--kubeconfig', kubeconfig))[1], /^applying the files changes nothing/)
  const worse = file('worse.yaml', pool('b', '10.0.0.0/25'))
  const [code, printed] = await run('--diff', '-f', worse, '--kubeconfig', kubeconfig, '-o', 'json')
  const { valid, validBefore, changes } = JSON.parse(printed)
  assert.deepEqual([code, valid, validBefore, changes.length], [1, false, true, 1])
})
