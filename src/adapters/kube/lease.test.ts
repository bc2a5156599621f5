import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { leases } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { LeaderElection, type LeaderElectionOptions } from './lease.ts'

const lease = { namespace: 'metallb-system', name: 'metallb-controller' }

interface Candidate {
  election: LeaderElection
  /** `+` for started, `-` for stopped. */
  turns: string
}

function cluster() {
  const api = new FakeKube()
  const clock = new FakeClock()
  const candidate = (identity: string, given: Partial<LeaderElectionOptions> = {}): Candidate => {
    const state: Candidate = { turns: '' } as Candidate
    const onStarted = () => {
      state.turns += '+'
    }
    const onStopped = () => {
      state.turns += '-'
    }
    const random = { next: () => 0, bytes: (length: number) => new Uint8Array(length) }
    const log = new FakeLog()
    state.election = new LeaderElection({ api, clock, random, log, lease, identity, onStarted, onStopped, ...given })
    return state
  }
  const spec = () => api.peek(leases, lease)?.spec
  return { api, clock, candidate, spec, pass: (ms: number) => clock.advanceAsync(ms, 100) }
}

test('the first leads at once, the second not while the first renews', async () => {
  const { candidate, pass, spec, clock } = cluster()
  const a = candidate('a')
  const b = candidate('b')
  a.election.start()
  await pass(0)
  b.election.start()
  await pass(60_000)
  assert.deepEqual([a.turns, b.turns], ['+', ''])
  assert.deepEqual([a.election.leading, b.election.leading], [true, false])
  const { renewTime, ...rest } = spec()!
  assert.deepEqual(rest, {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  })
  assert.ok(clock.now() - Date.parse(renewTime!) <= 2_100)
  await Promise.all([a.election.stop(), b.election.stop()])
})

test('a clean stop releases the lease after the work ended, and the other takes over at its next look', async () => {
  const { candidate, pass, spec } = cluster()
  let ended = () => {}
  const a = candidate('a', { onStopped: () => new Promise(resolve => (ended = resolve)) })
  const b = candidate('b')
  a.election.start()
  await pass(0)
  b.election.start()
  await pass(100)
  const stopped = a.election.stop()
  await pass(5_000)
  assert.equal(a.election.leading, false)
  assert.deepEqual([spec()?.holderIdentity, b.turns], ['a', ''], 'not before the work has ended')
  ended()
  await stopped
  assert.equal(spec()?.holderIdentity, '')
  await pass(2_100)
  assert.deepEqual([spec()?.holderIdentity, spec()?.leaseTransitions, b.turns], ['b', 1, '+'])
  await b.election.stop()
})

test('a holder that vanished is followed after the time of its lease, counted from our own last sight', async () => {
  const { api, candidate, pass, clock } = cluster()
  // a dead holder whose clock was a day ahead, and 20 s of lease
  const renewTime = new Date(clock.now() + 86_400_000).toISOString()
  api.put(leases, { metadata: lease, spec: { holderIdentity: 'x', leaseDurationSeconds: 20, renewTime } })
  const b = candidate('b')
  b.election.start()
  await pass(19_900)
  assert.equal(b.turns, '')
  clock.jump(-86_400_000)
  await pass(2_200)
  assert.equal(b.turns, '+')
  await b.election.stop()
})

test('a holder that renews with a clock of the past is alive all the same', async () => {
  const { api, candidate, pass } = cluster()
  const b = candidate('b')
  const renew = (second: number) => {
    const renewTime = new Date(second * 1000).toISOString()
    api.put(leases, { metadata: lease, spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime } })
  }
  renew(0)
  b.election.start()
  for (let second = 1; second < 60; second++) {
    renew(second)
    await pass(1_000)
  }
  assert.equal(b.turns, '')
  await b.election.stop()
})

test('the same identity goes on at once: a container that was restarted does not wait', async () => {
  const { api, candidate, pass, spec } = cluster()
  const acquireTime = '2025-12-31T00:00:00.000000Z'
  api.put(leases, { metadata: lease, spec: { holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime } })
  const a = candidate('a')
  a.election.start()
  await pass(0)
  assert.deepEqual([a.turns, spec()?.acquireTime], ['+', acquireTime])
  await a.election.stop()
})

test('an API that is away pauses the leader after 10 s, and it goes on when the API is back', async () => {
  const { api, candidate, pass } = cluster()
  const a = candidate('a')
  a.election.start()
  await pass(1_000)
  api.fail = () => {
    throw new KubeError('NETWORK', 'down')
  }
  await pass(8_900)
  assert.equal(a.turns, '+')
  await pass(200)
  assert.equal(a.turns, '+-')
  await pass(60_000)
  assert.equal(a.turns, '+-')
  api.fail = () => {}
  await pass(2_100)
  assert.equal(a.turns, '+-+')
  await a.election.stop()
})

test('a renewal that hangs ends the leading in time, and one that comes late does not revive it', async () => {
  const { api, candidate, pass, clock } = cluster()
  const a = candidate('a')
  a.election.start()
  await pass(0)
  const replace = api.replace.bind(api)
  let answerLate = () => {}
  const late = new Promise<void>(resolve => {
    answerLate = resolve
  })
  api.replace = async (type, object) => {
    const answer = await replace(type, object)
    await late
    return answer
  }
  await pass(9_900)
  assert.equal(a.election.leading, true)
  await pass(100)
  assert.deepEqual([a.turns, a.election.leading], ['+-', false])
  await pass(5_000)
  api.replace = replace
  answerLate()
  await pass(0)
  assert.equal(a.turns, '+-')
  await pass(2_100)
  assert.equal(a.turns, '+-+')
  assert.ok(clock.monotonic() < 18_000)
  await a.election.stop()
})

test('a frozen process does not believe that it leads when it wakes up', async () => {
  const { candidate, pass, clock } = cluster()
  let asked: boolean | undefined
  const a = candidate('a')
  a.election.start()
  await pass(0)
  clock.after(10_000, () => {
    asked = a.election.leading // runs before the deadline of the lease: it was armed earlier
  })
  clock.advance(10_000)
  assert.equal(asked, false)
  await a.election.stop()
})

test('a lease that another took is given up at once', async () => {
  const { api, candidate, pass } = cluster()
  const a = candidate('a')
  a.election.start()
  await pass(1_000)
  api.put(leases, { metadata: lease, spec: { holderIdentity: 'thief', leaseDurationSeconds: 15 } })
  await pass(2_000)
  assert.equal(a.turns, '+-')
  await a.election.stop()
})

test('never two leaders, whatever the API refuses and the clocks do', async () => {
  const step = fc.record({ ms: fc.integer({ min: 100, max: 6_000 }), down: fc.boolean(), jump: fc.integer() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
      const { api, candidate, clock } = cluster()
      const all = ['a', 'b', 'c'].map(identity => candidate(identity))
      for (const { election } of all) election.start()
      for (const { ms, down, jump } of steps) {
        clock.jump(jump % 1e9)
        api.fail = () => {
          if (down) throw new KubeError('NETWORK', 'down')
        }
        for (let moved = 0; moved < ms; moved += 100) {
          await clock.advanceAsync(100)
          const leaders = all.filter(({ turns }) => turns.endsWith('+'))
          assert.ok(leaders.length <= 1, `${leaders.length} leaders`)
        }
      }
      api.fail = () => {}
      await Promise.all(all.map(({ election }) => election.stop()))
    }),
    { numRuns: 30 },
  )
})

test('without rights to leases it leads unguarded, says so once, and goes back to the lease when it may', async () => {
  const { api, candidate, pass, spec } = cluster()
  const log = new FakeLog()
  api.fail = () => {
    throw new KubeError('FORBIDDEN', 'leases is forbidden', { status: 403 })
  }
  const a = candidate('a', { log })
  a.election.start()
  await pass(30_000)
  assert.deepEqual([a.turns, a.election.leading], ['+', true])
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1)
  api.fail = () => {}
  await pass(3_000)
  assert.deepEqual([spec()?.holderIdentity, a.turns], ['a', '+'])
  await a.election.stop()
  assert.deepEqual([spec()?.holderIdentity, a.turns], ['', '+-'])
})

test('without rights to leases it stops without trying to release one', async () => {
  const { api, candidate, pass } = cluster()
  const log = new FakeLog()
  api.fail = () => {
    throw new KubeError('FORBIDDEN', 'leases is forbidden', { status: 403 })
  }
  const a = candidate('a', { log })
  a.election.start()
  await pass(1_000)
  const asked = api.calls.length
  await a.election.stop()
  assert.deepEqual([a.turns, api.calls.length], ['+-', asked])
})
