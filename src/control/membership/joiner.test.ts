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
  const joins: string[] = []
  let joined = 0
  const joiner = new Joiner({
    ...{ own: parseAddress(OWN)!, clock, random: new FakeRandom(1), log: new FakeLog(), fast: true, timeoutMs: 10_000 },
    present: () => present,
    joined: () => joined++,
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
  return { joiner, present, during, joined: () => joined }
}

test('who is a member already, and this node itself, are not joined', async () => {
  const { joiner, during, joined } = subject(['10.0.0.2'], ['10.0.0.3'])
  joiner.discover(new Set([OWN, '10.0.0.2', '10.0.0.3']))
  assert.deepEqual([await during(5000), joined() > 0], [['10.0.0.3'], true])
  joiner.stop()
})

test('where one cannot be reached another is asked for it, each second, and more rarely after ten rounds', async () => {
  const { joiner, during, present } = subject(['10.0.0.2'])
  joiner.discover(new Set(['10.0.0.2', '10.0.0.3']))
  assert.deepEqual(await during(2500), ['10.0.0.3', '10.0.0.2', '10.0.0.3', '10.0.0.2', '10.0.0.3', '10.0.0.2'])
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
