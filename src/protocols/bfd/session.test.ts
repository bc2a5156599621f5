import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BfdSpeaker, bfdPair, FAST } from '../../testing/bfd-world.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type BfdSettings, type ControlPacket, encodeControl } from './index.ts'

const SLOW: BfdSettings = { ...FAST, receiveMs: 300, transmitMs: 300 }
const PEER: ControlPacket = {
  diagnostic: 0,
  state: 'down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0x0a0b0c0d,
  desiredMinTx: 200_000,
  requiredMinRx: 250_000,
  requiredMinEchoRx: 0,
}

/** A speaker whose peer is the test. */
function alone(settings: Partial<BfdSettings> = {}) {
  const clock = new FakeClock()
  const speaker = new BfdSpeaker(clock, 0x0a0b0c0d, { ...SLOW, ...settings })
  speaker.run()
  const hear = (change: Partial<ControlPacket>) => {
    speaker.deliver({ ...PEER, ...change })
    speaker.wake()
  }
  const bytes = () => Buffer.from(encodeControl(speaker.sent.at(-1)!.packet)).toString('hex')
  const comesUp = () => {
    clock.advance(1)
    hear({})
    hear({ state: 'init' })
    hear({ state: 'up', final: true })
  }
  return { clock, speaker, hear, bytes, comesUp }
}

test('the handshake, byte by byte (acceptance 89 to 91)', () => {
  const { clock, hear, bytes, speaker } = alone()
  clock.advance(1)
  assert.equal(bytes(), '204003180a0b0c0d00000000000f4240000493e00000c350')
  hear({})
  assert.equal(bytes(), '208003180a0b0c0d01020304000f4240000493e00000c350')
  hear({ state: 'init' })
  assert.equal(bytes(), '20e003180a0b0c0d01020304000493e0000493e00000c350')
  assert.equal(speaker.session.state, 'up')
  hear({ state: 'up', final: true })
  clock.advance(300)
  assert.equal(bytes(), '20c003180a0b0c0d01020304000493e0000493e00000c350')
})

test('a poll is answered at once, also where the timer has just run (acceptance 92)', () => {
  const { comesUp, hear, speaker } = alone()
  comesUp()
  const before = speaker.sent.length
  hear({ state: 'up', poll: true })
  hear({ state: 'up', poll: true })
  const answers = speaker.sent.slice(before).map(({ packet }) => [packet.final, packet.poll])
  assert.deepEqual(answers, [
    [true, false],
    [true, false],
  ])
})

test('silence ends the session after the detection time, to the millisecond (acceptance 93)', () => {
  const { clock, comesUp, hear, bytes, speaker } = alone()
  comesUp()
  hear({ state: 'up' })
  clock.advance(899)
  assert.equal(speaker.session.state, 'up')
  clock.advance(1)
  speaker.wake()
  assert.equal(speaker.session.state, 'down')
  assert.match(bytes(), /^214003180a0b0c0d00000000000f4240/) // and the peer's discriminator is forgotten
  assert.equal(speaker.changes.at(-1)?.cause, 'detectionTimeExpired')
})

test('AdminDown of the neighbor is told as such (acceptance 95)', () => {
  const { comesUp, hear, speaker } = alone()
  comesUp()
  hear({ state: 'adminDown', diagnostic: 7 })
  const { cause, diagnostic, remoteDiagnostic } = speaker.changes.at(-1)!
  assert.deepEqual([cause, diagnostic, remoteDiagnostic], ['neighborAdminDown', 3, 7])
})

test('a session that is disabled says AdminDown for one detection time of the peer (acceptance 96)', () => {
  const { clock, comesUp, bytes, speaker } = alone()
  comesUp()
  const goesOnMs = speaker.session.disable(clock.monotonic())
  assert.match(bytes(), /^27000318/)
  assert.equal(goesOnMs, 3000)
  const before = speaker.sent.length
  clock.advance(goesOnMs)
  assert.ok(speaker.sent.length >= before + 3)
  assert.ok(speaker.sent.slice(before).every(({ packet }) => packet.state === 'adminDown'))
})

test('a peer that never spoke is not told', () => {
  const { clock, speaker } = alone()
  assert.equal(speaker.session.disable(clock.monotonic()), 0)
})

test('the passive side says nothing until it is spoken to, and again after the peer is gone (acceptance 97)', () => {
  const { clock, hear, speaker, comesUp } = alone({ passive: true })
  clock.advance(10_000)
  assert.equal(speaker.sent.length, 0)
  comesUp()
  assert.equal(speaker.session.state, 'up')
  hear({ state: 'up' })
  clock.advance(5000)
  assert.equal(speaker.session.state, 'down')
  const { length } = speaker.sent
  clock.advance(10_000)
  assert.equal(speaker.sent.length, length)
})

test('periods are shortened by 0 to 25 percent', () => {
  const clock = new FakeClock()
  const { left } = bfdPair(clock)
  clock.advance(20_000)
  const times = left.sent.filter(({ packet }) => packet.state === 'up' && !packet.final).map(({ at }) => at)
  const gaps = times.slice(10).map((at, index) => at - times[index + 9]!)
  assert.ok(gaps.length > 300)
  assert.ok(Math.min(...gaps) >= 37.5 && Math.max(...gaps) <= 50, `${Math.min(...gaps)} to ${Math.max(...gaps)}`)
  assert.ok(Math.max(...gaps) - Math.min(...gaps) > 8)
})

test('a peer that wants no packets gets none, but its polls are answered', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  hear({ state: 'up', requiredMinRx: 0, desiredMinTx: 5_000_000 })
  const before = speaker.sent.length
  clock.advance(4000)
  assert.equal(speaker.sent.length, before)
  hear({ state: 'up', requiredMinRx: 0, poll: true })
  assert.equal(speaker.sent.length, before + 1)
})

test('a peer in demand mode gets packets only in a poll sequence', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  hear({ state: 'up', demand: true, desiredMinTx: 5_000_000 })
  const before = speaker.sent.length
  clock.advance(4000)
  assert.equal(speaker.sent.length, before)
  speaker.session.change({ ...SLOW, receiveMs: 400 }, clock.monotonic())
  clock.advance(1000)
  assert.ok(speaker.sent.length > before + 2)
  assert.ok(speaker.sent.slice(before).every(({ packet }) => packet.poll))
})

test('a longer period is used only after the final bit, a shorter one at once (acceptance 100)', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  speaker.session.change({ ...SLOW, transmitMs: 600 }, clock.monotonic())
  assert.equal(speaker.session.transmitIntervalMs, 300)
  assert.equal(speaker.sent.at(-1)!.packet.desiredMinTx, 600_000)
  assert.equal(speaker.sent.at(-1)!.packet.poll, true)
  hear({ state: 'up', final: true })
  assert.equal(speaker.session.transmitIntervalMs, 600)
  speaker.session.change({ ...SLOW, transmitMs: 260 }, clock.monotonic())
  assert.equal(speaker.session.transmitIntervalMs, 260)
})

test('a shorter detection time waits for the final bit, a longer one does not', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  speaker.session.change({ ...SLOW, receiveMs: 210 }, clock.monotonic())
  assert.equal(speaker.session.detectionTimeMs, 900)
  hear({ state: 'up', final: true })
  assert.equal(speaker.session.detectionTimeMs, 630)
  speaker.session.change({ ...SLOW, receiveMs: 500 }, clock.monotonic())
  assert.equal(speaker.session.detectionTimeMs, 1500)
})

test('a change during a poll sequence needs a final of its own', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  speaker.session.change({ ...SLOW, transmitMs: 600 }, clock.monotonic())
  speaker.session.change({ ...SLOW, transmitMs: 900 }, clock.monotonic())
  hear({ state: 'up', final: true }) // may answer the first
  assert.equal(speaker.session.transmitIntervalMs, 300)
  assert.equal(speaker.session.polling, true)
  hear({ state: 'up', final: true })
  assert.equal(speaker.session.transmitIntervalMs, 900)
  assert.equal(speaker.session.polling, false)
})

test('two sessions come up within the slow interval and then keep the agreed pace without a flap', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock)
  clock.advance(2000)
  assert.deepEqual([left.session.state, right.session.state], ['up', 'up'])
  clock.advance(60_000)
  assert.deepEqual([left.downs, right.downs], [0, 0])
  assert.deepEqual([left.session.detectionTimeMs, right.session.detectionTimeMs], [150, 150])
  assert.equal(left.session.polling || right.session.polling, false)
})

test('lost polls and finals are repeated until they arrive', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock)
  right.lossy = ({ final }) => final
  clock.advance(5000)
  assert.equal(left.session.polling, true)
  assert.deepEqual([left.session.state, left.downs], ['up', 0])
  right.lossy = () => false
  clock.advance(100)
  assert.equal(left.session.polling, false)
})

test('two of three packets may be lost, again and again', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock)
  clock.advance(2000)
  let count = 0
  right.lossy = () => count++ % 3 !== 0
  clock.advance(30_000)
  assert.deepEqual([left.session.state, left.downs], ['up', 0])
})

test('one direction is cut: both sides know, with the diagnostics of who noticed and who was told', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock)
  clock.advance(3000)
  right.lossy = () => true
  const cutAt = clock.monotonic()
  clock.advance(400)
  const [noticed, told] = [left, right].map(({ changes }) => changes.find(({ before }) => before === 'up')!)
  assert.deepEqual([noticed!.cause, told!.cause], ['detectionTimeExpired', 'neighborDown'])
  assert.ok(noticed!.at - cutAt <= 150, `${noticed!.at - cutAt} ms`)
  right.lossy = () => false
  clock.advance(3000)
  assert.deepEqual([left.session.state, right.session.state], ['up', 'up'])
})

test('the wall clock may jump: nothing notices', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock)
  clock.advance(3000)
  for (const ms of [86_400_000, -2 * 86_400_000]) {
    clock.jump(ms)
    clock.advance(1000)
  }
  assert.deepEqual([left.downs, right.downs], [0, 0])
})

test('after a stall of its own the thread reads what waits before it gives up the peer (acceptance 101)', () => {
  const clock = new FakeClock()
  const { left } = bfdPair(clock, { receiveMs: 100 }, { transmitMs: 100 })
  left.peer!.session.change({ ...FAST, transmitMs: 100, receiveMs: 1000 }, clock.monotonic())
  clock.advance(5000)
  left.stalled = true
  clock.advance(400)
  left.stalled = false
  left.wake(400)
  clock.advance(1000)
  assert.deepEqual([left.session.state, left.downs], ['up', 0])
})

test('a stall with an empty socket is excused once, by as much as it lasted', () => {
  const { clock, comesUp, speaker, hear } = alone()
  comesUp()
  hear({ state: 'up' }) // detection time 900 ms
  speaker.stalled = true
  clock.advance(1000)
  speaker.stalled = false
  speaker.wake(1000)
  assert.equal(speaker.session.state, 'up')
  clock.advance(899)
  assert.equal(speaker.session.state, 'up')
  clock.advance(1)
  speaker.wake()
  assert.equal(speaker.session.state, 'down')
})

test('echo packets go out only while both are up, and their loss ends the session', () => {
  const clock = new FakeClock()
  const { left, right } = bfdPair(clock, { echo: true, echoMs: 20 })
  clock.advance(3000)
  assert.ok(left.echoes > 20)
  assert.equal(right.echoes, 0)
  assert.equal(left.session.echoIntervalMs, 50) // the peer takes no more
  right.returnsEcho = false
  clock.advance(200)
  const down = left.changes.find(({ before }) => before === 'up')!
  assert.deepEqual([down.cause, down.diagnostic], ['echoFailed', 2])
  assert.equal(right.changes.find(({ before }) => before === 'up')!.cause, 'neighborDown')
})

test('a peer that does not send echo packets back gets none', () => {
  const { clock, comesUp, hear, speaker } = alone({ echo: true })
  comesUp()
  clock.advance(500)
  assert.equal(speaker.echoes, 0)
  hear({ state: 'up', requiredMinEchoRx: 50_000 })
  clock.advance(100)
  assert.ok(speaker.echoes > 0)
  hear({ state: 'up', requiredMinEchoRx: 0 }) // acceptance: section 5.5, 0 stops echo
  const { echoes } = speaker
  clock.advance(500)
  assert.equal(speaker.echoes, echoes)
})

test('no echo packet of an earlier run proves anything', () => {
  const { clock, comesUp, hear, speaker } = alone({ echo: true })
  comesUp()
  hear({ state: 'up', requiredMinEchoRx: 50_000, desiredMinTx: 5_000_000 })
  clock.advance(120)
  for (let ms = 0; ms < 400; ms += 10) {
    speaker.session.receiveEcho(1_000_000, clock.monotonic()) // never sent
    clock.advance(10)
  }
  assert.equal(speaker.session.state, 'down')
})

test('after a packet another stall is excused anew', () => {
  const { clock, comesUp, speaker, hear } = alone()
  comesUp()
  for (let stall = 0; stall < 2; stall++) {
    hear({ state: 'up' })
    speaker.stalled = true
    clock.advance(1000)
    speaker.stalled = false
    speaker.wake(1000)
    assert.equal(speaker.session.state, 'up')
  }
})

test('a packet after an excused stall starts a detection time without the excuse', () => {
  const { clock, comesUp, speaker, hear } = alone()
  comesUp()
  hear({ state: 'up' })
  speaker.stalled = true
  clock.advance(1000)
  speaker.stalled = false
  speaker.wake(1000)
  hear({ state: 'up' })
  clock.advance(901)
  assert.equal(speaker.session.state, 'down')
})

test('a disabled session answers no poll', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  speaker.session.disable(clock.monotonic())
  const { length } = speaker.sent
  hear({ state: 'up', poll: true })
  assert.equal(speaker.sent.length, length)
})

test('a peer that wanted no packets and fell silent is called again', () => {
  const { clock, comesUp, hear, speaker } = alone()
  comesUp()
  hear({ state: 'up', requiredMinRx: 0 })
  clock.advance(1000)
  assert.equal(speaker.session.state, 'down')
  const { length } = speaker.sent
  clock.advance(2000)
  assert.ok(speaker.sent.length > length)
})

test('what comes back from before the echo pace changed does not count', () => {
  const { clock, comesUp, hear, speaker } = alone({ echo: true })
  comesUp()
  hear({ state: 'up', requiredMinEchoRx: 50_000, desiredMinTx: 5_000_000 })
  clock.advance(120)
  hear({ state: 'up', requiredMinEchoRx: 60_000, desiredMinTx: 5_000_000 })
  for (let ms = 0; ms < 400; ms += 10) {
    speaker.session.receiveEcho(0, clock.monotonic())
    clock.advance(10)
  }
  assert.equal(speaker.session.state, 'down')
})
