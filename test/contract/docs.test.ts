/** What the pages under docs/ and the README say, held against the code: examples are run, tables are compared. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { crds, type Schema } from '../../src/api/index.ts'
import { controllerFlags } from '../../src/apps/controller/flags.ts'
import { speakerFlags } from '../../src/apps/speaker/flags.ts'

const PAGES = ['README.md', ...globSync('docs/**/*.md')]
const METALLBCTL = resolve('src/apps/metallbctl.ts')
const FLAGS: ReadonlySet<string> = new Set([...Object.keys(controllerFlags), ...Object.keys(speakerFlags)])

const directory = mkdtempSync(join(tmpdir(), 'docs-'))
after(() => rmSync(directory, { recursive: true }))

const troubleshooting = readFileSync('docs/guide/troubleshooting.md', 'utf8')
for (const [, name, text] of troubleshooting.matchAll(/```yaml file=(\S+)\n(.*?)```/gs))
  writeFileSync(join(directory, name!), text!)

const examples = [...troubleshooting.matchAll(/```console\n\$ metallbctl (.*?)\n(.*?)```/gs)]
test('the troubleshooting guide has examples', () => assert.equal(examples.length, 3))
for (const [, command, output] of examples)
  test(`metallbctl ${command}`, () => {
    const { stdout, stderr } = metallbctl(command!.split(' '))
    assert.deepEqual([stderr, stdout], ['', output])
  })

test('commands of metallbctl in shell examples exist', () => {
  const { stdout } = metallbctl(['help'])
  const { stderr } = metallbctl(['lab', 'help'])
  const verbs = new Set([...`${stdout}\n${stderr}`.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb))
  const used = PAGES.flatMap(page => [...codeOf(page).matchAll(/^(?:npx )?metallbctl (?:lab )?([a-z]+)/gm)])
  assert.ok(used.length > 5)
  for (const [line, verb] of used) assert.ok(verbs.has(verb), line)
})

test('npm scripts that pages name exist', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const used = PAGES.flatMap(page => [...readFileSync(page, 'utf8').matchAll(/npm run ([a-z:]+)/g)])
  assert.ok(used.length > 3)
  for (const [line, script] of used) assert.ok(Object.hasOwn(scripts, script!), line)
})

test('kubectl apply -k deploy, as the README says, takes every manifest', () => {
  assert.match(readFileSync('README.md', 'utf8'), /kubectl apply -k deploy\s/)
  const listed = readFileSync('deploy/kustomization.yaml', 'utf8').match(/(?<=^ {2}- ).*/gm)
  assert.deepEqual(listed?.sort(), globSync('{crds,manifests}/*.yaml', { cwd: 'deploy' }).sort())
})

test('links between pages lead somewhere', () => {
  for (const page of PAGES)
    for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      assert.ok(existsSync(join(dirname(page), target!)), `${page}: ${target}`)
})

test('every dependency has its decision', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const decisions = globSync('docs/decisions/*.md').map(page => readFileSync(page, 'utf8').toLowerCase())
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const word = name.split('/').at(-1)!
    assert.ok(
      decisions.some(text => text.includes(word)),
      name,
    )
  }
})

test('every page of docs is named by another', () => {
  const texts = PAGES.map(page => [page, readFileSync(page, 'utf8')] as const)
  for (const page of PAGES.filter(page => page !== 'README.md')) {
    const isNamed = texts.some(([from, text]) => from !== page && text.includes(page.split('/').at(-1)!))
    assert.ok(isNamed, page)
  }
})

test('the map names every folder of the sources, and no other', () => {
  const map = readFileSync('docs/ARCHITECTURE.md', 'utf8')
  const listed = [...map.matchAll(/^\| `(src\/[a-z]+)` \| (.*) \|$/gm)].flatMap(([, folder, parts]) =>
    (parts!.replace(/\([^)]*\)/g, '').match(/(?<=`)[a-z0-9-]+(?=`)/g) ?? []).map(part => `${folder}/${part}`),
  )
  const present = new Set(globSync('src/*/*/*.ts').map(dirname))
  assert.deepEqual(listed.sort(), [...present].sort())
})

/** The tables of COMPATIBILITY by heading, each row as its cells. */
const compatibility = readFileSync('docs/COMPATIBILITY.md', 'utf8')
const tables = new Map(compatibility.split(/^## /m).map(section => [section.split('\n', 1)[0]!, rowsOf(section)]))
const isDone = (row: readonly string[]) => /^(done|ours)/.test(row.at(-1)!)

/** The sources that run in production, as text. */
const sources = globSync('src/**/*.ts', { exclude: path => /\.test\.ts$|^src.testing/.test(path) })
  .map(path => readFileSync(path, 'utf8').replaceAll("\\'", "'"))
  .join('\n')

test('COMPATIBILITY names every flag, and no flag that is not there', () => {
  const rows = tables.get('Flags')!
  const named = new Set(rows.flatMap(flagsIn))
  for (const flag of FLAGS) assert.ok(named.has(flag), `--${flag} is missing`)
  for (const flag of named) assert.ok(FLAGS.has(flag), `--${flag} does not exist`)
})

test('every annotation, label and condition under metallb.io is on some page', () => {
  const keys = new Set(sources.match(/(?<=['`])metallb\.io\/[A-Za-z-]+(?=['`])/g))
  assert.ok(keys.size > 15)
  const text = PAGES.map(page => readFileSync(page, 'utf8')).join()
  for (const key of keys) assert.match(text, new RegExp(`[^A-Za-z/-]${key}[^A-Za-z-]`), key)
})

test('COMPATIBILITY names every event that the sources spell out', () => {
  const events = [...tables.get('Kubernetes events')!].flatMap(([cell]) => cell!.match(/(?<=`)[^`]+(?=`)/g) ?? [])
  const made = /(?:type: '(?:Normal|Warning)', reason: |event\([^()]*?'(?:Normal|Warning)',\s*)'([^']+)'/g
  const reasons = new Set([...sources.matchAll(made)].map(([, reason]) => reason!))
  assert.ok(reasons.size > 12, [...reasons].join())
  for (const reason of reasons) assert.ok(events.includes(reason), reason)
})

test('COMPATIBILITY names every field of every kind', () => {
  const fields = new Map<string, string>()
  let kind = ''
  for (const [cell, names] of tables.get('Custom resources')!) {
    kind = cell?.split(' ')[0] || kind // rows that follow each other are of one kind, the first names it
    fields.set(kind, `${fields.get(kind) ?? ''}${names}`)
  }
  for (const { spec } of crds)
    for (const { schema } of spec.versions)
      for (const field of fieldsOf(schema.openAPIV3Schema))
        assert.ok(fields.get(spec.names.kind)?.includes(`\`${field}\``), `${spec.names.kind} ${field}`)
})

test('what COMPATIBILITY calls done of metrics, events and log lines is in the sources', () => {
  const rows = ['Metrics', 'Kubernetes events', 'Log lines'].flatMap(heading => tables.get(heading)!)
  const names = rows.filter(isDone).flatMap(([cell]) => [...cell!.matchAll(/`([^`…*]+)`/g)].map(([, name]) => name!))
  assert.ok(names.length > 60)
  for (const name of names) assert.ok(isInSources(name), name)
})

test('COMPATIBILITY names every metric of the sources', () => {
  const metrics = new Set(sources.match(/(?<=')(?:metallb|nodejs|rest_client)_[a-z0-9_]+(?=')/g))
  assert.ok(metrics.size > 8)
  for (const metric of metrics) assert.ok(compatibility.includes(`\`${metric}\``), metric)
})

function metallbctl(args: readonly string[]) {
  return spawnSync(process.execPath, [METALLBCTL, ...args], { cwd: directory, encoding: 'utf8' })
}

/** The shell examples of a page. */
function codeOf(page: string): string {
  return [...readFileSync(page, 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(([, code]) => code).join('\n')
}

function rowsOf(section: string): string[][] {
  const lines = section.split('\n').filter(line => line.startsWith('| ') && !line.startsWith('| ---'))
  return lines.map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

function flagsIn([cell]: readonly string[]): string[] {
  return cell!.match(/(?<=`--)[a-z0-9-]+/g) ?? []
}

/** `spec.x` and `status.x`, without what lies deeper. */
function fieldsOf({ properties = {} }: Schema): string[] {
  return ['spec', 'status'].flatMap(part =>
    Object.keys(properties[part]?.properties ?? {}).map(field => `${part}.${field}`),
  )
}

/** Some names are put together from pieces: the protocol in `created ARP responder for interface`, a metric's prefix. */
function isInSources(name: string): boolean {
  const pieces = name.replace(/^metallb_(allocator|k8s_client|bfd)_/, '').split(/\b(?:ARP|NDP)\b/)
  return sources.includes(name) || pieces.every(piece => sources.includes(piece))
}
