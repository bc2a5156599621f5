import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressFromBytes, parseAddress, parsePrefix } from '../../../core/ip/index.ts'
import { hex } from '../../../testing/hex.ts'
import type { Attribute } from '../attribute/index.ts'
import { BgpError, type BgpErrorCode } from '../errors.ts'
import { Framer } from '../framing.ts'
import { cease, hardReset } from '../notification.ts'
import { PLAIN_WIRE, type Wire } from '../wire.ts'
import { decodeMessage, encodeMessage, endOfRibUpdate, type Message } from './index.ts'

const M = 'ffffffffffffffffffffffffffffffff'
const ip = (text: string) => parseAddress(text)!
const prefix = (text: string) => parsePrefix(text)!
const asPath = (...asns: number[]): Attribute => ({
  kind: 'as path',
  segments: asns.length > 0 ? [{ kind: 'sequence', asns }] : [],
})
const igp = { kind: 'origin', origin: 'igp' } as const
const nextHop = (text: string) => ({ kind: 'next hop', address: ip(text) }) as const
const v4 = { afi: 1, safi: 1 }
const v6 = { afi: 2, safi: 1 }
const families = [
  { kind: 'multiprotocol', ...v4 },
  { kind: 'multiprotocol', ...v6 },
] as const
const internal = { ...PLAIN_WIRE, internal: true }
const twoByte: Wire = { ...PLAIN_WIRE, asnBytes: 2 }

/** Numbers are those of chapter 04 section 8.2. */
const cases: { name: string; message: Message; bytes: Uint8Array; wire?: Wire }[] = [
  {
    name: '27: OPEN',
    message: {
      kind: 'open',
      myAs: 64500,
      holdTime: 90,
      identifier: ip('192.0.2.10'),
      capabilities: [...families, { kind: 'four-octet AS', asn: 64500 }],
    },
    bytes: hex`${M} 0031 01
      04 fbf4 005a c000020a     # version, AS, hold time, identifier
      14 02 12                  # 20 bytes of parameters: capabilities, 18 bytes
      01 04 0001 00 01          # multiprotocol: IPv4 unicast
      01 04 0002 00 01          # multiprotocol: IPv6 unicast
      41 04 0000fbf4            # four-octet AS`,
  },
  {
    name: '28: OPEN of a four-octet AS',
    message: {
      kind: 'open',
      myAs: 23456,
      holdTime: 180,
      identifier: ip('192.0.2.11'),
      capabilities: [...families, { kind: 'four-octet AS', asn: 4200000123 }],
    },
    bytes: hex`${M} 0031 01 04 5ba0 00b4 c000020b 14 0212 010400010001 010400020001 4104fa56ea7b`,
  },
  {
    name: '32: OPEN without parameters',
    message: { kind: 'open', myAs: 64501, holdTime: 90, identifier: ip('192.0.2.1'), capabilities: [] },
    bytes: hex`${M} 001d 01 04 fbf5 005a c0000201 00`,
  },
  {
    name: '51: OPEN with everything',
    message: {
      kind: 'open',
      myAs: 64500,
      holdTime: 90,
      identifier: ip('192.0.2.10'),
      capabilities: [
        ...families,
        { kind: 'route refresh' },
        { kind: 'extended next hop', families: [{ ...v4, nextHopAfi: 2 }] },
        { kind: 'extended message' },
        {
          kind: 'graceful restart',
          restarting: true,
          notification: true,
          seconds: 120,
          families: [
            { ...v4, forwarding: true },
            { ...v6, forwarding: true },
          ],
        },
        { kind: 'four-octet AS', asn: 64500 },
        { kind: 'enhanced route refresh' },
        {
          kind: 'long-lived graceful restart',
          families: [
            { ...v4, forwarding: true, staleSeconds: 3600 },
            { ...v6, forwarding: true, staleSeconds: 3600 },
          ],
        },
        { kind: 'FQDN', host: 'node-1', domain: '' },
      ],
    },
    bytes: hex`${M} 0065 01 04 fbf4 005a c000020a 48 02 46
      01 04 0001 00 01   01 04 0002 00 01
      02 00                              # route refresh
      05 06 0001 0001 0002               # extended next hop: IPv4 unicast over IPv6
      06 00                              # extended message
      40 0a c078                         # graceful restart: R, N, 120 s
            0001 01 80  0002 01 80       #   IPv4 and IPv6, forwarding kept
      41 04 0000fbf4                     # four-octet AS
      46 00                              # enhanced route refresh
      47 0e 0001 01 80 000e10            # long-lived: 3600 s
            0002 01 80 000e10
      49 08 06 6e6f64652d31 00           # FQDN`,
  },
  {
    name: 'OPEN with a role, add-path and a capability nobody knows',
    message: {
      kind: 'open',
      myAs: 64500,
      holdTime: 0,
      identifier: ip('192.0.2.10'),
      capabilities: [
        { kind: 'role', value: 3 },
        {
          kind: 'add-path',
          families: [
            { ...v4, mode: 'send' },
            { ...v6, mode: 'both' },
          ],
        },
        { kind: 'unknown', code: 128, value: new Uint8Array() },
        { kind: 'unknown', code: 200, value: Uint8Array.of(1, 2, 3) },
      ],
    },
    bytes: hex`${M} 0033 01 04 fbf4 0000 c000020a 16 02 14
      09 01 03                           # role: customer
      45 08 0001 01 02  0002 01 03       # add-path: send IPv4, both IPv6
      80 00                              # route refresh before RFC 2918
      c8 03 010203`,
  },
  { name: '30: KEEPALIVE', message: { kind: 'keepalive' }, bytes: hex`${M} 0013 04` },
  {
    name: '36: UPDATE to an external peer',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [igp, asPath(64500), nextHop('192.0.2.10'), { kind: 'communities', values: [64500 * 65536 + 100] }],
      nlri: [prefix('203.0.113.7/32')],
    },
    bytes: hex`${M} 0037 02
      0000                      # no withdrawn routes
      001b                      # 27 bytes of attributes
      40 01 01 00               # ORIGIN IGP
      40 02 06 02 01 0000fbf4   # AS_PATH: a sequence of one
      40 03 04 c000020a         # NEXT_HOP
      c0 08 04 fbf40064         # COMMUNITIES
      20 cb007107               # 203.0.113.7/32`,
  },
  {
    name: '37: UPDATE to a peer with two-byte AS numbers',
    wire: twoByte,
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [igp, asPath(64500), nextHop('192.0.2.10')],
      nlri: [prefix('203.0.113.0/24')],
    },
    bytes: hex`${M} 002d 02 0000 0012 40010100 4002040201fbf4 400304c000020a 18cb0071`,
  },
  {
    name: '38: UPDATE to an internal peer',
    wire: internal,
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [igp, asPath(), nextHop('192.0.2.10'), { kind: 'local pref', value: 150 }],
      nlri: [prefix('203.0.113.7/32')],
    },
    bytes: hex`${M} 0031 02 0000 0015 40010100 400200 400304c000020a 40050400000096 20cb007107`,
  },
  {
    name: '39: UPDATE with three communities',
    wire: internal,
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        igp,
        asPath(),
        nextHop('192.0.2.10'),
        { kind: 'local pref', value: 100 },
        { kind: 'communities', values: [0xfbf40064, 0xfbf400c8, 0xffffff01] },
      ],
      nlri: [prefix('198.51.100.0/24')],
    },
    bytes: hex`${M} 003f 02 0000 0024 40010100 400200 400304c000020a 40050400000064 c0080cfbf40064fbf400c8ffffff01 18c63364`,
  },
  {
    name: '40: UPDATE with AS_TRANS and AS4_PATH',
    wire: twoByte,
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        igp,
        asPath(23456),
        nextHop('192.0.2.11'),
        { kind: 'as4 path', segments: [{ kind: 'sequence', asns: [4200000123] }] },
      ],
      nlri: [prefix('203.0.113.7/32')],
    },
    bytes: hex`${M} 0037 02 0000 001b 40010100 40020402015ba0 400304c000020b c011060201fa56ea7b 20cb007107`,
  },
  {
    name: '41: prefixes of every kind of length',
    message: {
      kind: 'update',
      withdrawn: ['10.20.16.0/20', '10.20.128.0/17', '0.0.0.0/0'].map(prefix),
      attributes: [],
      nlri: [],
    },
    bytes: hex`${M} 0020 02 0009 14 0a1410  11 0a1480  00 0000`,
  },
  {
    name: '42: withdrawal',
    message: {
      kind: 'update',
      withdrawn: ['203.0.113.7/32', '203.0.113.0/24'].map(prefix),
      attributes: [],
      nlri: [],
    },
    bytes: hex`${M} 0020 02 0009 20cb007107 18cb0071 0000`,
  },
  { name: '44: End-of-RIB of IPv4', message: endOfRibUpdate('ipv4'), bytes: hex`${M} 0017 02 0000 0000` },
  { name: '44: End-of-RIB of IPv6', message: endOfRibUpdate('ipv6'), bytes: hex`${M} 001d 02 0000 0006 800f03000201` },
  {
    name: '45: large communities',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        igp,
        asPath(64500),
        nextHop('192.0.2.10'),
        {
          kind: 'large communities',
          values: [
            [64500, 1, 2],
            [64500, 1, 3],
          ],
        },
      ],
      nlri: [prefix('203.0.113.8/32')],
    },
    bytes: hex`${M} 004b 02 0000 002f 40010100 40020602010000fbf4 400304c000020a
      c02018 0000fbf40000000100000002 0000fbf40000000100000003 20cb007108`,
  },
  {
    name: '47: IPv6 with a global next hop',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        {
          kind: 'mp reach',
          family: 'ipv6',
          nextHop: ip('2001:db8:1::10'),
          nlri: [prefix('2001:db8:beef::7/128')],
        },
        igp,
        asPath(64500),
      ],
      nlri: [],
    },
    bytes: hex`${M} 004d 02 0000 0036
      80 0e 26 0002 01                              # MP_REACH_NLRI: IPv6 unicast
        10 20010db8000100000000000000000010 00      # next hop, reserved
        80 20010db8beef00000000000000000007
      40010100 40020602010000fbf4`,
  },
  {
    name: '48: IPv6 with a link-local next hop too',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        {
          kind: 'mp reach',
          family: 'ipv6',
          nextHop: ip('2001:db8:1::10'),
          linkLocal: ip('fe80::a'),
          nlri: [prefix('2001:db8:beef::/64')],
        },
        igp,
        asPath(64500),
      ],
      nlri: [],
    },
    bytes: hex`${M} 0055 02 0000 003e 800e2e 0002 01
      20 20010db8000100000000000000000010 fe80000000000000000000000000000a 00
      40 20010db8beef0000 40010100 40020602010000fbf4`,
  },
  {
    name: '49: IPv4 with an IPv6 next hop',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        { kind: 'mp reach', family: 'ipv4', nextHop: ip('2001:db8:1::10'), nlri: [prefix('203.0.113.9/32')] },
        igp,
        asPath(64500),
      ],
      nlri: [],
    },
    bytes: hex`${M} 0041 02 0000 002a 800e1a 0001 01 10 20010db8000100000000000000000010 00 20cb007109
      40010100 40020602010000fbf4`,
  },
  {
    name: '50: IPv6 withdrawal',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [{ kind: 'mp unreach', family: 'ipv6', nlri: [prefix('2001:db8:beef::7/128')] }],
      nlri: [],
    },
    bytes: hex`${M} 002e 02 0000 0017 800f14 0002 01 80 20010db8beef00000000000000000007`,
  },
  {
    name: '106: a path identifier',
    wire: { ...PLAIN_WIRE, addPath: ['ipv4'] },
    message: {
      kind: 'update',
      withdrawn: [{ ...prefix('203.0.113.7/32'), pathId: 1 }],
      attributes: [],
      nlri: [],
    },
    bytes: hex`${M} 0020 02 0009 00000001 20cb007107 0000`,
  },
  {
    name: 'UPDATE with all the rest',
    wire: internal,
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        { kind: 'origin', origin: 'incomplete' },
        {
          kind: 'as path',
          segments: [
            { kind: 'sequence', asns: [64500, 4200000123] },
            { kind: 'set', asns: [1, 2] },
          ],
        },
        nextHop('192.0.2.10'),
        { kind: 'med', value: 7 },
        { kind: 'local pref', value: 0 },
        { kind: 'atomic aggregate' },
        { kind: 'aggregator', asn: 64500, identifier: ip('192.0.2.1') },
        { kind: 'originator id', identifier: ip('192.0.2.2') },
        { kind: 'cluster list', clusters: [ip('192.0.2.3'), ip('192.0.2.4')] },
        {
          kind: 'extended communities',
          values: [
            { kind: 'link bandwidth', asn: 64500, bytesPerSecond: 125_000_000 },
            { kind: 'other', bytes: Uint8Array.of(0, 2, 0xfb, 0xf4, 0, 0, 0, 1) },
          ],
        },
        { kind: 'as4 aggregator', asn: 4200000123, identifier: ip('192.0.2.1') },
        { kind: 'only to customer', asn: 64500 },
        { kind: 'unknown', type: 14, flags: 0x80, value: hex`0001 80 00 00` },
        { kind: 'unknown', type: 99, flags: 0xe0, value: hex`01 02` },
      ],
      nlri: [prefix('203.0.113.7/32')],
    },
    bytes: hex`${M} 009e 02 0000 0082
      40 01 01 02
      40 02 14 02 02 0000fbf4 fa56ea7b  01 02 00000001 00000002
      40 03 04 c000020a
      80 04 04 00000007                              # MED
      40 05 04 00000000                              # LOCAL_PREF
      40 06 00                                       # ATOMIC_AGGREGATE
      c0 07 08 0000fbf4 c0000201                     # AGGREGATOR
      80 09 04 c0000202                              # ORIGINATOR_ID
      80 0a 08 c0000203 c0000204                     # CLUSTER_LIST
      c0 10 10 4004 fbf4 4cee6b28  0002 fbf4 00000001  # link bandwidth 125 MB/s, a route target
      c0 12 08 fa56ea7b c0000201                     # AS4_AGGREGATOR
      c0 23 04 0000fbf4                              # ONLY_TO_CUSTOMER
      80 0e 05 0001 80 00 00                         # a family that we do not know
      e0 63 02 0102                                  # an attribute that we do not know, partial
      20 cb007107`,
  },
  {
    name: '52: ROUTE-REFRESH',
    message: { kind: 'route refresh', ...v6, subtype: 0 },
    bytes: hex`${M} 0017 05 0002 00 01`,
  },
  {
    name: '53: NOTIFICATION',
    message: { kind: 'notification', code: 4, subcode: 0, data: new Uint8Array() },
    bytes: hex`${M} 0015 03 04 00`,
  },
  {
    name: '55: Cease with a text',
    message: cease('administrative shutdown', 'node drain'),
    bytes: hex`${M} 0020 03 06 02 0a 6e6f646520647261696e`,
  },
  {
    name: '55: hard reset with a text',
    message: hardReset(cease('administrative shutdown', 'node drain')),
    bytes: hex`${M} 0022 03 06 09 06 02 0a 6e6f646520647261696e`,
  },
]

for (const { name, message, bytes, wire } of cases) {
  test(`${name}: both ways`, () => {
    assert.deepEqual(encodeMessage(message, wire), bytes)
    assert.deepEqual(read(bytes, wire), message)
  })
  test(`${name}: cut at any place the stream waits, and the body alone is refused or something else`, () => {
    for (let cut = 0; cut < bytes.length; cut++) {
      const framer = new Framer()
      framer.push(bytes.subarray(0, cut))
      assert.equal(framer.next(), undefined)
      if (cut >= 19) assertOther(bytes.subarray(19, cut), bytes[18]!, message, wire)
    }
  })
  test(`${name}: byte by byte, twice in a row`, () => {
    const framer = new Framer()
    const found: Message[] = []
    for (const byte of [...bytes, ...bytes]) {
      framer.push(Uint8Array.of(byte))
      for (let frame = framer.next(); frame !== undefined; frame = framer.next()) found.push(decodeMessage(frame, wire))
    }
    assert.deepEqual(found, [message, message])
    assert.equal(framer.waiting, 0)
  })
}

function read(bytes: Uint8Array, wire?: Wire): Message {
  const framer = new Framer()
  framer.push(bytes)
  return decodeMessage(framer.next()!, wire)
}

/** A shortened body never crashes, and is never taken for the whole. */
function assertOther(body: Uint8Array, type: number, whole: Message, wire?: Wire): void {
  try {
    assert.notDeepEqual(decodeMessage({ type, body }, wire), whole)
  } catch (error) {
    assert.ok(error instanceof BgpError || (error as { code?: string }).code === 'TRUNCATED', String(error))
  }
}

test('33: OPEN in the format of RFC 9072', () => {
  const bytes = hex`${M} 002f 01 04 fbf5 005a c0000201 ff ff 000f 02 000c 010400010001 41040000fbf5`
  const capabilities = [
    { kind: 'multiprotocol', ...v4 },
    { kind: 'four-octet AS', asn: 64501 },
  ]
  assert.deepEqual(read(bytes), {
    kind: 'open',
    myAs: 64501,
    holdTime: 90,
    identifier: ip('192.0.2.1'),
    capabilities,
  })
})

test('an OPEN whose capabilities need more than 255 bytes is written in the format of RFC 9072', () => {
  const capabilities = [1, 2].map(code => ({ kind: 'unknown' as const, code: 200 + code, value: new Uint8Array(200) }))
  const message: Message = {
    kind: 'open',
    myAs: 1,
    holdTime: 90,
    identifier: addressFromBytes(Uint8Array.of(1, 2, 3, 4))!,
    capabilities,
  }
  const bytes = encodeMessage(message)
  assert.deepEqual(bytes.subarray(28, 33), hex`ff ff 0197 02`)
  assert.deepEqual(read(bytes), message)
})

test('capabilities may come in a parameter each, and more than once', () => {
  const bytes = hex`${M} 002d 01 04 fbf5 005a c0000201 10 02 02 0200  02 06 41040000fbf5  02 02 0200`
  assert.deepEqual((read(bytes) as { capabilities: unknown }).capabilities, [
    { kind: 'route refresh' },
    { kind: 'four-octet AS', asn: 64501 },
    { kind: 'route refresh' },
  ])
})

test('46: 64 communities take the extended length', () => {
  const values = Array.from({ length: 64 }, (_, index) => 64500 * 65536 + index)
  const attributes = [igp, asPath(64500), nextHop('192.0.2.10'), { kind: 'communities', values }] as const
  const message: Message = { kind: 'update', withdrawn: [], attributes, nlri: [prefix('203.0.113.7/32')] }
  const bytes = encodeMessage(message)
  assert.equal(bytes.length, 308)
  assert.deepEqual(bytes.subarray(43, 47), hex`d0 08 0100`)
  assert.deepEqual(read(bytes), message)
})

/** What is refused, with the NOTIFICATION that answers it. */
const refusals: [name: string, code: BgpErrorCode, bytes: Uint8Array, answer: Uint8Array, wire?: Wire][] = [
  [
    '57: bad marker',
    'CONNECTION_NOT_SYNCHRONIZED',
    hex`ffffffffffffffffffffffffffffff00 0013 04`,
    hex`${M} 0015 03 01 01`,
  ],
  ['57: length 18', 'BAD_MESSAGE_LENGTH', hex`${M} 0012 04`, hex`${M} 0017 03 01 02 0012`],
  ['KEEPALIVE of 20 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 0014 04 00`, hex`${M} 0017 03 01 02 0014`],
  ['OPEN of 28 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 001c 01`, hex`${M} 0017 03 01 02 001c`],
  ['UPDATE of 22 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 0016 02`, hex`${M} 0017 03 01 02 0016`],
  ['UPDATE of 4097 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 1001 02`, hex`${M} 0017 03 01 02 1001`],
  ['NOTIFICATION of 20 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 0014 03`, hex`${M} 0017 03 01 02 0014`],
  ['ROUTE-REFRESH of 22 bytes', 'BAD_MESSAGE_LENGTH', hex`${M} 0016 05`, hex`${M} 0017 03 01 02 0016`],
  ['57: type 9', 'BAD_MESSAGE_TYPE', hex`${M} 0013 09`, hex`${M} 0016 03 01 03 09`],
  ['57: version 5', 'UNSUPPORTED_VERSION', hex`${M} 001d 01 05 fbf5 005a c0000201 00`, hex`${M} 0017 03 02 01 0004`],
  [
    'parameter type 1',
    'UNSUPPORTED_OPTIONAL_PARAMETER',
    hex`${M} 001f 01 04 fbf5 005a c0000201 02 01 00`,
    hex`${M} 0015 03 02 04`,
  ],
  [
    'parameters longer than the message',
    'MALFORMED_OPEN',
    hex`${M} 001f 01 04 fbf5 005a c0000201 03 02 00`,
    hex`${M} 0015 03 02 00`,
  ],
  [
    'a capability longer than its parameter',
    'MALFORMED_OPEN',
    hex`${M} 0023 01 04 fbf5 005a c0000201 06 02 04 4104 0000`,
    hex`${M} 0015 03 02 00`,
  ],
  [
    'a four-octet AS of five bytes',
    'MALFORMED_OPEN',
    hex`${M} 0026 01 04 fbf5 005a c0000201 09 02 07 4105 0000fbf500`,
    hex`${M} 0015 03 02 00`,
  ],
  [
    'withdrawn routes longer than the message',
    'MALFORMED_ATTRIBUTE_LIST',
    hex`${M} 0017 02 0001 0000`,
    hex`${M} 0015 03 03 01`,
  ],
  [
    'attributes longer than the message',
    'MALFORMED_ATTRIBUTE_LIST',
    hex`${M} 0017 02 0000 0001`,
    hex`${M} 0015 03 03 01`,
  ],
  ['a prefix of 33 bits', 'INVALID_NETWORK_FIELD', hex`${M} 001d 02 0000 0000 21 cb00710700`, hex`${M} 0015 03 03 0a`],
  ['a prefix cut short', 'INVALID_NETWORK_FIELD', hex`${M} 001a 02 0003 20cb00 0000`, hex`${M} 0015 03 03 0a`],
  [
    'MP_REACH with a next hop of 5 bytes',
    'OPTIONAL_ATTRIBUTE',
    hex`${M} 0024 02 0000 000d 800e0a 0002 01 05 0102030405 00`,
    hex`${M} 0015 03 03 09`,
  ],
  ['MP_REACH cut short', 'OPTIONAL_ATTRIBUTE', hex`${M} 001e 02 0000 0007 800e04 0002 01 10`, hex`${M} 0015 03 03 09`],
  [
    'MP_UNREACH with a prefix of 129 bits',
    'INVALID_NETWORK_FIELD',
    hex`${M} 002f 02 0000 0018 800f15 0002 01 81 20010db8beef0000000000000000000700`,
    hex`${M} 0015 03 03 0a`,
  ],
  [
    'MP_UNREACH twice',
    'MALFORMED_ATTRIBUTE_LIST',
    hex`${M} 0023 02 0000 000c 800f03000201 800f03000201`,
    hex`${M} 0015 03 03 01`,
  ],
  [
    'a refresh with bytes to spare, where both sides know RFC 7313',
    'INVALID_ROUTE_REFRESH_LENGTH',
    hex`${M} 0018 05 0001 00 01 00`,
    hex`${M} 002d 03 07 01 ${M} 0018 05 0001 00 01 00`,
    { ...PLAIN_WIRE, enhancedRefresh: true },
  ],
]

for (const [name, code, bytes, answer, wire] of refusals)
  test(`${name}: ${code}`, () => {
    let refused: BgpError | undefined
    try {
      read(bytes, wire)
    } catch (error) {
      assert.ok(error instanceof BgpError, String(error))
      refused = error
    }
    assert.equal(refused?.code, code)
    assert.deepEqual(encodeMessage({ kind: 'notification', ...refused.answer }), answer)
  })

test('a refresh with a filter that nobody agreed on is a plain request', () => {
  assert.deepEqual(read(hex`${M} 0018 05 0001 00 01 00`), { kind: 'route refresh', ...v4, subtype: 0 })
})

test('messages above 4096 bytes are read where we offered it, except OPEN and KEEPALIVE', () => {
  const framer = new Framer()
  framer.extended = true
  const message: Message = {
    kind: 'notification',
    code: 6,
    subcode: 4,
    data: new Uint8Array(65535 - 21),
  }
  framer.push(encodeMessage(message))
  assert.deepEqual(decodeMessage(framer.next()!), message)
  framer.push(hex`${M} 1001 01`)
  assert.throws(() => framer.next(), { code: 'BAD_MESSAGE_LENGTH' })
})
