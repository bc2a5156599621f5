import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Family, formatPrefix, type Prefix, parseAddress, parsePrefix } from '../../../core/ip/index.ts'
import { ourSettings, theirOpen } from '../../../testing/bgp-settings.ts'
import { endOfRib } from '../../../testing/end-of-rib.ts'
import { hex } from '../../../testing/hex.ts'
import { encodeMessage, type RouteRefresh, type Update } from '../message/index.ts'
import { type Agreed, agree } from '../negotiation.ts'
import { type LocalAddresses, Outbound, type Route } from './index.ts'
import type { RouteAttributes } from './route.ts'

const ip = (text: string) => parseAddress(text)!
const prefix = (text: string) => parsePrefix(text)!
const plain: RouteAttributes = { communities: [] }
const route = (text: string, attributes: RouteAttributes = plain): Route => ({ prefix: prefix(text), attributes })
const community = (a: number, b: number) => ({ kind: 'standard', parts: [a, b] }) as const
const overIPv4: LocalAddresses = { connection: ip('192.0.2.10'), ipv6: ip('2001:db8:1::10') }
const M = 'ffffffffffffffffffffffffffffffff'

const settings = ourSettings({ extendedNextHop: true })
const agreedOn = (changed: Partial<Agreed> = {}): Agreed => ({
  ...agree(settings, theirOpen({ extendedNextHop: true })),
  ...changed,
})
const wire = agreedOn().wire
const internal = agreedOn({ internal: true, wire: { ...wire, internal: true } })
const twoByte = agreedOn({ wire: { ...wire, asnBytes: 2 } })

function opened(agreed = agreedOn(), local = overIPv4, localAsn = 64500): Outbound {
  const outbound = new Outbound({ localAsn, defaultLocalPref: 100 })
  outbound.open(agreed, local)
  return outbound
}

function drain(outbound: Outbound): (Update | RouteRefresh)[] {
  const messages: (Update | RouteRefresh)[] = []
  for (let next = outbound.next(); next !== undefined; next = outbound.next()) messages.push(next)
  return messages
}

/** The peer's table after the messages, as text. */
class Peer {
  readonly table = new Map<string, string>()
  readonly ended = new Set<Family>()

  hear(messages: readonly (Update | RouteRefresh)[]): void {
    for (const message of messages) if (message.kind === 'update') this.#hear(message)
  }

  #hear(update: Update): void {
    const family = endOfRib(update)
    if (family !== undefined) this.ended.add(family)
    const path = update.attributes.filter(
      ({ kind }) => kind !== 'mp reach' && kind !== 'mp unreach' && kind !== 'next hop',
    )
    for (const one of update.withdrawn) this.table.delete(formatPrefix(one))
    for (const one of update.nlri) this.table.set(formatPrefix(one), JSON.stringify(path))
    for (const attribute of update.attributes)
      if (attribute.kind === 'mp unreach') for (const one of attribute.nlri) this.table.delete(formatPrefix(one))
      else if (attribute.kind === 'mp reach')
        for (const one of attribute.nlri) this.table.set(formatPrefix(one), JSON.stringify(path))
  }
}

test('25: another local preference is one UPDATE a prefix to internal peers, and none to external ones', () => {
  for (const [agreed, updates] of [
    [internal, 1],
    [agreedOn(), 0],
  ] as const) {
    const outbound = opened(agreed)
    outbound.announce([route('203.0.113.7/32', { communities: [], localPref: 100 }), route('203.0.113.9/32')])
    drain(outbound)
    outbound.announce([route('203.0.113.7/32', { communities: [], localPref: 150 })])
    assert.equal(drain(outbound).length, updates)
    outbound.announce([route('203.0.113.9/32', { communities: [], localPref: 100 })])
    assert.deepEqual(drain(outbound), [], 'what was the default is now said')
    outbound.open(internal, overIPv4)
    const again = drain(outbound).map(message => encodeMessage(message).toString())
    assert.ok(
      again.some(bytes => bytes.includes('64,5,4,0,0,0,150')),
      'the next session tells the new one',
    )
  }
})

const wireExamples: [
  name: string,
  route: Route,
  bytes: Uint8Array,
  agreed?: Agreed,
  local?: LocalAddresses,
  asn?: number,
][] = [
  [
    '36: to an external peer',
    route('203.0.113.7/32', { communities: [community(64500, 100)] }),
    hex`${M} 0037 02 0000 001b 40010100 40020602010000fbf4 400304c000020a c00804fbf40064 20cb007107`,
  ],
  [
    '37: to a peer with two-byte AS numbers',
    route('203.0.113.0/24'),
    hex`${M} 002d 02 0000 0012 40010100 4002040201fbf4 400304c000020a 18cb0071`,
    twoByte,
  ],
  [
    '38: to an internal peer',
    route('203.0.113.7/32', { communities: [], localPref: 150 }),
    hex`${M} 0031 02 0000 0015 40010100 400200 400304c000020a 40050400000096 20cb007107`,
    internal,
  ],
  [
    'to an internal peer, no preference given',
    route('203.0.113.7/32'),
    hex`${M} 0031 02 0000 0015 40010100 400200 400304c000020a 40050400000064 20cb007107`,
    internal,
  ],
  [
    '39: communities in order',
    route('198.51.100.0/24', {
      localPref: 100,
      communities: [community(64500, 200), community(65535, 65281), community(64500, 100)],
    }),
    hex`${M} 003f 02 0000 0024 40010100 400200 400304c000020a 40050400000064 c0080cfbf40064fbf400c8ffffff01 18c63364`,
    internal,
  ],
  [
    '40: a large AS and a peer with two-byte AS numbers',
    route('203.0.113.7/32'),
    hex`${M} 0037 02 0000 001b 40010100 40020402015ba0 400304c000020b c011060201fa56ea7b 20cb007107`,
    twoByte,
    { connection: ip('192.0.2.11') },
    4200000123,
  ],
  [
    '45: large communities',
    route('203.0.113.8/32', {
      communities: [
        { kind: 'large', parts: [64500, 1, 3] },
        { kind: 'large', parts: [64500, 1, 2] },
      ],
    }),
    hex`${M} 004b 02 0000 002f 40010100 40020602010000fbf4 400304c000020a
      c020180000fbf400000001000000020000fbf40000000100000003 20cb007108`,
  ],
  [
    '47: IPv6 over IPv4',
    route('2001:db8:beef::7/128'),
    hex`${M} 004d 02 0000 0036 800e2600020110 20010db8000100000000000000000010 00 8020010db8beef00000000000000000007
      40010100 40020602010000fbf4`,
  ],
  [
    '48: IPv6 on one link',
    route('2001:db8:beef::/64'),
    hex`${M} 0055 02 0000 003e 800e2e00020120 20010db8000100000000000000000010 fe80000000000000000000000000000a 00
      4020010db8beef0000 40010100 40020602010000fbf4`,
    agreedOn(),
    { connection: ip('2001:db8:1::10'), linkLocal: ip('fe80::a') },
  ],
  [
    '49: IPv4 with an IPv6 next hop',
    route('203.0.113.9/32'),
    hex`${M} 0041 02 0000 002a 800e1a00010110 20010db8000100000000000000000010 00 20cb007109 40010100 40020602010000fbf4`,
    agreedOn(),
    { connection: ip('2001:db8:1::10') },
  ],
  [
    'IPv4 on an unnumbered link: the link-local address twice',
    route('203.0.113.9/32'),
    hex`${M} 0051 02 0000 003a 800e2a00010120 fe80000000000000000000000000000a fe80000000000000000000000000000a 00
      20cb007109 40010100 40020602010000fbf4`,
    agreedOn(),
    { connection: ip('fe80::a') },
  ],
  [
    'MED, prepend and link bandwidth',
    route('203.0.113.7/32', { communities: [], med: 7, prepend: 1, linkBandwidth: 125_000_000 }),
    hex`${M} 0046 02 0000 002a 40010100 40020a02020000fbf40000fbf4 400304c000020a 80040400000007 c010084004fbf44cee6b28
      20cb007107`,
  ],
  [
    'to a customer, a peer or an RS client (RFC 9234 section 5)',
    route('203.0.113.7/32'),
    hex`${M} 0037 02 0000 001b 40010100 40020602010000fbf4 400304c000020a c023040000fbf4 20cb007107`,
    agreedOn({ onlyToCustomer: true }),
  ],
]

for (const [name, one, bytes, agreed = agreedOn(), local = overIPv4, asn = 64500] of wireExamples)
  test(name, () => {
    const outbound = opened(agreed, local, asn)
    outbound.announce([one])
    assert.deepEqual(
      drain(outbound).map(message => encodeMessage(message, agreed.wire)),
      [bytes],
    )
  })

const notSent: [name: string, prefix: string, why: RegExp, local: LocalAddresses, agreed: Agreed][] = [
  [
    '64: no global IPv6 address',
    '2001:db8::/64',
    /no global IPv6 address/,
    { connection: ip('192.0.2.10') },
    agreedOn(),
  ],
  [
    'IPv4 over IPv6 without RFC 8950',
    '192.0.2.0/24',
    /RFC 8950/,
    { connection: ip('2001:db8::1') },
    agreedOn({ extendedNextHop: false }),
  ],
  ['a family not agreed on', '2001:db8::/64', /not agreed on/, overIPv4, agreedOn({ families: ['ipv4'] })],
]
for (const [name, text, why, local, agreed] of notSent)
  test(`${name}: the route stays here, and the reason is told`, () => {
    const outbound = opened(agreed, local)
    outbound.announce([route(text)])
    assert.deepEqual(drain(outbound), [])
    assert.match(outbound.reasonNotSent(prefix(text))!, why)
    assert.deepEqual([outbound.wanted, outbound.told], [1, 0])
  })

test('IPv4 over IPv6 without RFC 8950 goes by the IPv4 address of the interface', () => {
  const local = { connection: ip('2001:db8::1'), ipv4: ip('192.0.2.10') }
  const outbound = opened(agreedOn({ extendedNextHop: false }), local)
  outbound.announce([route('203.0.113.7/32')])
  const [update] = drain(outbound) as Update[]
  assert.deepEqual(update!.attributes[2], { kind: 'next hop', address: ip('192.0.2.10') })
})

const hosts = (count: number): Prefix[] =>
  Array.from({ length: count }, (_, index) => ({ family: 'ipv4', network: 0x0a000000n + BigInt(index), length: 32 }))

test('10,000 host routes take less than 1/50 of the messages, none above 4096 bytes', () => {
  const outbound = opened()
  outbound.announce(hosts(10_000).map(one => ({ prefix: one, attributes: plain })))
  const messages = drain(outbound)
  assert.ok(messages.length < 10_000 / 50, `${messages.length} messages`)
  assert.equal(messages.length, 13)
  const sizes = messages.map(message => encodeMessage(message, wire).length)
  assert.ok(Math.max(...sizes) <= 4096 && Math.min(...sizes.slice(0, -1)) > 4096 - 6, sizes.join())
  assert.equal(outbound.told, 10_000)
})

test('with RFC 8654 they take one message', () => {
  const outbound = opened(agreedOn({ extendedMessage: true }))
  outbound.announce(hosts(10_000).map(one => ({ prefix: one, attributes: plain })))
  assert.deepEqual(
    drain(outbound).map(message => encodeMessage(message, wire).length <= 65535),
    [true],
  )
})

test('43: a thousand withdrawals take two messages, 814 and 186', () => {
  const outbound = opened()
  outbound.announce(hosts(1000).map(one => ({ prefix: one, attributes: plain })))
  drain(outbound)
  outbound.withdraw(hosts(1000))
  const messages = drain(outbound) as Update[]
  assert.deepEqual(
    messages.map(message => message.withdrawn.length),
    [814, 186],
  )
  assert.ok(messages.every(message => encodeMessage(message, wire).length <= 4096))
})

test('withdrawals come first, then one message for each set of attributes', () => {
  const outbound = opened()
  const marked = { communities: [community(64500, 1)] }
  outbound.replace([route('10.0.0.1/32'), route('10.0.0.2/32'), route('10.0.0.3/32', marked)])
  drain(outbound)
  outbound.replace([
    route('10.0.0.2/32', marked),
    route('10.0.0.3/32', marked),
    route('10.0.0.4/32', { ...marked }),
    route('10.0.0.5/32'),
  ])
  const told = (drain(outbound) as Update[]).map(({ withdrawn, nlri }) => [
    withdrawn.map(formatPrefix),
    nlri.map(formatPrefix),
  ])
  assert.deepEqual(told, [
    [['10.0.0.1/32'], []],
    [[], ['10.0.0.2/32', '10.0.0.4/32']],
    [[], ['10.0.0.5/32']],
  ])
})

test('what did not change is not sent again', () => {
  const outbound = opened()
  outbound.replace([route('10.0.0.1/32', { communities: [community(1, 2), community(1, 1)] })])
  drain(outbound)
  outbound.replace([route('10.0.0.1/32', { communities: [community(1, 1), community(1, 2)] })])
  outbound.withdraw([prefix('10.0.0.1/32')])
  outbound.announce([route('10.0.0.1/32', { communities: [community(1, 1), community(1, 2)] })])
  assert.deepEqual(drain(outbound), [])
})

test('66: End-of-RIB of each family comes after all routes, and not before they are complete', () => {
  const outbound = opened()
  outbound.announce([route('10.0.0.1/32')])
  assert.equal(drain(outbound).length, 1)
  outbound.announce([route('10.0.0.2/32')])
  outbound.complete()
  const messages = drain(outbound) as Update[]
  assert.deepEqual(messages.map(endOfRib), [undefined, 'ipv4', 'ipv6'])
  outbound.announce([route('10.0.0.3/32')])
  assert.equal(drain(outbound).length, 1)
  outbound.open(agreedOn(), overIPv4)
  assert.deepEqual((drain(outbound) as Update[]).map(endOfRib), [undefined, 'ipv4', 'ipv6'])
})

const request = (family: 1 | 2, subtype = 0): RouteRefresh => ({ kind: 'route refresh', afi: family, safi: 1, subtype })

test('52: a refresh sends the family again, between its marks', () => {
  const outbound = opened()
  outbound.complete()
  outbound.announce([route('10.0.0.1/32'), route('10.0.0.2/32'), route('2001:db8::1/128')])
  drain(outbound)
  outbound.refresh(request(1))
  outbound.withdraw([prefix('10.0.0.2/32')])
  const messages = drain(outbound)
  assert.deepEqual(
    messages.map(message =>
      message.kind === 'update' ? [message.withdrawn.length, message.nlri.length] : message.subtype,
    ),
    [1, [1, 0], [0, 1], 2],
  )
  for (const ignored of [request(1, 1), request(1, 2), { ...request(1), safi: 2 }, { ...request(1), afi: 25 }])
    outbound.refresh(ignored)
  assert.deepEqual(drain(outbound), [])
})

test('a refresh without RFC 7313, or before End-of-RIB, has no marks', () => {
  const old = opened(agreedOn({ wire: { ...wire, enhancedRefresh: false } }))
  old.complete()
  const early = opened()
  for (const outbound of [old, early]) {
    outbound.announce([route('10.0.0.1/32')])
    drain(outbound)
    outbound.refresh(request(1))
    assert.deepEqual(
      drain(outbound).map(message => message.kind),
      ['update'],
    )
  }
})

test('routes changed while messages wait are told as they are now, once', () => {
  const outbound = opened()
  outbound.announce(hosts(2000).map(one => ({ prefix: one, attributes: plain })))
  const peer = new Peer()
  peer.hear([outbound.next()!])
  outbound.withdraw(hosts(1500))
  outbound.announce([route('10.0.7.200/32', { communities: [community(1, 1)] })])
  const messages = drain(outbound) as Update[]
  peer.hear(messages)
  assert.equal(peer.table.size, 500)
  assert.match(peer.table.get('10.0.7.200/32')!, /communities/)
  const told = messages.flatMap(message => message.nlri.map(formatPrefix))
  assert.equal(told.filter(text => text === '10.0.7.200/32').length, 1)
})

test('a withdrawal that waits does not interrupt a route that is back', () => {
  const outbound = opened()
  outbound.announce(hosts(1000).map(one => ({ prefix: one, attributes: plain })))
  drain(outbound)
  outbound.withdraw(hosts(1000))
  outbound.next()
  outbound.announce([route('10.0.3.231/32')])
  const messages = drain(outbound) as Update[]
  assert.deepEqual(
    messages.map(({ withdrawn, nlri }) => [withdrawn.length, nlri.length]),
    [[185, 0]],
  )
})

test('attributes that fit no message are not sent, and an older form of the route goes', () => {
  const outbound = opened()
  const peer = new Peer()
  outbound.complete()
  outbound.announce([route('10.0.0.1/32'), route('10.0.0.2/32')])
  peer.hear(drain(outbound))
  const communities = Array.from({ length: 1100 }, (_, index) => community(1, index))
  outbound.announce([route('10.0.0.1/32', { communities })])
  peer.hear(drain(outbound))
  assert.deepEqual([...peer.table.keys()], ['10.0.0.2/32'])
  assert.match(outbound.reasonNotSent(prefix('10.0.0.1/32'))!, /do not fit/)
  outbound.announce([route('10.0.0.1/32')])
  peer.hear(drain(outbound))
  assert.equal(peer.table.size, 2)
})

test('while there is no session nothing is gathered', () => {
  const outbound = new Outbound({ localAsn: 1, defaultLocalPref: 100 })
  outbound.announce([route('10.0.0.1/32')])
  assert.equal(outbound.next(), undefined)
  assert.equal(outbound.reasonNotSent(prefix('10.0.0.1/32')), 'the session is not established')
})

test('whatever happens in between, in the end the peer knows what it should', () => {
  const prefixes = ['10.0.0.0/24', '10.0.0.1/32', '10.0.1.0/24', '2001:db8::/64', '2001:db8::1/128'].map(prefix)
  const sets: RouteAttributes[] = [plain, { communities: [community(1, 1)] }, { communities: [], med: 5 }]
  const index = fc.nat({ max: prefixes.length - 1 })
  const action = fc.oneof(
    fc.record({ kind: fc.constant('announce' as const), index, set: fc.nat({ max: sets.length - 1 }) }),
    fc.record({ kind: fc.constant('withdraw' as const), index }),
    fc.record({ kind: fc.constant('send' as const), count: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant('refresh' as const), family: fc.constantFrom(1 as const, 2 as const) }),
    fc.record({ kind: fc.constant('reset' as const) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), actions => {
      const outbound = opened()
      let peer = new Peer()
      const wanted = new Map<string, RouteAttributes>()
      for (const one of actions)
        if (one.kind === 'announce') {
          wanted.set(formatPrefix(prefixes[one.index]!), sets[one.set]!)
          outbound.announce([{ prefix: prefixes[one.index]!, attributes: sets[one.set]! }])
        } else if (one.kind === 'withdraw') {
          wanted.delete(formatPrefix(prefixes[one.index]!))
          outbound.withdraw([prefixes[one.index]!])
        } else if (one.kind === 'refresh') outbound.refresh(request(one.family))
        else if (one.kind === 'reset') {
          peer = new Peer()
          outbound.open(agreedOn(), overIPv4)
        } else
          for (let sent = 0; sent < one.count; sent++)
            peer.hear([outbound.next()].filter(message => message !== undefined))
      outbound.complete()
      peer.hear(drain(outbound))
      const alone = new Peer()
      const fresh = opened()
      fresh.announce(Array.from(wanted, ([text, attributes]) => route(text, attributes)))
      alone.hear(drain(fresh))
      assert.deepEqual(new Map([...peer.table].sort()), new Map([...alone.table].sort()))
      assert.deepEqual(peer.ended, new Set(['ipv4', 'ipv6']))
      assert.equal(outbound.told, wanted.size)
    }),
    { numRuns: 300 },
  )
})
