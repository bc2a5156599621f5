import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { Joiner } from './joiner.ts'

const OWN = '10.0.0.1'

/** A speaker that knows these members; of the others each one that is reachable becomes one when it is joined. */
function subject(members: string[], reachable: string[] = []) {
  const clock = new FakeClock()
  const present = new Set([OWN, ...members])
  const log = new FakeLog()
  const joins: string[] = []
  let [joined, failures] = [0, 0]
  const joiner = new Joiner({
    ...{ own: parseAddress(OWN)!, clock, random: new FakeRandom(1), log, fast: true, timeoutMs: 10_000 },
    present: () => present,
    joined: () => joined++,
    failed: count => {
      failures += count
    },
    join: async address => {
      const text = formatAddress(address)
      joins.push(text)
      if (reachable.includes(text)) present.add(text)
      else if (!present.has(text)) throw new Error('connection timed out')
    },
  })
  /** Whom it joined since the last call and in this time. */
  const during = async (ms: number) => {
    await clock.advanceAsync(ms, 100)
    return joins.splice(0)
  }
  /** Lines since the last call, as level and fields. */
  const said = () => log.lines.splice(0).map(({ level, fields }) => ({ level, ...fields }))
  return { joiner, present, during, said, joined: () => joined, failures: () => failures }
}

test('who is a member already, and this node itself, are not joined', async () => {
  const { joiner, during, joined } = subject(['10.0.0.2'], ['10.0.0.3'])
  joiner.discover(new Set([OWN, '10.0.0.2', '10.0.0.3']))
  assert.deepEqual([await during(5000), joined() > 0], [['10.0.0.3'], true])
  joiner.stop()
})

test('where one cannot be reached another is asked for it, each second, and more rarely after ten rounds', async () => {
  const { joiner, during, present, failures } = subject(['10.0.0.2'])
  joiner.discover(new Set(['10.0.0.2', '10.0.0.3']))
  assert.deepEqual(await during(2500), ['10.0.0.3', '10.0.0.2', '10.0.0.3', '10.0.0.2', '10.0.0.3', '10.0.0.2'])
  assert.equal(failures(), 3)
  await during(7500)
  const later = await during(10_000)
  assert.deepEqual(
    [later.filter(to => to === '10.0.0.3').length, later.filter(to => to === '10.0.0.2').length],
    [10, 1],
  )
  present.add('10.0.0.3') // the other one told of it
  await during(1000)
  assert.deepEqual(await during(5000), [])
  joiner.stop()
})

test('who is alone asks nobody; stopped, it joins nobody', async () => {
  const { joiner, during } = subject([])
  joiner.discover(new Set(['10.0.0.2']))
  assert.deepEqual(await during(500), ['10.0.0.2'])
  joiner.stop()
  assert.deepEqual(await during(5000), [])
})

test('stopped in the middle of a round it asks nobody else and begins no other', async () => {
  const { joiner, during, said } = subject(['10.0.0.2'])
  joiner.discover(new Set(['10.0.0.2', '10.0.0.3']))
  joiner.stop()
  assert.deepEqual(await during(5000), ['10.0.0.3'])
  assert.deepEqual(said(), [])
})

test('a join that failed is told of once a minute, and its success', async () => {
  const { joiner, present, during, said } = subject(['10.0.0.2'], ['10.0.0.4'])
  const failed = { op: 'memberDiscovery', msg: 'partial join', joined: 0, expected: 1 }
  const error = '10.0.0.3: connection timed out'
  joiner.discover(new Set(['10.0.0.2', '10.0.0.3']))
  await during(59_000)
  const [first, ...others] = said()
  assert.deepEqual(first, { level: 'error', ...failed, error })
  assert.ok(others.length > 50)
  for (const line of others) assert.deepEqual(line, { level: 'debug', ...failed, error })
  await during(2000)
  assert.equal(said().filter(({ level }) => level === 'error').length, 1)
  present.add('10.0.0.3')
  await during(2000)
  said()
  joiner.discover(new Set(['10.0.0.2', '10.0.0.3', '10.0.0.4']))
  await during(500)
  const found = { level: 'info', op: 'Member detection', msg: 'memberlist join successfully' }
  assert.deepEqual(said(), [{ ...found, 'number of other nodes': 3 }])
  joiner.stop()
})

test('to look again is told, and one that looks already goes on', async () => {
  const { joiner, during, said } = subject(['10.0.0.2'], ['10.0.0.3'])
  joiner.discover(new Set(['10.0.0.3']))
  joiner.rejoin()
  await during(500)
  joiner.rejoin()
  const told = said().filter(({ level }) => level === 'debug')
  const line = { level: 'debug', op: 'memberDiscovery' }
  assert.deepEqual(told, [
    { ...line, msg: 'previous discovery in progress - doing nothing' },
    { ...line, msg: 'triggering discovery' },
  ])
  joiner.stop()
})

test('IMP-1 without any discovery it is not waited for longer than 5 s', async () => {
  const { joiner, during, joined } = subject([])
  await during(4900)
  assert.equal(joined(), 0)
  await during(100)
  assert.equal(joined(), 1)
  joiner.stop()
})
