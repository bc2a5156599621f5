// Chapter 01 section 6.K.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BGPPeerResource, BGPPeerV1Beta1Resource } from './bgp-peer.ts'
import { toV1Beta1, toV1Beta2 } from './bgp-peer-conversion.ts'

const metadata = { name: 'old', namespace: 'metallb-system', labels: { a: 'b' } }
const BASE = { myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1' }

const up = (spec: Partial<BGPPeerV1Beta1Resource['spec']>) => toV1Beta2({ metadata, spec: { ...BASE, ...spec } }).spec
const down = (spec: BGPPeerResource['spec']) => toV1Beta1({ metadata, spec }).spec

test('163 a minimal peer keeps its timers absent (REF-BUG 2)', () => {
  assert.deepEqual(toV1Beta2({ metadata, spec: BASE }), {
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata,
    spec: BASE,
  })
})

test('164 a hold time alone stays alone, a zero timer becomes absent (REF-BUG 2)', () => {
  assert.deepEqual(up({ holdTime: '90s' }), { ...BASE, holdTime: '90s' })
  assert.deepEqual(up({ holdTime: '90s', keepaliveTime: '0s', peerPort: 0 }), { ...BASE, holdTime: '90s' })
})

test('165 selectors are kept, in order', () => {
  const nodeSelectors = [
    {},
    { matchLabels: { a: 'b' } },
    { matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] },
  ]
  assert.deepEqual(up({ nodeSelectors })!.nodeSelectors, nodeSelectors)
})

test('166 what v1beta1 has no field for is lost', () => {
  const spec = down({
    myASN: 64600,
    dynamicASN: 'external',
    interface: 'ens7',
    localASN: 65000,
    connectTime: '5s',
    passwordSecret: { name: 's' },
    enableGracefulRestart: true,
    vrf: 'red',
    disableMP: true,
    dualStackAddressFamily: true,
  })
  assert.deepEqual(spec, { myASN: 64600, peerASN: 0, peerAddress: '' })
})

test('167 an expression without values has an empty list of them', () => {
  const { nodeSelectors } = down({
    ...BASE,
    nodeSelectors: [{ matchExpressions: [{ key: 'k', operator: 'Exists' }] }],
  })!
  assert.deepEqual(nodeSelectors, [{ matchExpressions: [{ key: 'k', operator: 'Exists', values: [] }] }])
})

test('a peer without spec stays one', () => {
  assert.deepEqual(toV1Beta1(toV1Beta2({ metadata } as BGPPeerV1Beta1Resource)).spec, undefined)
})

const selector = fc.record(
  {
    matchLabels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
    matchExpressions: fc.array(
      fc.record(
        { key: fc.string(), operator: fc.constantFrom('In', 'NotIn'), values: fc.array(fc.string(), { minLength: 1 }) },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
)
const v1beta1 = fc.record(
  {
    myASN: fc.nat(),
    peerASN: fc.integer({ min: 1, max: 4294967295 }),
    peerAddress: fc.ipV4(),
    sourceAddress: fc.ipV4(),
    peerPort: fc.integer({ min: 1, max: 16384 }),
    holdTime: fc.constantFrom('90s', '3s', '1m30s'),
    keepaliveTime: fc.constantFrom('30s', '1s'),
    routerID: fc.ipV4(),
    nodeSelectors: fc.array(selector),
    password: fc.string(),
    bfdProfile: fc.string(),
    ebgpMultiHop: fc.boolean(),
  },
  { requiredKeys: ['myASN', 'peerASN', 'peerAddress'], noNullPrototype: true },
)

test('v1beta1 survives the way to v1beta2 and back, and again as JSON', () => {
  fc.assert(
    fc.property(v1beta1, spec => {
      const there = toV1Beta2({ metadata, spec })
      assert.deepEqual(toV1Beta1(JSON.parse(JSON.stringify(there))).spec, spec)
    }),
  )
})
