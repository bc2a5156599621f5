/** Peers that stop reading, send garbage, or end the session for every reason there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { encodeMessage } from '../../src/protocols/bgp/index.ts'
import { hex } from '../../src/testing/hex.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { ScriptedPeer } from './scripted-peer.ts'
import { aPeer, BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-misbehaving-${process.pid}`
const MARKER = 'ffffffffffffffffffffffffffffffff'

/** What it sends when the session is up, and the NOTIFICATION that we answer (RFC 4271 section 6). */
const GARBAGE: [name: string, bytes: Uint8Array, answer: string][] = [
  ['noise', hex`00010203 04050607 08090a0b 0c0d0e0f 10111213`, 'Connection not synchronized'],
  ['a message of 18 bytes', hex`${MARKER} 0012 04`, 'Bad message length'],
  ['a KEEPALIVE longer than any message', hex`${MARKER} ffff 04`, 'Bad message length'],
  ['an unknown type', hex`${MARKER} 0013 09`, 'Bad message type'],
  ['a prefix of 33 bits', hex`${MARKER} 001c 02 0005 21cb007107 0000`, 'Invalid Network Field'],
  ['attributes longer than the message', hex`${MARKER} 0017 02 0000 ffff`, 'Malformed Attribute List'],
  [
    'two KEEPALIVEs and noise',
    hex`${MARKER} 0013 04 ${MARKER} 0013 04 ${'5a'.repeat(64)}`,
    'Connection not synchronized',
  ],
]

/** By code, from subcode 0 (chapter 04 section 6.10). */
const NOTIFICATIONS: Record<number, readonly (string | undefined)[]> = {
  1: ['Message header error (unspecific)', 'Connection not synchronized', 'Bad message length', 'Bad message type'],
  2: [
    'OPEN message error (unspecific)',
    'Unsupported version number',
    'Bad peer AS',
    'Bad BGP identifier',
    'Unsupported optional parameter',
    'Authentication Failure (deprecated)',
    'Unacceptable hold time',
    'Unsupported capability',
    ...[undefined, undefined, undefined],
    'Role Mismatch',
  ],
  3: [
    'UPDATE message error (unspecific)',
    'Malformed Attribute List',
    'Unrecognized Well-known Attribute',
    'Missing Well-known Attribute',
    'Attribute Flags Error',
    'Attribute Length Error',
    'Invalid ORIGIN Attribute',
    'AS Routing Loop (deprecated)',
    'Invalid NEXT_HOP Attribute',
    'Optional Attribute Error',
    'Invalid Network Field',
    'Malformed AS_PATH',
  ],
  4: ['Hold Timer Expired (unspecific)'],
  5: [
    'BGP FSM state error (unspecific)',
    'Receive Unexpected Message in OpenSent State',
    'Receive Unexpected Message in OpenConfirm State',
    'Receive Unexpected Message in Established State',
  ],
  6: [
    'Cease (unspecific)',
    'Maximum Number of Prefixes Reached',
    'Administrative Shutdown',
    'Peer De-configured',
    'Administrative Reset',
    'Connection Rejected',
    'Other Configuration Change',
    'Connection Collision Resolution',
    'Out of Resources',
    'Hard Reset',
    'BFD Down',
  ],
  7: ['ROUTE-REFRESH message error (unspecific)', 'Invalid Message Length'],
  8: ['Send Hold Timer Expired'],
}

besideRouter('BGP peers that misbehave', NETNS, () => {
  for (const [name, make] of ROUTERS)
    test(`${name} stops reading: given up after the hold time, and told what is true once it reads again`, async t => {
      const { router, speaker } = await running(t, make(plain(NETNS)))
      await speaker.announce('web', '203.0.113.7/32')
      speaker.peer(aPeer('ipv4', { holdMs: 3000 }))
      await has(router, 'ipv4', ['203.0.113.7/32'])
      router.freeze()
      await speaker.announce('many', ...Array.from({ length: 20_000 }, (_, n) => `10.100.${n >> 8}.${n & 255}/32`))
      await waitFor(() => speaker.said('BGP session down').length === 1, 'the hold timer', 30_000)
      assert.match(speaker.said('BGP session down')[0]!, /hold timer|Hold Timer/i)
      await speaker.announce('many')
      await speaker.announce('web', '203.0.113.8/32')
      router.thaw()
      await waitFor(() => speaker.said('BGP session established').length === 2, 'the session to come back', 60_000)
      await has(router, 'ipv4', ['203.0.113.8/32'])
    })

  for (const [name, bytes, answer] of GARBAGE)
    test(`${name}: answered with "${answer}", and the session comes back`, async t => {
      const { peer, speaker } = await scene(t)
      peer.send(bytes)
      await waitFor(() => speaker.said('BGP session established').length === 2, 'the session to come back', 30_000)
      assert.ok(speaker.said('BGP session down')[0]?.includes(answer), speaker.said('BGP session down')[0])
      assert.equal(peer.heard.filter(({ kind }) => kind === 'notification').length, 1)
    })

  for (const [code, texts] of Object.entries(NOTIFICATIONS))
    test(`NOTIFICATIONs of code ${code} are told in words, and the session comes back`, async t => {
      const received = texts.flatMap((text, subcode) => (text === undefined ? [] : [{ text, subcode }]))
      await Promise.all(
        received.map(async ({ text, subcode }) => {
          const { peer, speaker } = await scene(t)
          peer.send(encodeMessage({ kind: 'notification', code: Number(code), subcode, data: new Uint8Array() }))
          await waitFor(
            () => speaker.said('BGP session established').length === 2,
            `${text}: the session again`,
            30_000,
          )
          const digits = (Number(code) * 256 + subcode).toString(16).padStart(4, '0')
          assert.deepEqual(speaker.said('peer sent notification, closing session'), [
            `got BGP notification code 0x${digits} (${text})`,
          ])
          assert.deepEqual(
            peer.heard.filter(({ kind }) => kind === 'notification'),
            [],
            'nothing is answered',
          )
        }),
      )
    })
})

/** A session that is up with a peer as the test wants it. */
async function scene(t: { after: (end: () => Promise<void>) => void }) {
  const peer = await ScriptedPeer.start()
  const speaker = new BgpSpeaker()
  t.after(async () => {
    await speaker.protocol.stop()
    peer.stop()
  })
  speaker.peer(aPeer('ipv4', { endpoint: peer.endpoint, port: peer.port }))
  await waitFor(() => speaker.said('BGP session established').length === 1, 'the session')
  return { peer, speaker }
}
