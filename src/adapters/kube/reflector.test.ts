import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { services } from '../../api/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import type { Clock } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { answer, type Handler, ScriptedApi, status } from '../../testing/scripted-api.ts'
import { systemClock } from '../system/clock.ts'
import { systemRandom } from '../system/random.ts'
import { KubeClient } from './client.ts'
import { Connection } from './connection.ts'
import { type InformerOptions, isOlder, Reflector, type ReflectorTiming } from './reflector.ts'

const type = services as ResourceType<KubeObject>

/** A reflector on a server that holds `a` and `b`; back-off is 5 ms so that a test does not wait. */
async function open(t: TestContext, timing: Partial<ReflectorTiming> = {}, clock: Clock = systemClock) {
  const api = await new ScriptedApi().start()
  for (const name of ['a', 'b']) api.put(name)
  const access = {
    source: 'test',
    server: new URL(api.url),
    tls: { rejectUnauthorized: true },
    identity: async () => ({}),
    renew: () => false,
  }
  const connection = new Connection({ access, clock })
  const log = new FakeLog()
  const client = new KubeClient(connection, systemRandom)
  const context = { client, clock, random: systemRandom, log }
  const reflector = new Reflector(context, type, { timing: { backoffMs: () => 5, ...timing } })
  const changes: string[] = []
  reflector.subscribe(({ kind, object }) => void changes.push(`${kind} ${object.metadata.name}`))
  t.after(async () => {
    await reflector.stop()
    connection.close()
    await api.stop()
  })
  const names = () => reflector.list().map(({ metadata }) => metadata.name)
  const watching = () => until(() => api.watches.size === 1, 'a watch is open')
  const count = (pattern: RegExp) => api.requests.filter(line => pattern.test(line)).length
  return { api, context, reflector, changes, names, watching, log, lists: () => count(/limit=500/), count }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 20_000) assert.fail(`never came: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

async function started(t: TestContext, timing: Partial<ReflectorTiming> = {}, clock: Clock = systemClock) {
  const all = await open(t, timing, clock)
  all.reflector.start()
  await all.reflector.whenSynced()
  await all.watching()
  return all
}

test('lists, then follows what is added, changed and deleted', async t => {
  const { api, changes, reflector, names } = await started(t)
  api.put('c')
  api.put('a')
  api.remove('b')
  await until(() => changes.length === 5, 'five changes')
  assert.deepEqual(changes, ['added a', 'added b', 'added c', 'updated a', 'deleted b'])
  assert.deepEqual(names(), ['a', 'c'])
  assert.equal(reflector.get({ namespace: 'default', name: 'b' }), undefined)
})

test('a subscriber that comes late is told of what is there', async t => {
  const { reflector } = await started(t)
  const late: string[] = []
  const end = reflector.subscribe(({ kind, object }) => void late.push(`${kind} ${object.metadata.name}`))
  assert.deepEqual(late, ['added a', 'added b'])
  end()
})

const ANNOTATIONS = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' }

/** What is kept of an object that has all that may be dropped. */
async function kept(t: TestContext, options: InformerOptions): Promise<KubeObject | undefined> {
  const { api, context } = await open(t)
  const metadata = { name: 'a', uid: 'u', resourceVersion: '7', managedFields: [{}], annotations: ANNOTATIONS }
  const list = { metadata: { resourceVersion: '101' }, items: [{ metadata, spec: { large: 'x' }, status: {} }] }
  api.once('list', (_request, response) => answer(response, 200, list))
  const reflector = new Reflector(context, type, options)
  reflector.start()
  await reflector.whenSynced()
  await reflector.stop()
  return reflector.list()[0]
}

test('managedFields and the last applied configuration are dropped on arrival, project keeps less', async t => {
  const metadata = { name: 'a', uid: 'u', resourceVersion: '7', annotations: { kept: 'yes' } }
  assert.deepEqual(await kept(t, { project: ({ metadata }) => ({ metadata }) }), { metadata })
})

test('objects that are written back whole keep the last applied configuration', async t => {
  const metadata = { name: 'a', uid: 'u', resourceVersion: '7', annotations: ANNOTATIONS }
  assert.deepEqual((await kept(t, { whole: true }))?.metadata, metadata)
})

test('a list of many pages is complete, one that outlives its token begins anew', async t => {
  const all = await open(t)
  for (let index = 0; index < 1_200; index++) all.api.put(`s${index}`)
  all.api.once('list', (_request, response) =>
    answer(response, 200, {
      metadata: { resourceVersion: '5', continue: '500' },
      items: [{ metadata: { name: 'stale', namespace: 'default', uid: 'x' } }],
    }),
  )
  all.api.once('list', (_request, response) => answer(response, 410, status(410, 'Expired', 'continue token')))
  all.reflector.start()
  await all.reflector.whenSynced()
  assert.equal(all.names().length, 1_202)
  assert.equal(all.names().includes('stale'), false)
})

const disturbances: [string, (api: ScriptedApi) => void | Promise<void>, { relisted: boolean }][] = [
  ['the server ends the watch', api => api.endWatches(), { relisted: false }],
  ['the connection is reset', api => api.resetWatches(), { relisted: false }],
  [
    'the connection is reset in the middle of a line',
    async api => {
      api.send('{"type":"ADDED","obj')
      await new Promise(resolve => setImmediate(resolve))
      api.resetWatches()
    },
    { relisted: false },
  ],
  [
    'the watch ends with half a line',
    api => {
      api.send('{"type":"ADDED","obj')
      api.endWatches()
    },
    { relisted: false },
  ],
  [
    '410 as an ERROR line',
    api => api.send(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'too old') })}\n`),
    { relisted: true },
  ],
  [
    '500 as an ERROR line',
    api => {
      api.send(`${JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError', 'no') })}\n`)
    },
    { relisted: false },
  ],
  ['garbage', api => api.send('<html>gateway</html>\n'), { relisted: true }],
  ['an event without an object', api => api.send('{"type":"ADDED","object":{}}\n'), { relisted: true }],
  ['a line of 17 MB', api => api.send(`{"type":"ADDED","object":"${'x'.repeat(17 << 20)}"}\n`), { relisted: true }],
  [
    'the new watch is refused with 410',
    api => {
      api.once('watch', (_request, response) => answer(response, 410, status(410, 'Expired', 'too old')))
      api.endWatches()
    },
    { relisted: true },
  ],
  [
    'the new watch is refused with 500 and 429',
    api => {
      api.once('watch', (_request, response) => answer(response, 500, 'boom'))
      api.once('watch', (_request, response) => answer(response, 429, status(429, 'TooManyRequests', 'later')))
      api.endWatches()
    },
    { relisted: false },
  ],
  [
    'the list that asks for the version fails',
    api => {
      api.once('list', (_request, response) => answer(response, 400, 'no'))
      api.endWatches()
    },
    { relisted: true },
  ],
  [
    'the server is restarted',
    async api => {
      await api.stop()
      await api.start()
    },
    { relisted: false },
  ],
]
for (const [name, disturb, { relisted }] of disturbances)
  test(`nothing is missed when ${name}`, async t => {
    const { api, watching, names, changes, lists } = await started(t)
    const before = [...api.watches][0]
    await disturb(api)
    api.put('missed')
    api.remove('a')
    await until(() => names().join() === 'b,missed', 'b and missed')
    await until(() => api.watches.size === 1 && !api.watches.has(before!), 'another watch')
    await watching()
    api.put('later')
    await until(() => names().includes('later'), 'later')
    assert.deepEqual(changes, ['added a', 'added b', ...changes.slice(2)])
    assert.deepEqual(changes.slice(2).sort(), ['added later', 'added missed', 'deleted a'])
    assert.equal(lists(), relisted ? 2 : 1)
  })

test('the history is compacted while the watch is away: a list finds what vanished', async t => {
  const { api, changes, names } = await started(t)
  await api.stop()
  api.remove('a')
  api.put('c')
  api.compact()
  api.put('d')
  await api.start()
  await until(() => names().join() === 'b,c,d', 'b, c and d')
  assert.deepEqual(changes.slice(2), ['deleted a', 'added c', 'added d'])
})

test('a server that comes back with older data is listed, though it would accept the watch', async t => {
  const { api, changes, names, lists } = await started(t)
  await api.stop()
  api.restore(5)
  api.put('restored')
  await api.start()
  await until(() => names().join() === 'restored', 'restored')
  assert.deepEqual(changes.slice(2), ['deleted a', 'deleted b', 'added restored'])
  assert.equal(lists(), 2)
})

test('an event older than the last one leads to a list', async t => {
  const { api, names, lists } = await started(t)
  api.version = 7
  api.put('x')
  await until(() => names().includes('x'), 'x')
  await until(() => lists() === 2, 'a second list')
})

test('an object deleted and created anew while nobody looked is a deletion and an addition', async t => {
  const { api, changes } = await started(t)
  await api.stop()
  api.remove('a')
  api.put('a')
  api.compact()
  await api.start()
  await until(() => changes.length === 4, 'four changes')
  assert.deepEqual(changes.slice(2), ['deleted a', 'added a'])
})

test('events arrive whole when the bytes come one at a time, characters of several bytes included', async t => {
  const { api, reflector } = await started(t)
  const metadata = { name: 'é', namespace: 'default', uid: 'u', resourceVersion: '200', labels: { a: '漢字🚀' } }
  for (const byte of Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata } })}\n`)) {
    api.send(Uint8Array.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => reflector.get({ namespace: 'default', name: 'é' }) !== undefined, 'é')
  assert.equal(reflector.get({ namespace: 'default', name: 'é' })?.metadata.labels?.a, '漢字🚀')
})

test('a bookmark moves the version on, and a quiet watch with bookmarks stays open', async t => {
  const clock = new FakeClock()
  const { api, reflector, count } = await started(t, { idleMs: 60_000 }, clock)
  for (let beat = 0; beat < 12; beat++) {
    api.version += 1
    api.bookmark()
    await until(() => reflector.status().resourceVersion === String(api.version), 'the version of the bookmark')
    clock.advance(50_000)
  }
  api.put('c')
  await until(() => reflector.list().length === 3, 'c, on the watch of the beginning')
  assert.equal(count(/watch=true/), 1)
})

test('a hung watch is opened again where it stopped', async t => {
  const { api, names, lists, count } = await started(t, { idleMs: 40 })
  await until(() => count(/watch=true/) >= 3, 'three watches')
  api.put('c')
  await until(() => names().includes('c'), 'c')
  assert.equal(lists(), 1)
})

test('lists that fail are asked again, with a pause each, and ready only after one came', async t => {
  const pauses: number[] = []
  const backoffMs = (failures: number) => {
    pauses.push(failures)
    return 1
  }
  const { api, reflector, log } = await open(t, { backoffMs })
  for (let failure = 0; failure < 2; failure++)
    api.once('list', (_request, response) => answer(response, 403, status(403, 'Forbidden', 'services is forbidden')))
  api.once('list', (_request, response) => answer(response, 200, '{"items":[{"metadata":{}}]}'))
  api.once('list', (_request, response) => answer(response, 200, '{"items":['))
  assert.equal(reflector.synced, false)
  reflector.start()
  await reflector.whenSynced()
  assert.deepEqual(pauses, [1, 2, 3, 4])
  assert.match(String(log.lines[0]?.fields.error), /GET \/api\/v1\/services: services is forbidden/)
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 3)
})

test('a server that ends every watch at once is not asked in a hot loop', async t => {
  const pauses: number[] = []
  let release = () => {}
  const backoffMs = (failures: number) => {
    pauses.push(failures)
    if (failures === 5) release()
    return 1
  }
  const fifth = new Promise<void>(resolve => {
    release = resolve
  })
  const { api, reflector } = await open(t, { backoffMs })
  for (let index = 0; index < 6; index++)
    api.once('watch', (_request, response) => {
      response.writeHead(200)
      response.end()
    })
  reflector.start()
  await fifth
  assert.deepEqual(pauses.slice(0, 5), [1, 2, 3, 4, 5])
})

test('a server that takes its time to refuse gets growing pauses all the same', async t => {
  const clock = new FakeClock()
  const pauses: number[] = []
  const backoffMs = (failures: number) => {
    pauses.push(failures)
    setImmediate(() => clock.advance(1))
    return 1
  }
  const { api, context: real } = await open(t)
  const refuse: Handler = (_request, response) => {
    clock.advance(2_000)
    answer(response, 503, 'overloaded')
  }
  for (let times = 0; times < 2; times++) api.once('list', refuse)
  for (let times = 0; times < 2; times++) api.once('watch', refuse)
  const reflector = new Reflector({ ...real, clock }, type, { timing: { backoffMs } })
  reflector.start()
  await until(() => api.watches.size === 1, 'a watch is open')
  api.put('c')
  await until(() => reflector.list().length === 3, 'c, so that the reflector knows of its watch')
  clock.advance(2_000)
  api.resetWatches()
  await until(() => pauses.length === 5, 'five pauses')
  await reflector.stop()
  assert.deepEqual(pauses, [1, 2, 3, 4, 1])
})

test('after stop nothing is told any more and no request is made', async t => {
  const { api, reflector, changes } = await started(t)
  await reflector.stop()
  const requests = api.requests.length
  api.put('c')
  await until(() => api.watches.size === 0, 'the watch is closed')
  assert.equal(changes.length, 2)
  assert.equal(api.requests.length, requests)
})

test('a listener that throws keeps nobody from anything', async t => {
  const { api, reflector, names, log } = await started(t)
  reflector.subscribe(() => {
    throw new Error('listener')
  })
  api.put('c')
  await until(() => names().includes('c'), 'c')
  assert.equal(log.lines.filter(({ fields }) => fields.msg === 'listener failed').length, 3)
})

const versions: [string, string, boolean][] = [
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  ['18446744073709551614', '18446744073709551615', true],
  ['opaque', '10', false],
  ['10', '', false],
]
for (const [version, than, older] of versions)
  test(`version ${version} is ${older ? '' : 'not '}older than "${than}"`, () => {
    assert.equal(isOlder(version, than), older)
  })

test('where it may list and not watch it lists from time to time, and says so once', async t => {
  const pauses: number[] = []
  const backoffMs = (failures: number) => pauses.push(failures)
  const { api, reflector, changes, log } = await open(t, { pollMs: 1, backoffMs })
  const forbid = () =>
    api.once('watch', (_request, response) => {
      forbid()
      answer(response, 403, status(403, 'Forbidden', 'services is forbidden: cannot watch'))
    })
  forbid()
  reflector.start()
  await reflector.whenSynced()
  api.put('c')
  await until(() => changes.includes('added c'), 'the change was polled')
  assert.deepEqual(pauses, [])
  assert.deepEqual(
    log.lines.map(({ fields }) => fields.msg),
    ['no right to watch, listing from time to time instead'],
  )
})
