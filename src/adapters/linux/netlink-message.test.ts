import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../../core/ip/index.ts'
import { hex } from '../../testing/hex.ts'
import { InterfaceTable } from './interface-table.ts'
import { dumpRequest, type NetlinkMessage, parseNetlink } from './netlink-message.ts'

// Heard from Linux 6.18 on x86-64, cut to the attributes that are read and a few that are not.
const up = hex`4c000000 1000 0000 00000000 00000000   # length 76, RTM_NEWLINK
               00 00 0100 02000000 43100100 01000000  # any family, Ethernet, index 2, UP|BROADCAST|RUNNING|LOWER_UP
               0700 0300 653000 00                    # name e0
               0800 0d00 e8030000                     # transmit queue
               0500 1000 06 000000                    # operational state
               0a00 0100 d24db5661e3c 0000            # MAC
               0800 0a00 03000000                     # master 3`
const bridgePort = hex`4c000000 1100 0000 00000000 00000000 07 00 0100 02000000 43100100 00000000  # RTM_DELLINK, AF_BRIDGE
                       0700 0300 653000 00 0800 0a00 03000000 0800 0400 dc050000 0500 1000 06 000000 0a00 0100 d24db5661e3c 0000`
const gone = hex`28000000 1100 0000 00000000 00000000 00 00 0100 03000000 02100000 ffffffff 0800 0300 62723700`
const wireless = hex`2e000000 1000 0000 00000000 00000000 00 00 0100 02000000 43100100 00000000 0700 0300 653000 00 0600 0b00 ffff`
const tunnel = hex`30000000 1000 0000 00000000 00000000 00 00 0003 09000000 c1000000 00000000  # ARPHRD_TUNNEL, UP|NOARP
                   0700 0300 743000 00 0800 0100 0a000001`
const address4 = hex`4c000000 1400 0000 0831056b 57680000  # RTM_NEWADDR
                     02 18 80 00 02000000               # IPv4, /24, permanent, index 2
                     0800 0100 0a4d0009                 # the peer's, which differs on point-to-point links
                     0800 0200 0a4d0003                 # ours
                     0700 0300 653000 00
                     0800 0800 80000000
                     1400 0600 ffffffffffffffff8c9703008c970300`
const address6 = (flags: string) => hex`34000000 1400 0000 00000000 00000000 0a 40 80 fd 02000000
                     1400 0100 fe80000000000000004200fffe110002
                     0800 0800 ${flags}0000 00`
const done = hex`14000000 0300 1200 01000000 00000000 00000000`
const refused = hex`24000000 0200 0000 01000000 00000000 ffffffff 14000000 1200 0103 01000000 00000000`

const e0 = { index: 2, name: 'e0', mac: 'd2:4d:b5:66:1e:3c', up: true, carrier: true, broadcast: true, noArp: false }
const place4 = { index: 2, address: parseAddress('10.77.0.3'), length: 24 }
const place6 = { index: 2, address: parseAddress('fe80::42:ff:fe11:2'), length: 64 }
const cases: [name: string, bytes: Uint8Array, messages: unknown[]][] = [
  ['a link', up, [{ kind: 'link', link: { ...e0, master: 3 } }]],
  ['a link that is gone', gone, [{ kind: 'link gone', index: 3 }]],
  ['a port that left its bridge, which is no link that is gone', bridgePort, []],
  ['a wireless event, which says nothing about the link', wireless, []],
  [
    'a link that is not Ethernet has no MAC',
    tunnel,
    [{ kind: 'link', link: { index: 9, name: 't0', up: true, carrier: false, broadcast: false, noArp: true } }],
  ],
  ['an IPv4 address', address4, [{ kind: 'address', ...place4 }]],
  ['an IPv4 address removed', address4.with(4, 21), [{ kind: 'address gone', ...place4 }]],
  ['an IPv6 address', address6('80'), [{ kind: 'address', ...place6 }]],
  ['a tentative IPv6 address is not there yet', address6('c0'), [{ kind: 'address gone', ...place6 }]],
  ['a duplicate IPv6 address is not there at all', address6('88'), [{ kind: 'address gone', ...place6 }]],
  ['the end of a dump that was interrupted', done, [{ kind: 'done', interrupted: true }]],
  ['the end of a dump', done.with(6, 2), [{ kind: 'done', interrupted: false }]],
  ['an error', refused, [{ kind: 'error', errno: 1 }]],
  [
    'two messages',
    Uint8Array.of(...gone, ...done),
    [
      { kind: 'link gone', index: 3 },
      { kind: 'done', interrupted: true },
    ],
  ],
  ['a message of another kind', up.with(4, 24), []],
]
for (const [name, bytes, messages] of cases) {
  test(name, () => assert.deepEqual(parseNetlink(bytes, true), messages))
  test(`${name}, cut anywhere, gives at most what came before`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      const parsed = parseNetlink(bytes.slice(0, cut), true)
      assert.deepEqual(parsed, messages.slice(0, parsed.length))
    }
  })
}

test('an attribute longer than its message ends the list; those before it count', () => {
  const { mac: _, ...rest } = e0
  assert.deepEqual(parseNetlink(up.with(56, 200), true), [{ kind: 'link', link: rest }])
})

test('any bytes give messages or none, never an error', () => {
  const messy = fc
    .tuple(fc.constantFrom(up, gone, address4, done), fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 6 }))
    .map(([bytes, changes]) =>
      changes.reduce((bytes, [at, value]) => (at < bytes.length ? bytes.with(at, value) : bytes), bytes),
    )
  fc.assert(
    fc.property(fc.oneof(messy, fc.uint8Array()), bytes => void parseNetlink(bytes, true)),
    { numRuns: 2000 },
  )
})

test('big-endian machines', () => {
  const bytes = hex`00000028 0011 0000 00000000 00000000 00 00 0001 00000003 00001002 ffffffff 0008 0003 62723700`
  assert.deepEqual(parseNetlink(bytes, false), [{ kind: 'link gone', index: 3 }])
})

test('dump requests', () => {
  assert.deepEqual(dumpRequest('links', 7, true), hex`20000000 1200 0103 07000000 00000000 ${'00'.repeat(16)}`)
  assert.deepEqual(dumpRequest('addresses', 8, true), hex`20000000 1600 0103 08000000 00000000 ${'00'.repeat(16)}`)
})

test('a table of interfaces follows what it is told', () => {
  const table = new InterfaceTable()
  const hear = (...datagrams: Uint8Array[]) => {
    for (const datagram of datagrams) for (const message of parseNetlink(datagram, true)) table.apply(message)
    return table.list().map(({ name, addresses }) => `${name} ${addresses.length}`)
  }
  assert.deepEqual(hear(address4), [], 'an address of a link not heard of')
  assert.deepEqual(hear(up), ['e0 1'])
  assert.deepEqual(hear(address4, address6('80')), ['e0 2'], 'an address told twice is one')
  hear(address4)
  assert.deepEqual(
    table.list()[0]!.addresses.map(({ address }) => address.family),
    ['ipv4', 'ipv6'],
    'and keeps its place',
  )
  assert.deepEqual(hear(tunnel), ['e0 2', 't0 0'])
  assert.deepEqual(hear(bridgePort, wireless), ['e0 2', 't0 0'])
  assert.deepEqual(hear(address4.with(4, 21)), ['e0 1', 't0 0'])
  const e0Gone: NetlinkMessage = { kind: 'link gone', index: 2 }
  table.apply(e0Gone)
  assert.deepEqual(hear(up), ['e0 0', 't0 0'], 'addresses go with their link')
})
