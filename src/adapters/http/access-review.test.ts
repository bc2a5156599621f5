import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { reviewAccess } from './access-review.ts'

type Review = { spec: Record<string, unknown> } & KubeObject

/** A cluster that knows the token `good` of user U; `allowed` says whether U may. */
function open({ allowed = true } = {}) {
  const clock = new FakeClock()
  const log = new FakeLog()
  const api = new FakeKube()
  const asked: Review[] = []
  const fail: { kind?: string; times: number; error: KubeError } = { times: 0, error: new KubeError('SERVER', 'boom') }
  api.create = async <T extends KubeObject>(type: ResourceType<T>, object: T) => {
    const review = object as unknown as Review
    asked.push(review)
    if (type.kind === fail.kind && fail.times-- > 0) throw fail.error
    const user = { username: 'U', groups: ['g'], extra: { a: ['b'] } }
    const status =
      type.kind === 'TokenReview' ? { authenticated: review.spec.token === 'good', user } : { allowed: allowed }
    return { ...object, status }
  }
  const authorize = reviewAccess({ api, clock, random: { next: () => 0, bytes: n => new Uint8Array(n) }, log })
  return { clock, log, asked, fail, ask: (token?: string) => authorize(token, 'get', '/metrics') }
}

test('E22: no token, a bad token, no right, the right', async () => {
  const { ask } = open()
  assert.deepEqual(await ask(), { status: 401, text: 'Unauthorized' })
  assert.deepEqual(await ask('bad'), { status: 401, text: 'Unauthorized' })
  assert.equal(await ask('good'), 'ok')
  const denied = { status: 403, text: 'Authorization denied for user U' }
  assert.deepEqual(await open({ allowed: false }).ask('good'), denied)
})

test('the question names the user with all that authorisers look at', async () => {
  const { ask, asked } = open()
  await ask('good')
  assert.deepEqual(asked[1]?.spec, {
    user: 'U',
    uid: undefined,
    groups: ['g'],
    extra: { a: ['b'] },
    nonResourceAttributes: { path: '/metrics', verb: 'get' },
  })
})

test('tokens are reviewed again after a minute, permissions after five, refusals after 30 s', async () => {
  const { ask, asked, clock } = open()
  const kinds = () => asked.splice(0).map(({ spec }) => ('token' in spec ? 'token' : 'access'))
  await ask('good')
  assert.deepEqual(kinds(), ['token', 'access'])
  clock.advance(59_999)
  await ask('good')
  assert.deepEqual(kinds(), [])
  clock.advance(1)
  await ask('good')
  assert.deepEqual(kinds(), ['token'])
  clock.advance(240_000)
  await ask('good')
  assert.deepEqual(kinds(), ['token', 'access'])

  const denied = open({ allowed: false })
  await denied.ask('good')
  denied.clock.advance(29_999)
  await denied.ask('good')
  assert.equal(denied.asked.length, 2)
  denied.clock.advance(1)
  await denied.ask('good')
  assert.equal(denied.asked.length, 3)
})

test('scrapes at once share one review', async () => {
  const { ask, asked } = open()
  assert.deepEqual(await Promise.all([ask('good'), ask('good'), ask('good')]), ['ok', 'ok', 'ok'])
  assert.equal(asked.length, 2)
})

test('a transient failure is tried five times in all, then it is 500 and not remembered', async () => {
  const { ask, asked, fail, clock, log } = open()
  Object.assign(fail, { kind: 'TokenReview', times: 5 })
  const answer = ask('good')
  const delays: (number | undefined)[] = []
  for (let step = 1; step < 5; step++) {
    while (clock.armed === 0) await null
    delays.push(clock.next)
    clock.advance(clock.next!)
  }
  assert.deepEqual(await answer, { status: 500, text: 'Authentication failed' })
  assert.deepEqual(delays, [500, 750, 1125, 1687.5])
  assert.equal(asked.length, 5)
  assert.equal(log.lines.at(-1)?.level, 'error')
  assert.equal(await ask('good'), 'ok')
})

test('E23: a refused review is 500 at once, for each of the two reviews', async () => {
  for (const [kind, text] of [
    ['TokenReview', 'Authentication failed'],
    ['SubjectAccessReview', 'Authorization for user U failed'],
  ]) {
    const { ask, fail } = open()
    Object.assign(fail, { kind, times: 1, error: new KubeError('FORBIDDEN', 'no') })
    assert.deepEqual(await ask('good'), { status: 500, text })
  }
})
