import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { LAN, type MemberlistConfig } from './config.ts'
import { Gossip } from './gossip.ts'
import { Members } from './members.ts'

const VSN = Uint8Array.from([1, 5, 2, 0, 0, 0])

/** `self` and so many others, n1 and up. */
function subject(others: number, change: Partial<MemberlistConfig> = {}, random = new FakeRandom(3)) {
  const [clock, log, config] = [new FakeClock(), new FakeLog(), { ...LAN, ...change }]
  const members = new Members({
    ...{ name: 'self', clock, log, config, port: 7946, timingOf: () => config },
    ...{ acceptsName: () => true, hears: () => false, broadcast: () => {}, event: () => {} },
  })
  members.announce({ addr: Uint8Array.of(10, 0, 0, 1), port: 7946, vsn: VSN })
  for (let at = 1; at <= others; at++) {
    const where = { addr: Uint8Array.of(10, 0, 0, at + 1), port: 7946 }
    members.alive({ kind: 'alive', node: `n${at}`, incarnation: 1, vsn: VSN, ...where })
  }
  /** How many more nodes there is something to say to. */
  let news = 0
  const [told, exchanged]: [string[], string[]] = [[], []]
  let failure: Error | undefined
  const gossip = new Gossip({
    ...{ name: 'self', clock, random, log, config, members },
    hasNews: () => news > 0,
    sendNews: ({ name }) => {
      if (news === 0) return false
      news--
      told.push(name)
      return true
    },
    pushPull: async ({ name }) => {
      exchanged.push(name)
      if (failure !== undefined) throw failure
    },
  })
  gossip.start()
  const say = (count: number) => {
    news = count
  }
  const fail = (message: string) => {
    failure = new Error(message)
  }
  return { clock, log, members, gossip, say, fail, told: () => told.splice(0), exchanged: () => exchanged.splice(0) }
}

const dead = (node: string, from = 'z') => ({ kind: 'dead', node, incarnation: 1, from }) as const
const suspect = (node: string) => ({ kind: 'suspect', node, incarnation: 1, from: 'z' }) as const

test('every 200 ms three others hear the news, while there are any, and never this node', () => {
  const { clock, say, told } = subject(9)
  clock.advance(1000)
  assert.deepEqual(told(), [])
  say(100)
  clock.advance(200)
  const first = told()
  assert.deepEqual([first.length, new Set(first).size], [3, 3])
  clock.advance(20 * 200)
  const all = new Set(told())
  assert.deepEqual([all.size, all.has('self')], [9, false], 'each of them now and then')
  say(2)
  clock.advance(600)
  assert.equal(told().length, 2, 'when nothing is left nobody else is looked for')
})

test('the dead hear of it for 30 s, so that they can refute; suspects do; who left does not', () => {
  const { clock, members, say, told } = subject(3, { gossipNodes: 3 })
  members.dead(dead('n1'))
  members.suspect(suspect('n2'))
  members.dead(dead('n3', 'n3'))
  const during = (ms: number) => {
    say(1000)
    clock.advance(ms)
    return [...new Set(told())].sort().join()
  }
  assert.equal(during(400), 'n1,n2')
  clock.advance(29_200)
  told()
  assert.match(during(400), /n1/)
  assert.doesNotMatch(during(400), /n1/)
})

test('everything is exchanged with one that lives, first 30 to 60 s after the start and then every 30 s', () => {
  for (const [next, firstMs] of [
    [0, 30_000],
    [0.5, 45_000],
    [0.999, 59_970],
  ] as const) {
    const random = Object.assign(new FakeRandom(1), { next: () => next })
    const { clock, members, exchanged } = subject(2, {}, random)
    clock.advance(firstMs - 1)
    assert.deepEqual(exchanged(), [])
    members.suspect(suspect('n1'))
    clock.advance(1)
    assert.deepEqual(exchanged(), ['n2'])
    clock.advance(60_000)
    assert.deepEqual(exchanged(), ['n2', 'n2'])
  }
})

test('in a large cluster that is rarer; with an interval of 0 it is never; alone there is nobody', () => {
  const count = (others: number, change: Partial<MemberlistConfig> = {}) => {
    const { clock, exchanged } = subject(others, change)
    clock.advance(600_000)
    return exchanged().length
  }
  assert.ok(count(31) >= 18, 'every 30 s up to 32 nodes')
  assert.ok(count(32) <= 10, 'every 60 s')
  assert.deepEqual([count(2, { pushPullIntervalMs: 0 }), count(0)], [0, 0])
})

test('an exchange that fails is told of, and another follows; stopped, nothing does', async () => {
  const { clock, log, gossip, say, fail, told, exchanged } = subject(1)
  fail('connection refused')
  await clock.advanceAsync(90_000, 1000)
  assert.ok(exchanged().length >= 1)
  assert.deepEqual(
    new Set(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.msg)),
    new Set(['memberlist: Push/Pull with n1 failed: connection refused']),
  )
  gossip.stop()
  say(10)
  await clock.advanceAsync(90_000, 1000)
  assert.deepEqual([exchanged(), told()], [[], []])
})
