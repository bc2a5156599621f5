import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { migrate } from './index.ts'
import { objectName } from './names.ts'

const pool = (name: string, more: object = {}) => ({ name, protocol: 'layer2', addresses: ['10.0.0.0/24'], ...more })
const peer = (more: object = {}) => ({ 'my-asn': 64600, 'peer-asn': 64700, 'peer-address': '192.0.2.1', ...more })

function specs(old: object): Record<string, unknown> {
  const result = migrate(old, 'ns')
  assert.ok('objects' in result, JSON.stringify(result))
  return Object.fromEntries(
    result.objects.map(object => [`${object.kind} ${object.metadata.name}`, (object as { spec?: unknown }).spec]),
  )
}

test('E80: order, defaults, names', () => {
  const result = migrate({ peers: [peer()], 'address-pools': [pool('My_Pool')] }, 'ns')
  assert.ok('objects' in result)
  assert.deepEqual(
    result.objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`),
    ['BGPPeer ns/peer1', 'IPAddressPool ns/my-pool', 'L2Advertisement ns/l2advertisement1'],
  )
  assert.deepEqual(result.renamed, [{ kind: 'IpAddressPool', from: 'My_Pool', to: 'my-pool' }])
  assert.deepEqual((result.objects[0] as { spec?: unknown }).spec, {
    ...{ holdTime: '1m30s', myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1', passwordSecret: {} },
  })
})

test('advertisements are numbered across pools; a pool without a list gets one of its own', () => {
  const bgp = { protocol: 'bgp' }
  const made = specs({
    'address-pools': [
      pool('one', {
        ...bgp,
        'bgp-advertisements': [{ 'aggregation-length': 24, localpref: 3, communities: ['nope'] }, {}],
      }),
      pool('two', { ...bgp, addresses: ['10.1.0.0/24'], 'auto-assign': false, 'avoid-buggy-ips': true }),
    ],
    'bgp-communities': { zz: '1:2', nope: '65535:65282' },
  })
  assert.deepEqual(made, {
    'IPAddressPool one': { addresses: ['10.0.0.0/24'] },
    'IPAddressPool two': { addresses: ['10.1.0.0/24'], autoAssign: false, avoidBuggyIPs: true },
    'BGPAdvertisement bgpadvertisement1': {
      aggregationLength: 24,
      localPref: 3,
      communities: ['nope'],
      ipAddressPools: ['one'],
    },
    'BGPAdvertisement bgpadvertisement2': { ipAddressPools: ['one'] },
    'BGPAdvertisement bgpadvertisement3': { ipAddressPools: ['two'] },
    'Community communities': {
      communities: [
        { name: 'nope', value: '65535:65282' },
        { name: 'zz', value: '1:2' },
      ],
    },
  })
})

test('durations lose their fractions; the profile a peer names is renamed with it', () => {
  const made = specs({
    peers: [peer({ 'hold-time': '120.9s', 'keepalive-time': '1500ms', 'bfd-profile': 'F_1' })],
    'bfd-profiles': [{ name: 'F_1', 'detect-multiplier': 3 }],
  })
  assert.deepEqual(made['BFDProfile f-1'], { detectMultiplier: 3, echoMode: false, passiveMode: false })
  const { holdTime, keepaliveTime, bfdProfile } = made['BGPPeer peer1'] as Record<string, unknown>
  assert.deepEqual([holdTime, keepaliveTime, bfdProfile], ['2m0s', '1s', 'f-1'])
})

const refused: [name: string, old: unknown, error: string | RegExp][] = [
  ['E81', { 'address-pools': [pool('a1', { protocol: 'l2' })] }, /^unknown protocol "l2" in pool "a1"/],
  ['E82', { peers: [peer({ 'hold-time': '2s' })] }, 'invalid hold time "2s": must be 0 or >=3s'],
  [
    'a fraction below three seconds',
    { peers: [peer({ 'hold-time': '2.9s' })] },
    'invalid hold time "2.9s": must be 0 or >=3s',
  ],
  [
    'E83',
    { 'address-pools': [pool('A_b'), pool('a-b', { addresses: ['10.1.0.0/24'] })] },
    'duplicate definition of pool "a-b" (the name was changed from "A_b")',
  ],
  ['overlap', { 'address-pools': [pool('aa'), pool('bb')] }, /overlaps/],
  ['unknown profile', { peers: [peer({ 'bfd-profile': 'nope' })] }, /non existing bfd profile nope/],
  [
    'a name without letters',
    { 'address-pools': [pool('123')] },
    'IpAddressPool name "123" has no letter to begin with',
  ],
  ['an unknown field', { 'adress-pools': [] }, /unknown field "adress-pools"/],
  ['a list', [1], /must be an object/],
]
for (const [name, old, error] of refused)
  test(`refused: ${name}`, () => {
    const result = migrate(old, 'ns')
    assert.ok('error' in result)
    if (typeof error === 'string') assert.equal(result.error, error)
    else assert.match(result.error, error)
  })

const names: [string, string | undefined][] = [
  ['good-1', 'good-1'],
  ['x', 'x'],
  ['1_Ab_', 'ab-'],
  ['___', undefined],
  ['A'.repeat(70), 'a'.repeat(63)],
]
for (const [from, to] of names) test(`name ${from.slice(0, 10)}`, () => assert.equal(objectName(from), to))

test('arbitrary JSON never makes it throw', () => {
  const field = fc.constantFrom('peers', 'address-pools', 'name', 'protocol', 'addresses', 'hold-time', '__proto__')
  const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(field, tie('tree'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(tree, old => assert.ok(migrate(old, 'ns'))),
    { numRuns: 500 },
  )
})
