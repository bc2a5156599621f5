import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventResource, events } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { KubeEventRecorder } from './events.ts'

const web = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'u1', resourceVersion: '7' }

function open() {
  const api = new FakeKube()
  const clock = new FakeClock(Date.UTC(2026, 6, 20, 8, 15, 2, 500))
  const log = new FakeLog()
  const random = { next: () => 0, bytes: (length: number) => new Uint8Array(length) }
  const recorder = new KubeEventRecorder({ api, clock, random, log, component: 'metallb-controller', instance: 'pod' })
  const settle = async () => {
    for (let turn = 0; turn < 400; turn++) await null
  }
  const stored = () => api.informer<EventResource>(events).list()
  const fail = (error: KubeError, times: number, verb?: string) => {
    let left = times
    api.fail = asked => {
      if ((verb === undefined || verb === asked) && left-- > 0) throw error
    }
  }
  return { api, clock, log, recorder, settle, stored, fail }
}

test('an event names its object, its component and its time', async () => {
  const { recorder, settle, stored } = open()
  recorder.event(web, 'Normal', 'IPAllocated', 'Assigned IP ["192.0.2.10"]')
  await settle()
  const [{ metadata, apiVersion, kind, ...event } = {} as EventResource] = stored()
  assert.match(metadata.name, /^web\.[0-9a-f]{16}$/)
  assert.equal(metadata.namespace, 'shop')
  assert.deepEqual(event, {
    involvedObject: web,
    reason: 'IPAllocated',
    message: 'Assigned IP ["192.0.2.10"]',
    type: 'Normal',
    count: 1,
    firstTimestamp: '2026-07-20T08:15:02Z',
    lastTimestamp: '2026-07-20T08:15:02Z',
    source: { component: 'metallb-controller' },
    reportingComponent: 'metallb-controller',
    reportingInstance: 'pod',
  })
})

test('an event on an object without a namespace goes to default, a long name is cut', async () => {
  const { recorder, settle, stored } = open()
  recorder.event({ apiVersion: 'v1', kind: 'Node', name: 'n'.repeat(253) }, 'Normal', 'R', 'm')
  await settle()
  assert.equal(stored()[0]?.metadata.namespace, 'default')
  assert.equal(stored()[0]?.metadata.name.length, 253)
})

test('the same event again is counted, and made anew where it is gone', async () => {
  const { api, recorder, settle, stored, clock } = open()
  for (let times = 0; times < 3; times++) {
    recorder.event(web, 'Normal', 'R', 'm')
    clock.advance(60_000)
  }
  await settle()
  assert.deepEqual(
    stored().map(({ count, lastTimestamp }) => [count, lastTimestamp]),
    [[3, '2026-07-20T08:17:02Z']],
  )
  api.remove(events, { namespace: 'shop', name: stored()[0]!.metadata.name })
  recorder.event(web, 'Normal', 'R', 'm')
  await settle()
  assert.deepEqual(
    stored().map(({ count, firstTimestamp }) => [count, firstTimestamp]),
    [[4, '2026-07-20T08:15:02Z']],
  )
})

test('the tenth similar message within ten minutes, and those after it, are combined into one', async () => {
  const { recorder, settle, stored, clock } = open()
  for (let index = 1; index <= 12; index++) recorder.event(web, 'Warning', 'AllocationFailed', `cause ${index}`)
  await settle()
  assert.equal(stored().length, 10)
  assert.deepEqual(
    [stored()[8]?.message, stored()[9]?.message, stored()[9]?.count],
    ['cause 9', '(combined from similar events): cause 12', 3],
  )
  recorder.event(web, 'Warning', 'AllocationFailed', 'cause 1')
  await settle()
  assert.equal(stored()[0]?.count, 2, 'one of the first is still counted by itself')
  clock.advance(600_001)
  recorder.event(web, 'Warning', 'AllocationFailed', 'cause 13')
  await settle()
  assert.equal(stored().at(-1)?.message, 'cause 13')
})

test('an object may have 25 events at once and one more every five minutes; others are not affected', async () => {
  const { api, recorder, settle, clock } = open()
  const flood = () => {
    for (let index = 0; index < 30; index++) recorder.event(web, 'Normal', 'R', 'm')
  }
  flood()
  await settle()
  assert.equal(api.calls.length, 25)
  clock.advance(300_000)
  flood()
  await settle()
  assert.equal(api.calls.length, 26)
  recorder.event({ ...web, name: 'other', uid: 'u2' }, 'Normal', 'R', 'm')
  await settle()
  assert.equal(api.calls.length, 27)
})

test('what may pass is tried again, a refusal drops the event aloud, and the next one goes out', async () => {
  const { api, recorder, settle, stored, clock, fail, log } = open()
  fail(new KubeError('NETWORK', 'down'), 2)
  recorder.event(web, 'Normal', 'R', 'first')
  await settle()
  clock.advance(100)
  await settle()
  clock.advance(200)
  await settle()
  assert.deepEqual(
    stored().map(({ message }) => message),
    ['first'],
  )
  fail(new KubeError('FORBIDDEN', 'no events for you'), 1)
  recorder.event(web, 'Normal', 'R', 'second')
  recorder.event(web, 'Normal', 'R', 'third')
  await settle()
  assert.deepEqual(
    stored().map(({ message }) => message),
    ['first', 'third'],
  )
  assert.match(String(log.lines[0]?.fields.error), /no events for you/)
  assert.equal(api.calls.length, 5)
})

test('while the API is away the queue holds a thousand and no more', async () => {
  const { recorder, settle, clock, fail, api, log, stored } = open()
  fail(new KubeError('NETWORK', 'down'), 1)
  for (let index = 0; index < 1_500; index++)
    recorder.event({ ...web, name: `s${index}`, uid: `u${index}` }, 'Normal', 'R', 'm')
  await settle()
  clock.advance(100)
  for (let turn = 0; turn < 100; turn++) await settle()
  assert.equal(api.calls.length, 1_001)
  assert.equal(stored().length, 1_000)
  assert.equal(log.lines.at(-1)?.fields.dropped, 500)
})

test('stop lets the queue go out, two seconds at most', async () => {
  const { recorder, stored } = open()
  recorder.event(web, 'Normal', 'R', 'm')
  await recorder.stop()
  assert.equal(stored().length, 1)
  recorder.event(web, 'Normal', 'R', 'late')
  const { recorder: stuck, fail, clock, settle } = open()
  fail(new KubeError('NETWORK', 'down', { retryAfterMs: 60_000 }), 99)
  stuck.event(web, 'Normal', 'R', 'm')
  await settle()
  const stopped = stuck.stop()
  clock.advance(2_000)
  await stopped
  assert.equal(clock.armed, 0)
  assert.equal(stored().length, 1)
})
