/** From endpoints of a Service to copies of a path at the router (RFC 7911, chapter 04 section 6.15). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Family, formatPrefix, parseAddress, parsePrefix } from '../../core/ip/index.ts'
import type { ServiceRoute } from '../../core/plan/index.ts'
import type { Stream, StreamEvents } from '../../ports/index.ts'
import { decodeMessage, encodeMessage, Framer, offeredOpen } from '../../protocols/bgp/index.ts'
import { aBgpPeer } from '../../testing/bgp-peer.ts'
import { theirSettings } from '../../testing/bgp-settings.ts'
import { BgpWorld } from '../../testing/bgp-world.ts'

const PREFIX = '203.0.113.7/32'

/** A router that takes several paths of IPv4 prefixes, or says nothing about it. */
class Router {
  /** Prefix and identifier. */
  readonly paths = new Set<string>()
  updates = 0
  readonly #takes: readonly Family[]

  constructor(takes: readonly Family[]) {
    this.#takes = takes
  }

  accept(stream: Stream): StreamEvents {
    const framer = new Framer()
    this.paths.clear()
    const open = offeredOpen(theirSettings())
    const families = [{ afi: 1, safi: 1, mode: 'receive' as const }]
    const more = this.#takes.length > 0 ? [{ kind: 'add-path' as const, families }] : []
    stream.write(encodeMessage({ ...open, capabilities: [...open.capabilities, ...more] }))
    stream.write(encodeMessage({ kind: 'keepalive' }))
    const data = (bytes: Uint8Array) => {
      framer.push(bytes)
      for (let frame = framer.next(); frame; frame = framer.next())
        this.#hear(decodeMessage(frame, { asnBytes: 4, addPath: this.#takes, internal: false, enhancedRefresh: true }))
    }
    return { connected() {}, drained() {}, closed() {}, data }
  }

  #hear(message: ReturnType<typeof decodeMessage>): void {
    if (message.kind !== 'update') return
    this.updates++
    for (const one of message.withdrawn) assert.ok(this.paths.delete(`${formatPrefix(one)} ${one.pathId}`))
    for (const one of message.nlri) this.paths.add(`${formatPrefix(one)} ${one.pathId}`)
  }

  get identifiers(): string {
    return [...this.paths].map(path => path.replace(`${PREFIX} `, '')).join()
  }
}

async function beside(takes: readonly Family[], maxPaths = 4) {
  const world = new BgpWorld()
  const router = new Router(takes)
  await world.streams.host(parseAddress('192.0.2.1')!).listen({ port: 179 }, stream => router.accept(stream))
  world.peers(aBgpPeer({ maxPaths }))
  world.up()
  const announce = async (paths: number) => {
    const route: ServiceRoute = {
      prefix: parsePrefix(PREFIX)!,
      advertisement: 'A',
      peers: 'all',
      communities: [],
      ...(paths > 1 && { paths }),
    }
    world.bgp.setBalancer('default/web', { pool: 'p', addresses: [], routes: [route] })
    await world.bgp.commit()
    world.clock.advance(1100)
  }
  return { world, router, announce }
}

test('as many copies as endpoints, to the most of the peer', async () => {
  const { world, router, announce } = await beside(['ipv4'])
  for (const [endpoints, identifiers] of [
    [1, '1'],
    [3, '1,2,3'],
    [9, '1,2,3,4'],
    [2, '1,2'],
  ] as const) {
    await announce(endpoints)
    assert.equal(router.identifiers, identifiers, `${endpoints} endpoints`)
  }
  assert.deepEqual([router.updates, world.series('announced_prefixes_total')], [4, 1])
  const [state] = world.bgp.state()
  assert.deepEqual([state?.addPath, state?.config.maxPaths, state?.routes[0]?.paths], [['ipv4'], 4, 2])
  assert.deepEqual(world.lines('BGP session established')[0]?.fields.addPath, ['ipv4'])
  world.bgp.deleteBalancer('default/web')
  await world.bgp.commit()
  world.clock.advance(10)
  assert.equal(router.identifiers, '')
})

test('another number of copies is told in the session as it is; without the option it is made anew', async () => {
  const { world, router, announce } = await beside(['ipv4'])
  await announce(9)
  for (const [maxPaths, identifiers] of [
    [6, '1,2,3,4,5,6'],
    [2, '1,2'],
  ] as const) {
    world.peers(aBgpPeer({ maxPaths }))
    world.clock.advance(10)
    assert.equal(router.identifiers, identifiers)
  }
  assert.equal(router.updates, 3)
  assert.deepEqual(world.lines('BGP session down'), [])
  world.peers(aBgpPeer())
  const [line] = world.lines('peer deconfigured, closing BGP session')
  assert.deepEqual(line?.fields.changed, ['add-path'])
})

test('a router without the capability gets one path, without an identifier', async () => {
  const { world, router, announce } = await beside([])
  await announce(3)
  await announce(2)
  assert.deepEqual([[...router.paths], router.updates], [[`${PREFIX} undefined`], 1])
  const [state] = world.bgp.state()
  assert.deepEqual([state?.addPath, state?.routes[0]?.paths], [[], undefined])
})
