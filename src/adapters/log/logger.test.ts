import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { JsonLogger, LOG_LEVELS, type LogLevel, parseLogLevel } from './index.ts'

const now = () => Date.UTC(2026, 6, 20, 8, 15, 2, 987)

function open(level: LogLevel = 'debug') {
  const lines: string[] = []
  return { lines, log: JsonLogger.open({ level, now, write: line => void lines.push(line) }) }
}

/** The line without its caller. */
function lineOf(fields: Record<string, unknown>): string {
  const { lines, log } = open()
  log.info(fields)
  return lines[0]!
    .replace(/"caller":"[^"]*",?/, '')
    .replace('"level":"info"', '')
    .replace('"ts":"2026-07-20T08:15:02Z"', '')
    .replace(/,+/g, ',')
    .replace(/\{,/, '{')
    .replace(/,\}/, '}')
    .trimEnd()
}

test('one object a line, keys sorted, seconds, base name and line of the caller', () => {
  const { lines, log } = open()
  log.info({
    protocol: 'layer2',
    msg: 'service has IP, announcing',
    event: 'serviceAnnounced',
    ips: [parseAddress('192.0.2.10')],
    pool: 'blue',
  })
  const expected =
    '{"caller":"logger.test.ts:NN","event":"serviceAnnounced","ips":["192.0.2.10"],"level":"info",' +
    '"msg":"service has IP, announcing","pool":"blue","protocol":"layer2","ts":"2026-07-20T08:15:02Z"}\n'
  assert.equal(lines[0]!.replace(/ts:\d+/, 'ts:NN'), expected)
})

for (const level of ['debug', 'info', 'warn', 'error'] as const)
  test(`${level} names the line that called it`, () => {
    const { lines, log } = open()
    const here = Number(/test\.ts:(\d+)/.exec(new Error().stack!)![1])
    log[level]({})
    assert.equal(JSON.parse(lines[0]!).caller, `logger.test.ts:${here + 1}`)
    assert.equal(JSON.parse(lines[0]!).level, level)
  })

const filters: [LogLevel, string][] = [
  ['all', 'debug,info,warn,error'],
  ['debug', 'debug,info,warn,error'],
  ['info', 'info,warn,error'],
  ['warn', 'warn,error'],
  ['error', 'error'],
  ['none', ''],
]
for (const [filter, printed] of filters)
  test(`level ${filter} prints ${printed || 'nothing'}`, () => {
    const { lines, log } = open(filter)
    log.debug({})
    log.info({})
    log.warn({})
    log.error({})
    assert.equal(lines.map(line => JSON.parse(line).level).join(), printed)
  })

test('a function is not called while debug is off, and the level can change for all', () => {
  const { lines, log } = open('info')
  const child = log.with({ component: 'x' })
  child.debug(() => assert.fail('called'))
  log.setLevel('debug')
  child.debug(() => ({ msg: 'now' }))
  assert.equal(JSON.parse(lines[0]!).component, 'x')
  assert.equal(JSON.parse(lines[0]!).msg, 'now')
})

test('a later field wins over the base, level and ts over both', () => {
  const { lines, log } = open()
  log.with({ op: 'a', level: 'x' }).info({ op: 'b', ts: 'never' })
  const { op, level, ts } = JSON.parse(lines[0]!)
  assert.deepEqual([op, level, ts], ['b', 'info', '2026-07-20T08:15:02Z'])
})

const circular: Record<string, unknown> = { a: 1 }
circular.self = circular
const values: [string, unknown, string][] = [
  ['error', new Error('boom'), '"boom"'],
  ['error with a cause', new Error('outer', { cause: new Error('inner') }), '"outer: inner"'],
  ['null', null, 'null'],
  ['IPv6', parseAddress('2001:db8::1'), '"2001:db8::1"'],
  ['set of addresses', new Set([parseAddress('10.0.0.1')]), '["10.0.0.1"]'],
  ['map', new Map([['a', 1n]]), '{"a":1}'],
  ['small bigint', 7n, '7'],
  ['large bigint', 18446744073709551615n, '"18446744073709551615"'],
  ['HTML', '<a>&</a>', '"<a>&</a>"'],
  ['circular', circular, '{"a":1,"self":"[circular]"}'],
  ['date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['newline', 'a\nb', '"a\\nb"'],
  [
    'throwing getter',
    {
      get x() {
        throw new Error('no')
      },
    },
    '"[unreadable: no]"',
  ],
]
for (const [name, value, text] of values)
  test(`value: ${name}`, () => assert.equal(lineOf({ value }), `{"value":${text}}`))

test('a very long text and a very deep value are cut', () => {
  let deep: unknown = 'end'
  for (let index = 0; index < 100_000; index++) deep = [deep]
  assert.equal(lineOf({ value: deep }), '{"value":[[[[[[[["[deeper]"]]]]]]]]}')
  assert.ok(lineOf({ value: 'x'.repeat(1_000_000) }).length < 17_000)
})

for (const key of [
  'password',
  'Password',
  'token',
  'bearerToken',
  'secret',
  'secretkey',
  'authorization',
  'client-key-data',
  'privateKey',
])
  test(`the value of ${key} is withheld at any depth`, () => {
    assert.equal(lineOf({ [key]: 's3cr3t-xyzzy' }).includes('xyzzy'), false)
    assert.equal(lineOf({ peers: [{ spec: { [key]: 's3cr3t-xyzzy' } }] }).includes('xyzzy'), false)
  })

test('the data of a Secret and the last applied configuration are withheld, names of Secrets are not', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'xyzzy' }
  const line = lineOf({ object: { kind: 'Secret', metadata: { name: 'peer', annotations }, data: { a: 'xyzzy' } } })
  assert.equal(line.includes('xyzzy'), false)
  assert.equal(line.includes('peer'), true)
  assert.equal(lineOf({ passwordSecret: { name: 'peer' } }), '{"passwordSecret":{"name":"peer"}}')
})

test('levels: the six words and nothing else', () => {
  for (const level of LOG_LEVELS) assert.equal(parseLogLevel(level), level)
  for (const text of ['verbose', '', 'INFO', ' info'])
    assert.throws(() => parseLogLevel(text), { message: `failed to parse log level: ${text}` })
})

test('a reader that goes away does not end the process', () => {
  const script = `
    import { JsonLogger } from '${import.meta.dirname}/index.ts'
    const log = JsonLogger.open({ level: 'info', now: () => 0 })
    for (let i = 0; i < 20; i++) { log.info({ i }); await new Promise(resolve => setTimeout(resolve, 5)) }
    process.stderr.write('survived')`
  const { stderr } = spawnSync('bash', ['-c', `"$0" --input-type=module -e "$1" | true`, process.execPath, script])
  assert.match(String(stderr), /survived/)
})
