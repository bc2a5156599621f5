/** NOTIFICATIONs of every code, received and sent, over real TCP (chapter 04 section 6.10). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  encodeMessage,
  type Farewell,
  notificationText,
  offeredOpen,
  type Settings,
} from '../../src/protocols/bgp/index.ts'
import { hex } from '../../src/testing/hex.ts'
import { KEEPALIVE, OPEN, OURS, Scene, type Stage, THEIRS } from './bgp-script.ts'

const M = 'ffffffffffffffffffffffffffffffff'

const SUBCODES: Readonly<Record<number, readonly number[]>> = {
  1: [0, 1, 2, 3],
  2: [0, 1, 2, 3, 4, 5, 6, 7, 11],
  3: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  4: [0],
  5: [0, 1, 2, 3],
  6: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  7: [0, 1],
  8: [0],
  9: [0], // of nobody
}
const STAGES: readonly Stage[] = ['open sent', 'open confirm', 'established']
const received = Object.entries(SUBCODES).flatMap(([code, subcodes], index) =>
  subcodes.map((subcode, turn) => [Number(code), subcode, STAGES[(index + turn) % 3]!] as const),
)
for (const [code, subcode, stage] of received)
  test(`received ${code}/${subcode} in ${stage}: told in words, not answered, and dialled anew`, async t => {
    const scene = await Scene.start(t)
    await scene.reach(stage)
    scene.router.last.write(encodeMessage({ kind: 'notification', code, subcode, data: new Uint8Array() }))
    await scene.until(() => scene.told.some(line => !line.startsWith('up')), 'the end')
    const digits = (code * 256 + subcode).toString(16).padStart(4, '0')
    const end = stage === 'established' ? 'down' : 'failed'
    assert.deepEqual(
      scene.told.filter(line => line !== 'up'),
      [`${end}: got BGP notification code 0x${digits} (${notificationText({ code, subcode })})`],
    ) // prettier-ignore
    await scene.reach('established')
    assert.deepEqual(scene.router.heard('notification'), [])
    assert.equal(scene.router.sockets.length, 2)
  })

const open = (change: Partial<Settings>) => encodeMessage(offeredOpen({ ...THEIRS, ...change }))
const refreshing = { ...OURS, families: ['ipv4'] as const }

const sent: [name: string, stage: Stage, bytes: Uint8Array | undefined, answer: Uint8Array, ours?: Settings][] = [
  ['a bad marker', 'established', hex`00${M.slice(2)} 0013 04`, hex`0101`],
  ['a length of 18', 'open sent', hex`${M} 0012 04`, hex`0102 0012`],
  ['a KEEPALIVE of 20 bytes', 'established', hex`${M} 0014 04 00`, hex`0102 0014`],
  ['an UPDATE of 4097 bytes', 'established', hex`${M} 1001 02`, hex`0102 1001`],
  ['type 9', 'open confirm', hex`${M} 0013 09`, hex`0103 09`],
  ['an OPEN that overruns', 'open sent', hex`${M} 001f 01 04 fbf5 005a c0000201 02 0205`, hex`0200`],
  ['version 5', 'open sent', hex`${M} 001d 01 05 fbf5 005a c0000201 00`, hex`0201 0004`],
  ['another AS', 'open sent', open({ localAsn: 64502 }), hex`0202`],
  ['identifier 0.0.0.0', 'open sent', hex`${M} 001d 01 04 fbf5 005a 00000000 00`, hex`0203`],
  ['an unknown parameter', 'open sent', hex`${M} 001f 01 04 fbf5 005a c0000201 02 0900`, hex`0204`],
  ['a hold time of 2 s', 'open sent', open({ holdMs: 2000 }), hex`0206`],
  ['no family in common', 'open sent', open({ families: ['ipv6'] }), hex`0207 0104 0001 00 01`, refreshing],
  ['a role that does not fit', 'open sent', open({ role: 'peer' }), hex`020b`, { ...OURS, role: 'customer' }],
  ['attributes that overrun', 'established', hex`${M} 0017 02 0000 0009`, hex`0301`],
  ['MP_REACH_NLRI that cannot be read', 'established', hex`${M} 001d 02 0000 0006 800e03 000201`, hex`0309`],
  ['a prefix of 33 bits', 'established', hex`${M} 001c 02 0005 21cb007107 0000`, hex`030a`],
  ['silence', 'established', undefined, hex`0400`],
  ['silence before OPEN', 'open sent', undefined, hex`0400`],
  ['a KEEPALIVE before OPEN', 'open sent', KEEPALIVE, hex`0501`],
  ['a second OPEN', 'open confirm', OPEN, hex`0502`],
  ['an UPDATE before KEEPALIVE', 'open confirm', hex`${M} 0017 02 0000 0000`, hex`0502`],
  ['an OPEN once more', 'established', OPEN, hex`0503`],
  ['a long ROUTE-REFRESH', 'established', hex`${M} 0018 05 0001 00 01 00`, hex`0701 ${M} 0018 05 0001 00 01 00`],
]
for (const [name, stage, bytes, answer, ours = OURS] of sent)
  test(`sent for ${name} in ${stage}: ${answer[0]}/${answer[1]}, and dialled anew`, async t => {
    const scene = await Scene.start(t, ours)
    const { router } = scene
    await scene.reach(stage)
    if (bytes === undefined) scene.clock.advance(stage === 'established' ? 9000 : 240_000)
    else router.last.write(bytes)
    await scene.until(() => router.heard('notification').length > 0, 'the answer')
    const [first] = router.heard('notification')
    assert.deepEqual(encodeMessage(first!).subarray(19), answer)
    assert.match(scene.told.at(-1) ?? '', /sent BGP notification code 0x/)
    await scene.reach('established')
    assert.equal(router.sockets.length, 2)
  })

const restart = { seconds: 120, restarting: false }
const FAREWELLS: [farewell: Farewell, answer: Uint8Array | undefined, settings?: Partial<Settings>][] = [
  [{ kind: 'shutdown', text: 'node drain' }, hex`0602 0a 6e6f646520647261696e`],
  [{ kind: 'shutdown', text: 'node drain' }, undefined, { gracefulRestart: restart }],
  [{ kind: 'reset', text: '' }, hex`0604`],
  [{ kind: 'reset', text: '' }, hex`0609 0604`, { gracefulRestart: restart }],
  [{ kind: 'deconfigured' }, hex`0603`],
  [{ kind: 'deconfigured' }, hex`0609 0603`, { gracefulRestart: restart }],
  [{ kind: 'reconfigured' }, hex`0606`],
  [{ kind: 'reconfigured' }, hex`0606`, { gracefulRestart: restart }],
]
for (const [farewell, answer, settings = {}] of FAREWELLS)
  test(`sent for ${farewell.kind}${settings.gracefulRestart ? ', restarts agreed on' : ''}: ${answer ?? 'nothing'}`, async t => {
    const scene = await Scene.start(t, { ...OURS, ...settings })
    const { router, session } = scene
    await scene.reach('established', open(settings))
    session.stop(farewell)
    await scene.until(() => router.last.readableEnded, 'the end')
    const last = router.heard('notification').map(message => encodeMessage(message).subarray(19))
    assert.deepEqual(last, answer === undefined ? [] : [answer])
    assert.deepEqual([session.status.state, scene.clock.armed], ['idle', 0], 'and no more')
    assert.equal(router.sockets.length, 1)
  })

test('sent for BFD down: 6/10, and dialled anew', async t => {
  const scene = await Scene.start(t)
  await scene.reach('established')
  scene.session.livenessLost()
  await scene.until(() => scene.router.heard('notification').length > 0, 'the answer')
  assert.deepEqual(encodeMessage(scene.router.heard('notification')[0]!).subarray(19), hex`060a`)
  assert.equal(scene.told.at(-1), 'down: BFD session down')
})

/** Of the other contracts: refused connections, BFD above, a router that does not read. */
const ELSEWHERE = ['6/5', '6/7', '6/10', '8/0']
/** What routers of tests may say, and the speaker never does. */
const OF_ROUTERS = '6/4'

test('the README says of every code when it is sent, or why it never is', () => {
  const text = readFileSync(new URL('../../src/protocols/bgp/README.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| (never: )?((?:\d\/\d+(?:, )?)+) \| \S/gm)]
  const codesOf = (never: boolean) =>
    rows.filter(row => (row[1] !== undefined) === never).flatMap(row => row[2]!.split(', '))
  const known = Object.entries(SUBCODES).flatMap(([code, subcodes]) => subcodes.map(subcode => `${code}/${subcode}`))
  const all = known.filter(code => code !== '9/0')
  assert.deepEqual([...codesOf(false), ...codesOf(true)].sort(), all.sort())
  const answers = [...sent.map(row => row[3]), ...FAREWELLS.map(([, answer]) => answer)]
  const proved = new Set(answers.filter(answer => answer !== undefined).map(([code, subcode]) => `${code}/${subcode}`))
  proved.delete(OF_ROUTERS)
  assert.deepEqual([...proved, ...ELSEWHERE].sort(), codesOf(false).sort())
})
