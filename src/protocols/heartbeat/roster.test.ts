import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Effect, type Heartbeat, patience, Roster, roundOf, stallMs, type Timing } from './index.ts'

const A = '10.0.0.1'
const B = '10.0.0.2'
const BOOT_A = 0xan
/** Round numbers. */
const TIMING: Timing = { intervalMs: 200, suspectAfterMs: 600, deadAfterMs: 1000, forgetAfterMs: 60_000 }
const BOOT_B = 0xbn

function roster(change: { authenticated?: boolean; maxPeers?: number } = {}): Roster {
  const subject = new Roster({ node: 'a', boot: BOOT_A, authenticated: true, timing: TIMING, ...change }, 0)
  subject.discover(new Set([B]))
  subject.tick(0)
  return subject
}

function fromB(change: Partial<Heartbeat> = {}): Heartbeat {
  const flags = { joining: false, leaving: false, respond: false, interfaces: undefined }
  return { node: 'b', boot: BOOT_B, yourBoot: BOOT_A, sequence: 1, intervalMs: 200, silent: [], ...flags, ...change }
}

/** Refusals as their code, packets as `send` with their flags. */
function tell(effects: Effect[]): string[] {
  return effects.map(effect => {
    if (effect.kind === 'refused') return effect.code
    const { yourBoot, respond, leaving } = effect.packet
    return `send ${effect.to} echo ${yourBoot}${respond ? ' respond' : ''}${leaving ? ' leaving' : ''}`
  })
}

/** Those whose speaker lives and can announce, by the evidence. */
function members(subject: Roster): string[] {
  const heard = [...subject.evidence()].filter(([, { at }]) => at === 'alive' || at === 'suspect')
  return heard.flatMap(([node, { joining }]) => (joining ? [] : [node]))
}

/** What the roster does in a step, and who counts since then and did not before, or did and does not: `+b`, `-b`. */
function during(subject: Roster, step: () => Effect[]): string[] {
  const before = members(subject)
  const told = tell(step())
  const after = members(subject)
  const come = after.filter(node => !before.includes(node)).map(node => `+${node}`)
  const gone = before.filter(node => !after.includes(node)).map(node => `-${node}`)
  return [...told, ...come, ...gone]
}

const received = (subject: Roster, packet: Heartbeat, nowMs: number, from = B) =>
  during(subject, () => subject.receive(packet, from, nowMs))
const moved = (subject: Roster, nowMs: number) =>
  during(subject, () => subject.tick(nowMs)).filter(text => !text.startsWith('send'))

/** Node b is alive since `nowMs`. */
function withB(nowMs = 0): Roster {
  const subject = roster()
  assert.deepEqual(received(subject, fromB(), nowMs), ['+b'])
  return subject
}

/** Ticks every interval up to `untilMs`, answers who came and went. */
function run(subject: Roster, fromMs: number, untilMs: number): string[] {
  const seen: string[] = []
  for (let now = fromMs + 200; now <= untilMs; now += 200)
    seen.push(...moved(subject, now).map(event => `${now} ${event}`))
  return seen
}

test('two speakers meet in three packets, each proven by an echo', () => {
  const a = new Roster({ node: 'a', boot: BOOT_A, authenticated: true, timing: TIMING }, 0)
  const b = new Roster({ node: 'b', boot: BOOT_B, authenticated: true, timing: TIMING }, 0)
  b.activate()
  const packets = a.discover(new Set([B])).map(effect => ({ effect, to: b, from: A }))
  const seen: string[] = []
  for (const { effect, to, from } of packets) {
    if (effect.kind === 'send') {
      const reply = to.receive(effect.packet, from, 0)
      seen.push(...tell([effect]))
      packets.push(...reply.map(next => ({ effect: next, to: to === b ? a : b, from: from === A ? B : A })))
    } else seen.push(...tell([effect]))
  }
  assert.deepEqual(seen, ['send 10.0.0.2 echo 0', 'send 10.0.0.1 echo 10 respond', 'send 10.0.0.2 echo 11'])
  assert.deepEqual(members(a), ['b'])
  assert.deepEqual([members(b), b.evidence().get('a')?.joining], [[], true])
})

test('silence: suspect and asked for an answer after 600 ms, dead after 1000 ms', () => {
  const subject = withB()
  assert.deepEqual(tell(subject.tick(200)), ['send 10.0.0.2 echo 11'])
  assert.deepEqual(run(subject, 200, 400), [])
  assert.deepEqual(tell(subject.tick(600)), ['send 10.0.0.2 echo 11 respond'])
  assert.deepEqual(members(subject), ['b'], '30 a suspect still counts')
  assert.deepEqual(run(subject, 600, 1200), ['1000 -b'])
  assert.deepEqual(members(subject), [])
})

test('one packet in time keeps a peer alive, a later one brings a dead peer back', () => {
  const subject = withB()
  assert.deepEqual(run(subject, 0, 200), [])
  subject.receive(fromB({ sequence: 2 }), B, 200)
  assert.deepEqual(run(subject, 200, 1000), [])
  assert.deepEqual(run(subject, 1000, 1200), ['1200 -b'])
  assert.deepEqual(received(subject, fromB({ sequence: 3 }), 2300), ['+b'])
})

test('where gaps were seen of late, silence is waited for longer; that fades, and outages teach nothing', () => {
  const deadAfter = (gapMs: number, laterMs: number) => {
    const subject = withB()
    let now = 0
    const hear = (ms: number, sequence: number) => {
      for (now += 50; now < ms; now += 50) subject.tick(now)
      subject.receive(fromB({ sequence }), B, ms)
      now = ms
    }
    hear(gapMs, 2)
    for (let sequence = 3; now < gapMs + laterMs; sequence++) hear(now + 200, sequence)
    const heard = now
    while (members(subject).includes('b') && now < heard + 10_000) subject.tick(++now)
    return now - heard
  }
  assert.equal(deadAfter(200, 0), 1000)
  assert.ok(deadAfter(450, 0) > 1500 && deadAfter(450, 0) < 1750, `${deadAfter(450, 0)} after a gap of 450 ms`)
  assert.equal(deadAfter(450, 60_000), 1000)
  assert.equal(deadAfter(1500, 0), 1000)
})

test('a leave counts at once and ends the boot; a new boot joins again', () => {
  const subject = withB()
  assert.deepEqual(received(subject, fromB({ sequence: 2, leaving: true }), 100), ['-b'])
  assert.deepEqual(received(subject, fromB({ sequence: 3 }), 120), ['REPLAYED'])
  assert.deepEqual(received(subject, fromB({ boot: 0xccn }), 200), ['+b'])
})

test('a joining peer is no member until it can announce; a restart hands over meanwhile', () => {
  const subject = withB()
  const restarted = { boot: 0xccn, joining: true }
  assert.deepEqual(received(subject, fromB(restarted), 100), ['-b'])
  assert.deepEqual(received(subject, fromB({ ...restarted, joining: false, sequence: 2 }), 300), ['+b'])
})

test('recordings are refused: same boot, earlier boot, another life of ours', () => {
  const subject = withB()
  assert.deepEqual(received(subject, fromB(), 10), ['REPLAYED'])
  subject.receive(fromB({ boot: 0xccn }), B, 20)
  assert.deepEqual(received(subject, fromB({ sequence: 9 }), 30), ['REPLAYED'])
  const earlier = roster().receive(fromB({ yourBoot: 0x99n }), B, 0)
  assert.deepEqual(tell(earlier), ['send 10.0.0.2 echo 11 respond'])
  assert.deepEqual(tell(roster().receive(fromB({ yourBoot: 0n, leaving: true }), B, 0)), [])
})

test('an answer is given only where it is asked for', () => {
  const subject = withB()
  assert.deepEqual(received(subject, fromB({ sequence: 2 }), 10), [])
  assert.deepEqual(received(subject, fromB({ sequence: 3, respond: true }), 20), ['send 10.0.0.2 echo 11'])
})

test('without a key only discovered addresses are believed, with one everybody who has it', () => {
  const stranger = '10.9.9.9'
  assert.deepEqual(received(roster({ authenticated: false }), fromB(), 0, stranger), ['UNKNOWN_SOURCE'])
  assert.deepEqual(received(roster({ authenticated: false }), fromB(), 0), ['+b'])
  assert.deepEqual(received(roster(), fromB(), 0, stranger), ['+b'])
})

test('memory is bounded: strangers beyond the limit are refused, discovered peers are not', () => {
  const subject = roster({ maxPeers: 3 })
  const codes = Array.from({ length: 6 }, (_, n) =>
    received(subject, fromB({ node: `n${n}`, boot: BigInt(n + 1) }), 0, `10.1.0.${n}`),
  )
  assert.deepEqual(codes.flat(), ['+n0', '+n1', '+n2', ...Array(3).fill('TOO_MANY_PEERS')])
  assert.deepEqual(received(subject, fromB(), 0), ['+b'])
})

test('a dead peer that discovery no longer names is forgotten after a minute', () => {
  const subject = withB()
  subject.discover(new Set())
  run(subject, 0, 59_800)
  subject.tick(60_000)
  assert.equal(tell(subject.greetAll()).length, 0)
  const known = withB()
  run(known, 0, 60_000)
  assert.deepEqual(tell(known.greetAll()), ['send 10.0.0.2 echo 11'])
})

test('own packets are ignored, another speaker under our name is reported', () => {
  assert.deepEqual(tell(roster().receive(fromB({ node: 'a', boot: BOOT_A }), A, 0)), [])
  assert.deepEqual(tell(roster().receive(fromB({ node: 'a', boot: 0x77n }), A, 0)), ['OWN_NAME'])
})

test('a peer that moves to another address counts on, and gets its packets there', () => {
  const subject = withB()
  assert.deepEqual(received(subject, fromB({ sequence: 2 }), 10, '10.0.0.9'), [])
  assert.deepEqual(tell(subject.greetAll()), ['send 10.0.0.2 echo 0', 'send 10.0.0.9 echo 11'])
})

test('an own stall of ten seconds does not count as silence of the peers', () => {
  const subject = withB()
  assert.deepEqual(moved(subject, 200), [])
  assert.deepEqual(moved(subject, 10_400), [])
  assert.deepEqual(run(subject, 10_400, 10_800), [])
  assert.deepEqual(run(subject, 10_800, 11_200), ['11000 -b'])
})

const STALLS: [sinceLastTick: number, stall: number][] = [
  [150, 0],
  [200, 0],
  [400, 0],
  [401, 201],
  [10_200, 10_000],
]
for (const [since, stall] of STALLS)
  test(`a tick after ${since} ms means a stall of ${stall} ms`, () => {
    assert.equal(stallMs(since - TIMING.intervalMs, TIMING), stall)
  })

test('a leave is said to everybody', () => {
  assert.deepEqual(tell(withB().leave()), ['send 10.0.0.2 echo 11 leaving'])
})

test('who is missed is said to the others at once, before it is given up, and what they miss is kept', () => {
  const subject = withB()
  subject.discover(new Set([B, '10.0.0.3']))
  for (const now of [200, 400]) subject.tick(now)
  subject.receive(fromB({ node: 'c', boot: 0xcn, silent: ['b'] }), '10.0.0.3', 500)
  const silentIn = (effects: Effect[]) =>
    effects.flatMap(effect => (effect.kind === 'send' ? [effect.packet.silent] : []))
  assert.deepEqual(silentIn(subject.tick(600)), [[], []], 'a suspect may answer yet')
  subject.tick(800)
  assert.equal(subject.nextMs, 840)
  assert.deepEqual(silentIn(subject.tick(840)), [['b'], ['b']])
  assert.deepEqual(
    [...subject.evidence()].map(([node, { at, witnesses }]) => [node, at, ...witnesses]),
    [
      ['b', 'suspect', 'c'],
      ['c', 'alive'],
    ],
  )
})

test('a peer that says so is given more time, up to a bound', () => {
  const at = (intervalMs: number, nowMs: number) => {
    const subject = roster()
    subject.receive(fromB({ intervalMs }), B, 0)
    for (let now = 200; now <= nowMs; now += 200) subject.tick(now)
    return subject.evidence().get('b')!.at
  }
  assert.deepEqual([at(200, 1000), at(400, 1400), at(400, 1600), at(100, 1000)], ['dead', 'suspect', 'dead', 'dead'])
  assert.deepEqual([at(65535, 19_400), at(65535, 19_600)], ['suspect', 'dead'])
})

test('with many peers packets come further apart, a few at a time, and say so', () => {
  const subject = new Roster({ node: 'a', boot: BOOT_A, authenticated: true }, 0)
  subject.discover(new Set(Array.from({ length: 32 }, (_, index) => `10.0.1.${index}`)))
  const sent = [0, 25, 50, 75, 100, 125].map(now =>
    subject.tick(now).flatMap(effect => ('to' in effect ? [effect.to] : [])),
  )
  assert.deepEqual(
    sent.map(({ length }) => length),
    [8, 8, 8, 8, 8, 8],
  )
  assert.equal(new Set(sent.slice(0, 4).flat()).size, 32, 'everybody gets one in a round')
  const [effect] = subject.greetAll()
  assert.equal(effect?.kind === 'send' && effect.packet.intervalMs, 100)
})

const ROUNDS: [peers: number, roundMs: number, parts: number][] = [
  [0, 50, 1],
  [2, 50, 1],
  [9, 50, 2],
  [16, 50, 2],
  [17, 54, 3],
  [99, 310, 13],
]
for (const [peers, roundMs, parts] of ROUNDS)
  test(`${peers} peers get a packet each in ${roundMs} ms, in ${parts} parts: at most 320 a second`, () => {
    const round = roundOf(peers, { intervalMs: 50 } as Timing)
    assert.deepEqual([round.roundMs, round.parts], [roundMs, parts])
    assert.ok(round.size * parts >= peers && (peers * 1000) / roundMs <= 320)
  })

const PATIENCE: [intervalMs: number, gapMs: number, suspectMs: number, missedMs: number, deadMs: number][] = [
  [200, 0, 600, 840, 1000],
  [200, 200, 600, 840, 1000],
  [200, 400, 1200, 1440, 1600],
  [400, 400, 1200, 1440, 1600],
]
for (const [interval, gap, suspectMs, missedMs, deadMs] of PATIENCE)
  test(`patience with a peer of ${interval} ms and gaps of ${gap} ms ends after ${deadMs} ms`, () => {
    assert.deepEqual(patience(interval, gap, TIMING), { suspectMs, missedMs, deadMs })
  })

test('IMP-25 who publishes other interfaces says so at once, and others have evidence of it', () => {
  const subject = withB()
  const [told] = subject.publish(['eth0'])
  assert.deepEqual(told?.kind === 'send' && [told.to, told.packet.interfaces], [B, ['eth0']])
  const changes = [[], [], undefined].map((interfaces, place) => {
    const before = subject.changes
    subject.receive(fromB({ sequence: 2 + place, interfaces }), B, 10)
    assert.deepEqual(subject.evidence().get('b')?.interfaces, interfaces)
    return subject.changes - before
  })
  assert.deepEqual(changes, [1, 0, 1])
})

test('the evidence changes with what is said, not with every packet', () => {
  const subject = withB()
  const changes = () => subject.changes
  const before = changes()
  subject.receive(fromB({ sequence: 2 }), B, 10)
  assert.equal(changes(), before)
  subject.receive(fromB({ sequence: 3, silent: ['c'] }), B, 20)
  assert.equal(changes(), before + 1)
})
