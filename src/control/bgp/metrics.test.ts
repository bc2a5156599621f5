import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { Stream } from '../../ports/index.ts'
import { encodeMessage } from '../../protocols/bgp/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { theirOpen } from '../../testing/bgp-settings.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'
import { hex } from '../../testing/hex.ts'

const M = 'ffffffffffffffffffffffffffffffff'
/** ORIGIN of two bytes: RFC 7606 section 7.1. */
const MALFORMED = hex`${M} 001c 02 0000 0005 40010200 00`

test('UPDATEs that RFC 7606 forgives are counted, and told in the debug log; the session goes on', async () => {
  const world = new BgpWorld()
  let router!: Stream
  await world.streams.host(parseAddress('192.0.2.1')!).listen({ port: 179 }, stream => {
    router = stream
    return { connected() {}, data() {}, drained() {}, closed() {} }
  })
  world.peers(aBgpPeer())
  world.until(() => router !== undefined)
  router.write(encodeMessage(theirOpen()))
  router.write(encodeMessage({ kind: 'keepalive' }))
  world.up()
  assert.equal(world.series('malformed_updates_total'), undefined, 'none yet')
  router.write(MALFORMED)
  router.write(MALFORMED)
  world.until(() => world.series('malformed_updates_total') === 2)
  assert.equal(world.log.lines.filter(({ fields }) => fields.event === 'malformedUpdate').length, 2)
  assert.equal(world.bgp.sessions.get('tor-a')?.status.establishedCount, 1)
  world.peers()
  assert.deepEqual([...world.metrics.series.keys()], [])
})
