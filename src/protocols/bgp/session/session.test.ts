import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Address, formatPrefix, parseAddress, parsePrefix } from '../../../core/ip/index.ts'
import type { Stream, StreamEvents } from '../../../ports/index.ts'
import { ourSettings, theirSettings } from '../../../testing/bgp-settings.ts'
import { endOfRib } from '../../../testing/end-of-rib.ts'
import { FakeClock } from '../../../testing/fake-clock.ts'
import { FakeRandom } from '../../../testing/fake-random.ts'
import { FakeStreams } from '../../../testing/fake-stream.ts'
import { hex } from '../../../testing/hex.ts'
import { Framer } from '../framing.ts'
import { type CloseReason, describeClose } from '../fsm/index.ts'
import { decodeMessage, encodeMessage, type Message } from '../message/index.ts'
import { offeredOpen, type Settings } from '../negotiation.ts'
import { PLAIN_WIRE } from '../wire.ts'
import { Session } from './index.ts'

const ip = (text: string) => parseAddress(text)!
const OURS = ip('192.0.2.10')
const THEIRS = ip('192.0.2.1')
const M = 'ffffffffffffffffffffffffffffffff'
const KEEPALIVE = hex`${M} 0013 04`
const route = (text: string) => ({ prefix: parsePrefix(text)!, attributes: { communities: [] } })

const ours = ourSettings({ holdMs: 9000 })
const theirs = theirSettings({ holdMs: 9000 })

class World {
  readonly clock = new FakeClock()
  readonly random: FakeRandom
  readonly streams: FakeStreams

  constructor(seed = 1) {
    this.random = new FakeRandom(seed)
    this.streams = new FakeStreams(this.clock, this.random)
  }

  /** A session, and what it told, in words. */
  session(address: Address, to: Address, settings: Settings): { session: Session; told: string[] } {
    const told: string[] = []
    const options = {
      settings,
      target: { address: to, port: 179 },
      defaultLocalPref: 100,
      localAddresses: () => ({ connection: address, ipv6: ip('2001:db8::10') }),
    }
    const { clock, random } = this
    const session = new Session(
      options,
      { clock, random, streams: this.streams.host(address) },
      {
        established: () => void told.push('up'),
        closed: (reason, established) => void told.push(`${established ? 'down' : 'failed'}: ${describeClose(reason)}`),
      },
    )
    return { session, told }
  }

  /** Accepts connections for the address as a script does. */
  async router(address: Address): Promise<Router> {
    const router = new Router()
    await this.streams.host(address).listen({ port: 179 }, stream => router.accept(stream))
    return router
  }

  async listen(address: Address, session: Session): Promise<void> {
    await this.streams.host(address).listen({ port: 179 }, stream => session.accept(stream))
  }

  /** Moves time on until the condition holds. */
  until(condition: () => boolean, limitMs = 60_000): void {
    for (let waited = 0; !condition(); waited++) {
      assert.ok(waited < limitMs, 'it never came to pass')
      this.clock.advance(1)
    }
  }
}

/** The other end as raw bytes. */
class Router {
  readonly messages: Message[] = []
  stream: Stream | undefined
  closed: string | undefined
  connections = 0
  wire = PLAIN_WIRE
  #framer = new Framer()

  accept(stream: Stream): StreamEvents {
    this.connections++
    this.stream = stream
    this.closed = undefined
    this.#framer = new Framer()
    return this.events
  }

  get events(): StreamEvents {
    return {
      connected: () => {},
      drained: () => {},
      closed: (message: string) => {
        this.closed = message
      },
      data: (bytes: Uint8Array) => {
        this.#framer.push(bytes)
        for (let frame = this.#framer.next(); frame; frame = this.#framer.next())
          this.messages.push(decodeMessage(frame, this.wire))
      },
    }
  }

  heard(kind: Message['kind']): Message[] {
    return this.messages.filter(message => message.kind === kind)
  }
}

async function connected(settings = ours): Promise<{ world: World; router: Router; session: Session; told: string[] }> {
  const world = new World()
  const router = await world.router(THEIRS)
  const { session, told } = world.session(OURS, THEIRS, settings)
  session.start()
  world.until(() => router.heard('open').length === 1)
  return { world, router, session, told }
}

async function established(settings = ours, peer: Settings = theirs) {
  const all = await connected(settings)
  all.router.stream!.write(encodeMessage(offeredOpen(peer)))
  all.router.stream!.write(KEEPALIVE)
  all.world.until(() => all.session.status.state === 'established')
  return all
}

test('a session comes up: OPEN, KEEPALIVE, routes, End-of-RIB', async () => {
  const { world, router, session, told } = await connected()
  session.announce([route('203.0.113.7/32'), route('2001:db8:beef::7/128')])
  session.complete()
  router.stream!.write(encodeMessage(offeredOpen(theirs)))
  world.until(() => router.heard('keepalive').length === 1)
  assert.equal(session.status.state, 'open confirm')
  assert.deepEqual(router.heard('update'), [])
  router.stream!.write(KEEPALIVE)
  world.until(() => router.heard('update').length === 4)
  assert.deepEqual(
    router.messages.map(message => (message.kind === 'update' ? (endOfRib(message) ?? 'routes') : message.kind)),
    ['open', 'keepalive', 'routes', 'routes', 'ipv4', 'ipv6'],
  )
  assert.deepEqual(told, ['up'])
  const { wanted, told: sent } = session.status
  assert.deepEqual([wanted, sent], [2, 2])
  assert.deepEqual(
    [...session.advertisedRoutes()].map(one => formatPrefix(one.prefix)),
    ['203.0.113.7/32', '2001:db8:beef::7/128'],
  )
})

test('54: a silent peer is given up after the hold time, and told so', async () => {
  const { world, router, session, told } = await established()
  const since = world.clock.monotonic()
  world.until(() => session.status.state !== 'established')
  assert.equal(world.clock.monotonic() - since, 9000)
  assert.equal(session.status.told, 0)
  world.until(() => router.heard('notification').length === 1)
  assert.deepEqual(encodeMessage(router.heard('notification')[0]!), hex`${M} 0015 03 04 00`)
  assert.match(told[1]!, /^down: .*0x0400 \(Hold Timer Expired/)
  world.until(() => router.connections === 2)
})

test('31: our KEEPALIVEs come in a third of the hold time, a quarter earlier at most', async () => {
  const { world, router } = await established(ours)
  const before = router.heard('keepalive').length
  for (let second = 0; second < 90; second++) {
    router.stream!.write(KEEPALIVE)
    world.clock.advance(1000)
  }
  const count = router.heard('keepalive').length - before
  assert.ok(count >= 29 && count <= 41, `${count} in 90 s`)
})

test('53, 58: a NOTIFICATION, and an end within a header, bring the session down once', async () => {
  const first = await established()
  first.router.stream!.write(hex`${M} 0015 03 04 00`)
  first.world.until(() => first.told.length === 2)
  assert.equal(first.told[1], 'down: got BGP notification code 0x0400 (Hold Timer Expired (unspecific))')
  const second = await established()
  second.router.stream!.write(hex`${M} 0020`)
  second.router.stream!.end()
  second.world.until(() => second.told.length === 2)
  assert.equal(second.told[1], 'down: connection closed by peer')
})

const garbage: [name: string, bytes: Uint8Array, answer: Uint8Array][] = [
  ['noise', hex`00010203 04050607 08090a0b 0c0d0e0f 10111213`, hex`${M} 0015 03 01 01`],
  ['an unknown type', hex`${M} 0013 09`, hex`${M} 0016 03 01 03 09`],
  ['a second OPEN', encodeMessage(offeredOpen(theirs)), hex`${M} 0015 03 05 03`],
  ['a prefix of 33 bits', hex`${M} 001c 02 0005 21cb007107 0000`, hex`${M} 0015 03 03 0a`],
]
for (const [name, bytes, answer] of garbage)
  test(`${name} is answered, and the session comes back`, async () => {
    const { world, router, session } = await established()
    router.stream!.write(bytes)
    world.until(() => router.heard('notification').length === 1)
    assert.deepEqual(encodeMessage(router.heard('notification')[0]!), answer)
    world.until(() => router.connections === 2 && session.status.state === 'open sent')
  })

test('routes of the peer are counted and forgotten, malformed ones too', async () => {
  const { world, router, session } = await established()
  router.stream!.write(hex`${M} 0035 02 0000 0014 40010100 40020602010000fbf5 400304c0000201 20 0a000001 20 0a000002`)
  router.stream!.write(hex`${M} 0030 02 0000 0014 40010103 40020602010000fbf5 400304c0000201 20 0a000001`)
  world.until(() => session.status.received.update === 2)
  const { prefixesReceived, malformedUpdates, state } = session.status
  assert.deepEqual([prefixesReceived, malformedUpdates, state], [2, 1, 'established'])
  router.stream!.write(KEEPALIVE.subarray(1))
  world.until(() => session.status.state !== 'established')
  assert.equal(session.status.prefixesReceived, 0, 'of the session that ended')
})

test('where the peer takes several paths our routes have identifiers, and its own have none', async () => {
  const families = [{ afi: 1, safi: 1, mode: 'receive' as const }]
  const { world, router, session } = await connected({ ...ours, addPath: true })
  const open = offeredOpen(theirs)
  router.wire = { ...PLAIN_WIRE, addPath: ['ipv4'] }
  router.stream!.write(encodeMessage({ ...open, capabilities: [...open.capabilities, { kind: 'add-path', families }] }))
  router.stream!.write(KEEPALIVE)
  session.announce([{ prefix: parsePrefix('203.0.113.7/32')!, attributes: { communities: [], paths: 2 } }])
  world.until(() => router.heard('update').length === 1)
  const [update] = router.heard('update')
  assert.ok(update?.kind === 'update')
  assert.deepEqual(
    update.nlri.map(one => `${formatPrefix(one)} ${one.pathId}`),
    ['203.0.113.7/32 1', '203.0.113.7/32 2'],
  )
  router.stream!.write(hex`${M} 0034 02 0000 0014 40010100 40020602010000fbf5 400304c0000201 18c00002 20c6336401`)
  world.until(() => session.status.prefixesReceived > 0)
  assert.deepEqual([session.status.prefixesReceived, session.status.malformedUpdates], [2, 0])
  assert.equal(session.status.state, 'established')
})

test('34: another AS is refused, and the pauses grow', async () => {
  const { world, router, told } = await connected()
  const wrong = encodeMessage(offeredOpen({ ...theirs, localAsn: 64502 }))
  const at: number[] = []
  for (let attempt = 1; attempt <= 4; attempt++) {
    world.until(() => router.connections === attempt && router.heard('open').length === attempt)
    router.stream!.write(wrong)
    world.until(() => router.heard('notification').length === attempt)
    at.push(world.clock.monotonic())
  }
  assert.deepEqual(encodeMessage(router.heard('notification')[0]!), hex`${M} 0015 03 02 02`)
  assert.match(told[0]!, /^failed: .*unexpected peer ASN 64502, want 64501$/)
  const gaps = at.slice(1).map((time, index) => time - at[index]!)
  assert.ok(gaps[0]! < 100 && gaps[1]! > 750 && gaps[1]! < 1100 && gaps[2]! > 1500 && gaps[2]! < 2100, gaps.join())
})

test('59: a peer that stops reading costs no memory, and is given up with 8/0', async () => {
  const { world, router, session, told } = await established({ ...ours, holdMs: 0 }, { ...theirs, holdMs: 0 })
  world.streams.stall(THEIRS, true)
  const many = Array.from({ length: 100_000 }, (_, index) => ({
    prefix: { family: 'ipv4' as const, network: 0x0a000000n + BigInt(index), length: 32 },
    attributes: { communities: [] },
  }))
  session.announce(many)
  world.clock.advance(10)
  const sent = session.status.sent.update
  assert.ok(sent >= 16 && sent < 20, `${sent} messages, then it waited`)
  session.replace([route('10.0.0.0/8')])
  world.clock.advance(470_000)
  assert.equal(session.status.sent.update, sent)
  assert.equal(session.status.state, 'established')
  world.until(() => told.length === 2)
  assert.match(told[1]!, /0x0800 \(Send Hold Timer Expired\)/)
  assert.equal(router.closed === undefined || router.closed.length > 0, true)
})

test('a peer that reads again gets what is true then', async () => {
  const { world, router, session } = await established({ ...ours, holdMs: 0 }, { ...theirs, holdMs: 0 })
  world.streams.stall(THEIRS, true)
  session.announce(
    Array.from({ length: 50_000 }, (_, index) => ({
      prefix: { family: 'ipv4' as const, network: 0x0a000000n + BigInt(index), length: 32 },
      attributes: { communities: [] },
    })),
  )
  world.clock.advance(10)
  session.replace([])
  world.streams.stall(THEIRS, false)
  world.until(() => session.status.told === 0 && router.heard('update').length === session.status.sent.update)
  const table = new Set<string>()
  for (const message of router.messages)
    if (message.kind === 'update') {
      for (const one of message.nlri) table.add(formatPrefix(one))
      for (const one of message.withdrawn) table.delete(formatPrefix(one))
    }
  assert.equal(table.size, 0)
})

test('BFD down is told with 6/10, and the session tries again', async () => {
  const { world, router, session, told } = await established()
  session.livenessLost()
  world.until(() => router.heard('notification').length === 1)
  assert.deepEqual(encodeMessage(router.heard('notification')[0]!), hex`${M} 0015 03 06 0a`)
  assert.equal(told[1], 'down: BFD session down')
  world.until(() => router.connections === 2)
})

const restart = { seconds: 120, restarting: true }
const ends: [
  name: string,
  farewell: Parameters<Session['stop']>[0],
  settings: Settings,
  peer: Settings,
  bytes?: Uint8Array,
][] = [
  [
    '55: shutdown',
    { kind: 'shutdown', text: 'node drain' },
    ours,
    theirs,
    hex`${M} 0020 03 06 02 0a 6e6f646520647261696e`,
  ],
  [
    'shutdown, the peer keeps routes over a restart',
    { kind: 'shutdown', text: 'node drain' },
    { ...ours, gracefulRestart: restart },
    { ...theirs, gracefulRestart: restart },
  ],
  ['110: deconfigured', { kind: 'deconfigured' }, ours, theirs, hex`${M} 0015 03 06 03`],
  [
    '110: deconfigured, the peer keeps routes over a NOTIFICATION',
    { kind: 'deconfigured' },
    { ...ours, gracefulRestart: restart },
    { ...theirs, gracefulRestart: restart },
    hex`${M} 0017 03 06 09 06 03`,
  ],
  ['reset', { kind: 'reset', text: '' }, ours, theirs, hex`${M} 0015 03 06 04`],
  ['reconfigured', { kind: 'reconfigured' }, ours, theirs, hex`${M} 0015 03 06 06`],
]
for (const [name, farewell, settings, peer, bytes] of ends)
  test(`stop, ${name}`, async () => {
    const { world, router, session } = await established(settings, peer)
    session.stop(farewell)
    world.until(() => router.closed !== undefined)
    assert.deepEqual(
      router.heard('notification').map(message => encodeMessage(message)),
      bytes ? [bytes] : [],
    )
    world.clock.advance(300_000)
    assert.equal(router.connections, 1)
    assert.equal(world.clock.armed, 0)
  })

test('66: the restart bit is set until the first session after it', async () => {
  const settings = { ...ours, gracefulRestart: restart }
  const { world, router, session } = await established(settings, { ...theirs, gracefulRestart: restart })
  router.stream!.destroy()
  world.until(() => router.heard('open').length === 2)
  const bits = router.heard('open').map(message => {
    assert.equal(message.kind, 'open')
    const capability = message.kind === 'open' && message.capabilities.find(one => one.kind === 'graceful restart')
    return capability ? capability.restarting : undefined
  })
  assert.deepEqual(bits, [true, false])
  session.stop({ kind: 'deconfigured' })
})

test('a peer that does not answer is dialled again and again', () => {
  const world = new World()
  world.streams.silent = true
  const { session, told } = world.session(OURS, THEIRS, ours)
  session.start()
  world.until(() => told.length === 3)
  assert.equal(told[2], 'failed: the peer did not answer in time')
  assert.ok(world.clock.monotonic() > 22_000 && world.clock.monotonic() <= 30_000)
  session.stop({ kind: 'deconfigured' })
  assert.equal(world.clock.armed, 0)
})

/** Two of ours, each of which dials and listens. */
async function pair(seed: number, changed: Partial<Settings> = {}, changedPeer: Partial<Settings> = changed) {
  const world = new World(seed)
  const left = world.session(OURS, THEIRS, { ...ours, listens: true, ...changed })
  const right = world.session(THEIRS, OURS, { ...theirs, listens: true, ...changedPeer })
  await world.listen(OURS, left.session)
  await world.listen(THEIRS, right.session)
  const bothUp = () => [left, right].every(({ session }) => session.status.state === 'established')
  return { world, left, right, bothUp }
}

test('60: where both dial at once, the connection of the higher identifier stays', async () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { world, left, right, bothUp } = await pair(seed)
    left.session.start()
    right.session.start()
    world.until(bothUp)
    world.clock.advance(5000)
    assert.ok(bothUp(), `seed ${seed}`)
    assert.equal(world.streams.connections, 1)
    assert.equal(left.session.status.local?.port, 40_000, 'that of 192.0.2.10')
    assert.deepEqual([left.told, right.told], [['up'], ['up']])
  }
})

test('one dials, one waits', async () => {
  const { world, left, right, bothUp } = await pair(3, { listens: false }, { passive: true, listens: true })
  right.session.start()
  left.session.start()
  world.until(bothUp)
  assert.equal(right.session.status.remote?.port, 40_000)
})

test('a session that is stopped accepts nothing', async () => {
  const { world, left, right } = await pair(3)
  left.session.start()
  world.clock.advance(200)
  assert.equal(left.session.status.state, 'active')
  assert.equal(right.session.status.state, 'idle')
  assert.equal(world.streams.connections, 0)
})

test('a peer that has restarted and connects anew replaces its old connection without a word', async () => {
  const gracefulRestart = { seconds: 120, restarting: true }
  const world = new World()
  const { session, told } = world.session(OURS, THEIRS, { ...ours, gracefulRestart, passive: true, listens: true })
  await world.listen(OURS, session)
  session.start()
  const callers = [new Router(), new Router()]
  for (const [index, caller] of callers.entries()) {
    const stream = world.streams.host(THEIRS).connect({ address: OURS, port: 179 }, caller.events)
    stream.write(encodeMessage(offeredOpen({ ...theirs, gracefulRestart })))
    stream.write(KEEPALIVE)
    world.until(() => session.status.establishedCount === index + 1)
  }
  world.clock.advance(100)
  assert.deepEqual(told, ['up', 'down: the peer has connected anew', 'up'])
  assert.equal(callers[0]!.closed, 'connection closed by peer')
  assert.equal(callers[1]!.closed, undefined)
  assert.equal(session.status.sent.notification, 0)
  assert.equal(session.status.sent.open, 2)
})

test('without graceful restart an established session turns new connections away', async () => {
  const { world, left, right, bothUp } = await pair(5, {}, { passive: true })
  right.session.start()
  left.session.start()
  world.until(bothUp)
  const caller = new Router()
  world.streams.host(OURS).connect({ address: THEIRS, port: 179 }, caller.events)
  world.until(() => caller.closed !== undefined)
  assert.ok(bothUp())
  assert.deepEqual(caller.messages, [])
})

test('the reasons that a session gives are those of its close', async () => {
  const { session, world, router } = await established()
  router.stream!.write(hex`${M} 0015 03 06 04`)
  world.until(() => session.status.lastClose !== undefined)
  const reason: CloseReason | undefined = session.status.lastClose?.reason
  assert.equal(reason?.kind, 'notification received')
  assert.equal(session.status.establishedCount, 1)
  assert.equal(session.status.establishedAtMs, undefined)
})

test('a dial that times out while the peer is here already is not repeated', async () => {
  const world = new World()
  const router = await world.router(THEIRS)
  const { session, told } = world.session(OURS, THEIRS, { ...ours, listens: true })
  await world.listen(OURS, session)
  world.streams.silent = true
  session.start()
  world.clock.advance(100)
  world.streams.silent = false
  const caller = new Router()
  const stream = world.streams.host(THEIRS).connect({ address: OURS, port: 179 }, caller.events)
  world.until(() => caller.heard('open').length === 1)
  world.clock.advance(20_000)
  assert.equal(router.connections, 0)
  stream.write(encodeMessage(offeredOpen(theirs)))
  stream.write(KEEPALIVE)
  world.until(() => session.status.state === 'established')
  assert.deepEqual(told, ['up'])
})

test('two of ours, cut off again and again, always find together and tell each other the same', async () => {
  for (let seed = 1; seed <= 30; seed++) await walk(seed)
})

/** A random walk: routes come and go, connections break, sessions stop and start; in the end all must be well. */
async function walk(seed: number): Promise<void> {
  const gracefulRestart = seed % 3 === 0 ? { seconds: 120, restarting: true } : undefined
  const changed = { gracefulRestart, extendedMessage: seed % 2 === 0 }
  const { world, left, right, bothUp } = await pair(seed, changed)
  const { random, clock, streams } = world
  const sides = [left.session, right.session]
  const routes = Array.from({ length: 40 }, (_, index) => route(`203.0.113.${index}/32`))
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.next() * from.length)]!
  const actions = [
    () => pick(sides).announce([pick(routes)]),
    () => pick(sides).withdraw([pick(routes).prefix]),
    () => pick(sides).complete(),
    () => streams.cut(),
    () => pick(sides).livenessLost(),
    () => pick(sides).stop({ kind: 'reset', text: 'again' }),
    () => pick(sides).start(),
    () => streams.stall(pick([OURS, THEIRS]), random.next() < 0.5),
  ]
  for (let turn = 0; turn < 60; turn++) {
    pick(actions)()
    clock.advance(Math.floor(random.next() * 3000))
    for (const session of sides) checkSession(session)
  }
  for (const address of [OURS, THEIRS]) streams.stall(address, false)
  for (const session of sides) session.start()
  world.until(bothUp, 400_000)
  clock.advance(40_000)
  assert.ok(bothUp(), `seed ${seed}`)
  assert.equal(streams.connections, 1, `seed ${seed}`)
  for (const { status } of sides) assert.equal(status.told, status.wanted)
  for (const session of sides) session.stop({ kind: 'deconfigured' })
  clock.advance(1000)
  assert.deepEqual([clock.armed, streams.connections], [0, 0], `seed ${seed}: nothing is left behind`)
}

function checkSession({ status }: Session): void {
  const up = status.state === 'established'
  assert.equal(status.establishedAtMs !== undefined, up)
  assert.equal(status.agreed !== undefined, up || status.state === 'open confirm')
  if (!up) assert.equal(status.told, 0)
}
