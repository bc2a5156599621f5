import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { type ListedMember, MemberlistMetrics } from './index.ts'

const member = (suspect: boolean): ListedMember => {
  const said = { joining: false, heartbeats: true, held: false, settled: false, interfaces: undefined }
  return { address: '10.0.0.1', suspect, ...said }
}

test('members by state and the health score are up to date every second', () => {
  const clock = new FakeClock()
  const metrics = new FakeMetrics()
  const members = new Map<string, ListedMember>()
  const memberlist = { present: () => members, health: 0 }
  const task = new MemberlistMetrics(memberlist, metrics, clock)
  task.start()
  assert.deepEqual(series(), { alive: 0, suspect: 0, health: 0 })
  members.set('a', member(false)).set('b', member(true)).set('c', member(false))
  memberlist.health = 3
  clock.advance(1000)
  assert.deepEqual(series(), { alive: 2, suspect: 1, health: 3 })
  task.stop()
  assert.equal(clock.armed, 0)

  function series() {
    const of = (name: string) => metrics.series.get(`metallb_memberlist_${name}`)
    const [alive, suspect] = ['alive', 'suspect'].map(state => of(`members{state="${state}"}`))
    return { alive, suspect, health: of('health_score') }
  }
})
