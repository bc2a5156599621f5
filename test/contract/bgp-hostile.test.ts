/** Routers that send garbage, do not read, say nothing or vanish, over real TCP: the session comes back each time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeMessage, offeredOpen, type Route } from '../../src/protocols/bgp/index.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'
import { hex } from '../../src/testing/hex.ts'
import { KEEPALIVE, OPEN, OURS, Scene, ScriptedRouter, type Stage, THEIRS } from './bgp-script.ts'

const M = 'ffffffffffffffffffffffffffffffff'
const STAGES: readonly Stage[] = ['open sent', 'open confirm', 'established']

/** Any bytes, or a good header with any body. */
function noise(seed: number, framed: boolean): Uint8Array {
  const random = new FakeRandom(seed)
  const bytes = Uint8Array.from({ length: 23 + Math.floor(random.next() * 4000) }, () =>
    Math.floor(random.next() * 256),
  )
  if (!framed) return bytes
  bytes.fill(0xff, 0, 16)
  bytes.set([bytes.length >>> 8, bytes.length & 0xff, 1 + Math.floor(random.next() * 5)], 16)
  return bytes
}

const GARBAGE: [name: string, bytes: Uint8Array][] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: 192.0.2.10\r\n\r\n')],
  ['TLS', hex`1603010200 010001fc 0303 ${'00'.repeat(40)}`],
  ['zeros', new Uint8Array(5000)],
  ['ones: a length of 65535', new Uint8Array(5000).fill(0xff)],
  ['a length of 0', hex`${M} 0000 04`],
  ['a marker that is wrong in its last byte', hex`${M.slice(2)}fe 0013 04`],
  ['an UPDATE of a megabyte of nothing', Buffer.concat([hex`${M} 1000 02`, new Uint8Array(1_000_000)])],
  ...Array.from({ length: 20 }, (_, seed): [string, Uint8Array] => [`noise ${seed}`, noise(seed, false)]),
  ...Array.from({ length: 20 }, (_, seed): [string, Uint8Array] => [`noise in a frame ${seed}`, noise(seed, true)]),
]
for (const [index, [name, bytes]] of GARBAGE.entries()) {
  const stage = STAGES[index % 3]!
  test(`${name} in ${stage} ends in a session`, async t => {
    const scene = await Scene.start(t)
    const { router, session, told } = scene
    await scene.reach(stage)
    const before = told.length
    router.last.write(bytes)
    const counted = () => session.status.malformedUpdates > 0 || session.status.received['route refresh'] > 0
    await scene.until(() => told.length > before || counted() || router.last.readableEnded, 'a reaction')
    if (told.length === before) return // it was forgiven (RFC 7606), or made sense
    assert.match(told.at(-1)!, /^(down|failed): (sent|got) BGP notification code 0x/)
    await scene.reach('established')
  })
}

test('byte by byte a session comes up as well', async t => {
  const scene = await Scene.start(t)
  await scene.reach('open sent')
  for (const byte of [...OPEN, ...KEEPALIVE]) {
    scene.router.last.write(Uint8Array.of(byte))
    await new Promise(resolve => setImmediate(resolve))
  }
  await scene.until(() => scene.session.status.state === 'established', 'the session')
  assert.deepEqual(scene.told, ['up'])
})

test('a message that never ends is no sign of life: the hold timer ends it', async t => {
  const scene = await Scene.start(t)
  await scene.reach('established')
  const update = new Uint8Array(4096).fill(0xff, 0, 16)
  update.set([0x10, 0, 2], 16)
  const { last } = scene.router
  for (const byte of update.subarray(0, 30)) {
    last.write(Uint8Array.of(byte))
    scene.clock.advance(400) // 12 s in all
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  await scene.until(() => scene.told.length > 1, 'the end')
  assert.match(scene.told[1]!, /^down: sent BGP notification code 0x0400/)
  await scene.reach('established')
})

const BREAKS: [name: string, act: (scene: Scene) => void, reason: RegExp][] = [
  ['a reset', ({ router }) => void router.last.resetAndDestroy(), /ECONNRESET/],
  ['an end', ({ router }) => void router.last.end(), /connection closed by peer/],
  [
    'an end within a header',
    ({ router }) => {
      router.last.end(hex`${M} 0020`)
    },
    /connection closed by peer/,
  ],
]
for (const stage of STAGES)
  for (const [name, act, reason] of BREAKS)
    test(`${name} in ${stage}: one line, and dialled anew`, async t => {
      const scene = await Scene.start(t)
      await scene.reach(stage)
      act(scene)
      await scene.until(() => scene.told.some(line => line !== 'up'), 'the end')
      const [line, ...more] = scene.told.filter(one => one !== 'up')
      assert.match(line!, stage === 'established' ? /^down/ : /^failed/)
      assert.match(line!, reason)
      assert.deepEqual(more, [])
      await scene.reach('established')
    })

test('a port where nobody listens, until somebody does: pauses grow, and then it works', async t => {
  const scene = await Scene.start(t)
  const { port } = scene.router
  await scene.reach('open sent')
  scene.router.stop()
  await scene.until(() => scene.told.length === 5, 'some attempts')
  assert.match(scene.told.at(-1)!, /^failed: connect ECONNREFUSED/)
  const next = new ScriptedRouter()
  t.after(() => next.stop())
  await next.start(port)
  await scene.until(() => next.heard('open').length === 1, 'an attempt that succeeds')
})

const IDLE: Partial<typeof OURS> = { holdMs: 0 }

/** Long paths, each with a metric of its own: a message of a kilobyte a route. */
function bulky(count: number): Route[] {
  return Array.from({ length: count }, (_, index) => ({
    prefix: { family: 'ipv4', network: 0x0a000000n + BigInt(index), length: 32 },
    attributes: { communities: [], prepend: 250, med: index },
  }))
}

test('a router that does not read: nothing waits for it, memory is bounded, 8/0 ends it, and then it gets all', async t => {
  const scene = await Scene.start(t, { ...OURS, ...IDLE })
  const other = await Scene.start(t, { ...OURS, ...IDLE })
  const open = encodeMessage(offeredOpen({ ...THEIRS, ...IDLE }))
  const { router, session, told } = scene
  await scene.reach('established', open)
  await other.reach('established', open)
  router.last.pause()
  const routes = bulky(20_000)
  session.announce(routes)
  other.session.announce(routes.slice(0, 100))
  await scene.until(() => session.status.sent.update > 10, 'the first messages')
  for (let before = 0; before !== session.status.sent.update; ) {
    before = session.status.sent.update
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setTimeout(resolve, 2))
  }
  await other.until(
    () => other.session.status.told === 100 && other.router.heard('update').length >= 100,
    'the other router',
  )
  // From here to the end of the session nothing is awaited: what the kernel has room for changes nothing.
  const { sent, wanted } = session.status
  assert.ok(sent.update < 15_000, `${sent.update} of ${wanted} messages, then it waited`)
  session.replace(routes.slice(0, 500))
  scene.clock.advance(470_000)
  assert.deepEqual([session.status.state, session.status.sent.update], ['established', sent.update])
  scene.clock.advance(15_000)
  assert.match(told.at(-1)!, /^down: sent BGP notification code 0x0800 \(Send Hold Timer Expired\)/)
  router.messages.length = 0
  await scene.reach('established', open)
  await scene.until(() => router.heard('update').length >= 500 && session.status.told === 500, 'all that is true')
})

test('a router that never answers OPEN is given up after four minutes', async t => {
  const scene = await Scene.start(t)
  await scene.reach('open sent')
  scene.clock.advance(239_000)
  assert.deepEqual(scene.told, [])
  scene.clock.advance(1001)
  assert.match(scene.told[0]!, /^failed: sent BGP notification code 0x0400/)
  await scene.reach('established')
})

test('a router that sends OPEN, and then nothing, is given up after the hold time', async t => {
  const scene = await Scene.start(t)
  await scene.reach('open confirm')
  scene.clock.advance(9001)
  assert.match(scene.told[0]!, /^failed: sent BGP notification code 0x0400/)
  await scene.reach('established')
})

test('a router that refuses again and again is dialled less and less often', async t => {
  const scene = await Scene.start(t)
  const at: number[] = []
  for (let attempt = 0; attempt < 5; attempt++) {
    await scene.reach('open sent')
    at.push(scene.clock.monotonic())
    scene.router.last.resetAndDestroy()
    await scene.until(() => scene.told.length > attempt, 'the end')
  }
  const pauses = at.slice(1).map((time, index) => (time - at[index]!) / 1000)
  const wanted = [0, 1, 2, 4]
  for (const [index, pause] of pauses.entries())
    assert.ok(pause >= 0.75 * wanted[index]! && pause < wanted[index]! + 0.5, `pauses of ${pauses} s`)
})
