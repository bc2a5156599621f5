/** Connections that are not taken, over real TCP: what the router hears (RFC 4486 section 4, RFC 4271 section 6.8). */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import { Listener } from '../../src/control/bgp/listener.ts'
import { formatAddress, parseAddress } from '../../src/core/ip/index.ts'
import { decodeMessage, encodeMessage, Framer, PLAIN_WIRE } from '../../src/protocols/bgp/index.ts'
import { FakeLog } from '../../src/testing/fake-log.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { hex } from '../../src/testing/hex.ts'
import { KEEPALIVE, OPEN, OURS, Scene } from './bgp-script.ts'

/** Of this process alone. */
const HERE = parseAddress(`127.77.${(process.pid >> 8) & 255}.${process.pid & 255}`)!
const PORT = 17_900
const PEER = '127.0.0.1'
const STRANGER = '127.0.0.9'
const REJECTED = hex`0605`
const COLLISION = hex`0607`

/** A router that dials us. */
class Caller {
  readonly socket: Socket
  /** The bodies of NOTIFICATIONs, and the kinds of other messages. */
  readonly heard: (Uint8Array | string)[] = []
  over: 'end' | 'reset' | undefined
  readonly #framer = new Framer()

  constructor(from: string) {
    this.socket = connect({ host: formatAddress(HERE), port: PORT, localAddress: from })
    this.socket.on('error', () => {
      this.over ??= 'reset'
    })
    this.socket.on('end', () => {
      this.over ??= 'end'
    })
    this.socket.on('data', data => {
      this.#framer.push(new Uint8Array(data))
      for (let frame = this.#framer.next(); frame; frame = this.#framer.next()) {
        const message = decodeMessage(frame, PLAIN_WIRE)
        this.heard.push(message.kind === 'notification' ? encodeMessage(message).subarray(19) : message.kind)
      }
    })
  }
}

/** A session of ours with a router at 127.0.0.1, and the listener that would let it in. */
async function listening(t: { after: (end: () => void) => void }, settings = { ...OURS, listens: true }) {
  const scene = await Scene.start(t, settings)
  const { session, clock } = scene
  const metrics = new FakeMetrics()
  const peer = {
    target: { address: parseAddress(PEER)!, port: 179 },
    accept: session.accept.bind(session),
    turnedAway: session.turnedAway.bind(session),
    get refusal() {
      return session.refusal
    },
  }
  const context = { streams: linuxStreams, clock, metrics, log: new FakeLog() }
  const listener = new Listener({ port: PORT, address: HERE }, () => [peer], context)
  const callers: Caller[] = []
  t.after(async () => {
    for (const { socket } of callers) socket.destroy()
    await listener.close()
  })
  listener.sync()
  await new Promise(resolve => setImmediate(resolve))
  const call = (from: string) => {
    const caller = new Caller(from)
    callers.push(caller)
    return caller
  }
  const refused = (reason: string) => metrics.series.get(`metallb_bgp_connections_refused_total{reason="${reason}"}`)
  return { scene, listener, call, refused }
}

test('a stranger hears 6/5, whatever it has said already', async t => {
  const { scene, call, refused } = await listening(t)
  const caller = call(STRANGER)
  caller.socket.write(OPEN)
  await scene.until(() => caller.over !== undefined, 'the end')
  assert.deepEqual([caller.heard, caller.over, refused('unknownPeer')], [[REJECTED], 'end', 1])
})

test('a peer whose session is stopped, or rests after a failure, hears 6/5', async t => {
  const { scene, call, refused } = await listening(t)
  await scene.reach('established')
  scene.session.livenessLost()
  assert.equal(scene.session.status.state, 'idle')
  const resting = call(PEER)
  await scene.atOnce(() => resting.over !== undefined, 'the first end')
  scene.session.stop({ kind: 'deconfigured' })
  const stopped = call(PEER)
  await scene.until(() => stopped.over !== undefined, 'the second end')
  assert.deepEqual([resting.heard, stopped.heard, refused('notExpected')], [[REJECTED], [REJECTED], 2])
})

test('a peer with an established session hears 6/7, and the session goes on', async t => {
  const { scene, call } = await listening(t)
  await scene.reach('established')
  const caller = call(PEER)
  caller.socket.write(OPEN)
  await scene.until(() => caller.over !== undefined, 'the end')
  assert.deepEqual([caller.heard, scene.session.status.state], [[COLLISION], 'established'])
  assert.equal(scene.session.status.sent.notification, 1)
})

test('60 two connections on their way: that of the higher identifier stays, 6/7 ends the other and a third', async t => {
  const { scene, call } = await listening(t)
  await scene.reach('open confirm')
  const second = call(PEER)
  await scene.until(() => second.heard.length > 0, 'our OPEN on the second')
  const third = call(PEER)
  await scene.until(() => third.over !== undefined, 'the end of the third')
  second.socket.write(OPEN)
  await scene.until(() => second.over !== undefined, 'the end of the second')
  assert.deepEqual([second.heard, third.heard], [['open', 'keepalive', COLLISION], [COLLISION]])
  scene.router.last.write(KEEPALIVE)
  await scene.until(() => scene.session.status.state === 'established', 'the session')
})

test('a flood of strangers costs no more than some answers, and a peer is answered all the same', async t => {
  const { scene, call, refused } = await listening(t)
  scene.session.stop({ kind: 'deconfigured' })
  const flood = Array.from({ length: 40 }, () => call(STRANGER))
  await scene.until(() => refused('unknownPeer') === 40 && flood.every(({ over }) => over !== undefined), 'all ends')
  const told = flood.filter(({ heard }) => heard.length > 0).length
  const most = 8 + scene.clock.monotonic() / 1000
  assert.ok(told >= 8 && told <= most, `${told} of 40 were told, at most ${most}`)
  const peer = call(PEER)
  await scene.until(() => peer.over !== undefined, 'the end')
  assert.deepEqual(peer.heard, [REJECTED])
})

test('while the speaker stops nobody is told anything: routes may be kept for its return (RFC 4724)', async t => {
  const { scene, call, listener, refused } = await listening(t)
  await scene.reach('established')
  listener.shut()
  const callers = [call(PEER), call(STRANGER)]
  await scene.until(() => callers.every(({ over }) => over !== undefined), 'the ends')
  assert.deepEqual([callers.map(({ heard }) => heard), refused('unknownPeer')], [[[], []], undefined])
})
