import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { Stream, StreamEvents, StreamTarget } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { type EnvelopeOptions, unwrapStream, wrapStream } from './envelope/index.ts'
import { decodeMessage, encodeMessage, type Message, type PushPull } from './message/index.ts'
import { Streams } from './streams.ts'

const OWN = parseAddress('10.0.0.1')!
const PEER = parseAddress('10.0.0.2')!
/** Plain messages are believed, and sealed ones waited for. */
const keyring = { keys: [], verifyIncoming: false, sealOutgoing: false }
const ENVELOPE: EnvelopeOptions = { label: '', compression: false, keyring, random: new FakeRandom(1) }
const state = (join: boolean): PushPull => ({ kind: 'pushPull', join, nodes: [] })
const bytesOf = (message: Message) => wrapStream(encodeMessage(message), ENVELOPE)

/** One end of a connection, held by the test. */
class End implements Stream {
  readonly local = undefined
  readonly remote = { address: PEER, port: 7946 }
  readonly said: string[] = []
  how: 'open' | 'ended' | 'destroyed' = 'open'
  write(bytes: Uint8Array): boolean {
    const message = decodeMessage(unwrapStream(bytes, ENVELOPE)!)
    const names = message.kind === 'pushPull' ? message.nodes.map(({ name }) => ` ${name}`).join('') : ''
    this.said.push(message.kind === 'pushPull' ? `pushPull ${message.join}${names}` : message.kind)
    return true
  }
  end(): void {
    if (this.how === 'open') this.how = 'ended'
  }
  destroy(): void {
    if (this.how === 'open') this.how = 'destroyed'
  }
  adjust(): undefined {}
}

let clock: FakeClock
let log: FakeLog
let merged: number
let nodes: PushPull['nodes']
let mergeFails: boolean
let dialled: { end: End; events: StreamEvents; target: StreamTarget } | undefined
let streams: Streams

beforeEach(() => {
  clock = new FakeClock()
  log = new FakeLog()
  merged = 0
  nodes = []
  mergeFails = false
  dialled = undefined
  streams = new Streams({
    ...{
      clock,
      log,
      source: OWN,
      state: join => ({ ...state(join), nodes }),
      timeoutMs: 10_000,
      envelope: () => ENVELOPE,
    },
    connect: (target, events) => {
      dialled = { end: new End(), events, target }
      return dialled.end
    },
    merge: () => {
      if (mergeFails) throw new Error('not these')
      merged++
    },
    isForMe: ({ node }) => node === 'me',
  })
})

const accept = () => {
  const end = new End()
  return { end, events: streams.accept(end) }
}
const settled = async (promise: Promise<void>) => {
  let text = 'waiting'
  promise.then(
    () => {
      text = 'done'
    },
    error => {
      text = error.message
    },
  )
  await new Promise(resolve => setImmediate(resolve))
  return text
}

const ANSWERS: [name: string, message: Message, outcome: string, merged: number][] = [
  ['a state', state(false), 'done', 1],
  ['an error', { kind: 'error', error: 'no' }, 'remote error: no', 0],
  ['another message', { kind: 'ack', seqNo: 1 }, 'ack instead of a push/pull', 0],
]
for (const [name, message, outcome, times] of ANSWERS)
  test(`push/pull, answered by ${name}: ${outcome}`, async () => {
    const asked = streams.pushPull(PEER, 7946, true, 1000)
    const { end, events, target } = dialled!
    assert.deepEqual(target, { address: PEER, port: 7946, source: OWN })
    assert.deepEqual(end.said, [], 'nothing before it is connected')
    events.connected()
    assert.deepEqual(end.said, ['pushPull true'])
    for (const byte of bytesOf(message)) events.data(Uint8Array.of(byte))
    assert.deepEqual([await settled(asked), merged, end.how], [outcome, times, 'destroyed'])
    clock.advance(2000)
    assert.equal(clock.armed, 0)
  })

test('what is said is what is so when the connection is there: a node that is gone by then is not told of', () => {
  const record = { name: 'b', addr: Uint8Array.of(10, 0, 0, 2), port: 7946, incarnation: 2, vsn: new Uint8Array() }
  nodes = [{ ...record, state: 'alive' }]
  void streams.pushPull(PEER, 7946, true, 1000).catch(() => {})
  nodes = []
  dialled!.events.connected()
  assert.deepEqual(dialled!.end.said, ['pushPull true'])
  streams.stop()
})

test('push/pull with a state that must not be merged fails', async () => {
  mergeFails = true
  const asked = streams.pushPull(PEER, 7946, false, 1000)
  dialled!.events.connected()
  dialled!.events.data(bytesOf(state(false)))
  assert.equal(await settled(asked), 'not these')
})

test('push/pull without an answer ends in time; what comes later is too late', async () => {
  const asked = streams.pushPull(PEER, 7946, true, 1000)
  dialled!.events.connected()
  dialled!.events.data(bytesOf(state(false)).subarray(0, 3))
  clock.advance(999)
  assert.equal(dialled!.end.how, 'open')
  clock.advance(1)
  assert.deepEqual([await settled(asked), dialled!.end.how], ['i/o timeout', 'destroyed'])
  dialled!.events.data(bytesOf(state(false)))
  assert.equal(merged, 0)
})

test('push/pull refused by the other side says why', async () => {
  const asked = streams.pushPull(PEER, 7946, true, 1000)
  dialled!.events.closed('connection refused')
  assert.equal(await settled(asked), 'connection refused')
})

const PONGS: [name: string, answer: Message | undefined, answered: boolean][] = [
  ['its number', { kind: 'ack', seqNo: 5 }, true],
  ['another number', { kind: 'ack', seqNo: 6 }, false],
  ['another message', { kind: 'nack', seqNo: 5 }, false],
  ['nothing', undefined, false],
]
for (const [name, answer, answered] of PONGS)
  test(`a ping answered with ${name}: ${answered ? 'alive' : 'no answer'}`, () => {
    const outcomes: boolean[] = []
    streams.ping(PEER, 7946, { kind: 'ping', seqNo: 5, node: 'b' }, 150, done => outcomes.push(done))
    dialled!.events.connected()
    if (answer !== undefined) dialled!.events.data(bytesOf(answer))
    clock.advance(150)
    assert.deepEqual(outcomes, [answered])
  })

test('asked for a state: it says its own and takes the other; asked for another node: nothing', () => {
  const one = accept()
  one.events!.data(bytesOf(state(true)))
  assert.deepEqual([one.end.said, one.end.how, merged], [['pushPull true'], 'ended', 1])
  const two = accept()
  two.events!.data(bytesOf({ kind: 'ping', seqNo: 9, node: 'me' }))
  assert.deepEqual([two.end.said, two.end.how], [['ack'], 'ended'])
  const three = accept()
  three.events!.data(bytesOf({ kind: 'ping', seqNo: 9, node: 'other' }))
  assert.deepEqual([three.end.said, three.end.how], [[], 'ended'])
})

test('a state that must not be merged is logged, and answered all the same', () => {
  mergeFails = true
  const { end, events } = accept()
  events!.data(bytesOf(state(false)))
  assert.deepEqual([end.said, end.how], [['pushPull false'], 'ended'])
  assert.match(String(log.lines[0]?.fields.msg), /not these/)
})

test('bytes that are no message are refused with an error; who is slow or goes away hears nothing', () => {
  const bad = accept()
  bad.events!.data(Uint8Array.of(99, 1, 2, 3))
  assert.deepEqual([bad.end.said, bad.end.how], [['error'], 'ended'])
  const slow = accept()
  slow.events!.data(bytesOf(state(true)).subarray(0, 2))
  clock.advance(10_000)
  assert.deepEqual([slow.end.said, slow.end.how], [[], 'destroyed'])
  const gone = accept()
  gone.events!.closed('connection reset by peer')
  assert.deepEqual([gone.end.said, gone.end.how], [[], 'destroyed'])
})

test('128 connections are served at once; one that is over makes room', () => {
  const all = Array.from({ length: 128 }, accept)
  assert.ok(all.every(({ events }) => events !== undefined))
  assert.equal(accept().events, undefined)
  all[0]!.events!.closed('gone')
  assert.notEqual(accept().events, undefined)
  assert.equal(accept().events, undefined)
})

test('what unfinished messages hold is counted, and given back', () => {
  const ends = Array.from({ length: 4 }, accept)
  for (const { events } of ends) events!.data(bytesOf(state(true)).subarray(0, 3))
  assert.equal(streams.buffered, 12)
  ends[0]!.events!.closed('gone')
  assert.equal(streams.buffered, 9)
})

/** A frame that never ends: its header says so much more will come. */
const ENDLESS = Uint8Array.of(10, 0x01, 0x3f, 0xff, 0xff)
const PIECE = new Uint8Array(1 << 16)
const MIB = 1 << 20

for (const [name, head] of [
  ['a sealed frame', ENDLESS],
  ['a plain message', Uint8Array.of(6, 0x81, 0xdb, 0xff, 0xff, 0xff, 0xff)], // a push/pull whose first key has no end
] as const)
  test(`${name} that never ends is refused after 20 MiB, and a quarter more where it makes no pause`, () => {
    const { end, events } = accept()
    events!.data(head)
    let most = 0
    for (let sent = 0; sent < 100 * MIB && end.how === 'open'; sent += PIECE.length) {
      events!.data(PIECE)
      most = Math.max(most, streams.buffered)
    }
    assert.ok(most > 15 * MIB && most <= 25 * MIB, `${most} bytes`)
    assert.deepEqual([end.said, end.how, streams.buffered], [['error'], 'ended', 0])
  })

test('many peers that never stop hold 64 MiB together; who holds most goes, and the others are heard', () => {
  const all = Array.from({ length: 127 }, accept)
  for (const { events } of all) events!.data(ENDLESS)
  const small = accept()
  const message = bytesOf(state(true))
  small.events!.data(message.subarray(0, 3))
  let most = 0
  for (let round = 0; round < 12; round++)
    for (const { events } of all) {
      events!.data(PIECE)
      most = Math.max(most, streams.buffered)
    }
  assert.ok(most > 60 * MIB && most <= 64 * MIB, `${most} bytes`)
  assert.ok(all.some(({ end }) => end.how === 'destroyed'))
  small.events!.data(message.subarray(3))
  assert.deepEqual([small.end.how, merged], ['ended', 1])
  clock.advance(10_000)
  assert.equal(streams.buffered, 0, 'time is up for all')
})

test('a large message is tried when a quarter more has come, or when none comes for 50 ms', () => {
  const nodes = Array.from({ length: 3000 }, (_, n) => ({
    ...{ name: `node-${n}`, addr: Uint8Array.of(10, 0, n >> 8, n & 255), port: 7946, incarnation: 1, state: 'alive' },
    vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
  }))
  const bytes = bytesOf({ kind: 'pushPull', join: false, nodes } as PushPull)
  const { end, events } = accept()
  events!.data(bytes.subarray(0, 100_000))
  events!.data(bytes.subarray(100_000, bytes.length - 1))
  events!.data(bytes.subarray(bytes.length - 1))
  assert.deepEqual(end.said, [], 'a byte more is not worth a try')
  clock.advance(49)
  assert.deepEqual(end.said, [])
  clock.advance(1)
  assert.deepEqual([end.said, merged], [['pushPull false'], 1])
})

test('stopped, all conversations end', async () => {
  const asked = streams.pushPull(PEER, 7946, true, 1000)
  const { end } = accept()
  streams.stop()
  assert.deepEqual([await settled(asked), end.how, clock.armed], ['shutting down', 'destroyed', 0])
})
