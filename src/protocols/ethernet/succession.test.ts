import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { ARP, type Dialect, HandoverWorld, NDP } from '../../testing/handover-world.ts'

/** `settleMs`: when the first question comes that takes the address. */
function handsOver<K>(dialect: Dialect<K>, settleMs: number): void {
  let world: HandoverWorld<K>
  beforeEach(() => {
    world = new HandoverWorld(dialect)
  })

  function everyoneOnce(): void {
    assert.deepEqual(
      world.answered,
      Array.from({ length: world.asked }, (_, client) => client),
    )
  }

  test('a planned stop: every request is answered once, first by the one and then by the other, and nobody is told', () => {
    world.stream(20)
    world.old.station.leave()
    world.stream(20)
    assert.equal(world.by('new'), 0)
    world.takeOver()
    world.stream(40 + settleMs)
    world.oldSpeaks = false
    world.stream(40)
    everyoneOnce()
    assert.ok(world.by('old') >= 40 && world.by('new') >= 75, `${world.by('old')} and ${world.by('new')}`)
    assert.equal(world.old.station.hasLeft, true)
    assert.equal(world.gratuitous, 0)
  })

  test('while the other does not let go, the successor waits for it', () => {
    world.takeOver()
    world.stream(100)
    assert.deepEqual([world.by('old'), world.by('new')], [100, 0])
    world.old.station.leave()
    world.stream(40)
    everyoneOnce()
    assert.ok(world.by('new') >= 15)
  })

  test('one that dies without letting go is noticed within 0.1 s, and what was asked since is answered', () => {
    world.takeOver()
    world.stream(30 + settleMs)
    world.oldSpeaks = false
    world.stream(130)
    assert.ok(world.by('new') >= 125, `${world.by('new')}`)
    assert.equal(world.asked - new Set(world.answered).size, 0)
  })

  test('where the answer to a question is lost, it is given again, and each request is still answered once', () => {
    world.old.station.leave()
    let lost = 3
    world.cut = ({ isRelease = false }) => isRelease && lost-- > 0
    world.takeOver()
    world.stream(120 + settleMs)
    assert.ok(lost <= 0)
    everyoneOnce()
  })

  test('where questions are lost the one that leaves goes on answering', () => {
    world.old.station.leave()
    let lost = 3
    world.cut = ({ isPoll = false }) => isPoll && lost-- > 0
    world.takeOver()
    world.stream(120 + settleMs)
    assert.ok(lost <= 0)
    everyoneOnce()
  })

  test('whoever holds on is not waited for longer than a second', () => {
    world.takeOver()
    world.run(1100)
    world.stream(10)
    assert.equal(world.by('new'), 10)
  })

  test('a node that is not on the segment is waited for 0.1 s', () => {
    world.oldSpeaks = false
    world.oldForwards = false
    world.takeOver()
    world.stream(120)
    everyoneOnce()
    assert.equal(world.by('new'), 120)
  })

  test('once the node is known to be gone, what was kept is answered at once', () => {
    world.oldSpeaks = false
    world.takeOver()
    world.stream(10)
    assert.equal(world.by('new'), 0)
    world.new.station.change([[world.key, { interfaces: 'all', slot: 0 }]], [], world.now)
    world.run(1)
    everyoneOnce()
    assert.ok(world.gratuitous >= 1)
  })

  test('nothing is asked any more once the address has moved', () => {
    world.old.station.leave()
    world.takeOver()
    world.run(100)
    const { polls } = world
    world.run(1000)
    assert.deepEqual([polls, world.polls], [1 + settleMs / 20, polls])
  })

  test('an interface that is gone takes its hand-overs along', () => {
    world.takeOver()
    world.run(10)
    assert.ok(world.new.station.nextAt()! <= world.now + 50)
    world.new.station.setInterfaces([], world.now)
    assert.equal(world.new.station.nextAt(), undefined)
    const { polls } = world
    world.run(1000)
    assert.equal(world.polls, polls)
  })

  /** The old one runs on, and hears that the address is the other's. */
  const giveUp = () => world.old.station.change([], [world.key], world.now)

  for (const afterMs of [5, 30, 60, 100])
    test(`a speaker returns, and ${afterMs} ms later the other gives up: every request is answered once`, () => {
      world.stream(20)
      world.takeOver()
      world.stream(afterMs)
      assert.equal(world.by('new'), 0)
      giveUp()
      world.stream(120)
      everyoneOnce()
      assert.ok(world.by('new') >= 120 - settleMs - 20, String(world.by('new')))
      assert.equal(world.gratuitous, 0)
    })

  test('what is quiet is announced all the same where another host claimed it', () => {
    world.old.station.leave()
    world.takeOver()
    world.run(200)
    assert.equal(world.gratuitous, 0)
    world.new.station.reannounce(world.key, world.now)
    world.run(1000)
    assert.ok(world.gratuitous >= 3, String(world.gratuitous))
  })

  test('where its answer to the question is lost, it is given again', () => {
    let lost = 3
    world.cut = ({ isRelease = false }) => isRelease && lost-- > 0
    world.takeOver()
    world.stream(30)
    giveUp()
    world.stream(150)
    assert.ok(lost <= 0)
    everyoneOnce()
  })

  test('whom nobody asks gives up at once, and 0.1 s after the last question', () => {
    giveUp()
    world.stream(1)
    assert.deepEqual(world.answers, [])
    world.old.station.change([[world.key, { interfaces: 'all', slot: 0 }]], [], world.now)
    world.takeOver()
    world.stream(30)
    world.new.station.close()
    giveUp()
    world.stream(200)
    assert.ok(world.by('old') >= 100 && world.by('old') <= 140, String(world.by('old')))
  })

  test('what it gave up becomes its own again', () => {
    world.takeOver()
    world.run(30)
    giveUp()
    world.run(100)
    world.new.station.close()
    world.old.station.change([[world.key, { interfaces: 'all', slot: 0 }]], [], world.now)
    world.stream(300)
    assert.equal(world.by('old'), 300)
    assert.ok(world.gratuitous > 0)
  })
}

describe('addresses change hands in ARP', () => handsOver(ARP, 0))
describe('addresses change hands in NDP', () => handsOver(NDP, 60))
