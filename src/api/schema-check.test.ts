import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../core/object.ts'
import { checkSchema, isOurs } from './schema-check.ts'

const object = (kind: string, spec?: object, version = 'v1beta1', name = 'a') =>
  ({ apiVersion: `metallb.io/${version}`, kind, metadata: { name }, ...(spec ? { spec } : {}) }) as KubeObject
const peer = (more: object, version = 'v1beta2') =>
  object('BGPPeer', { myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1', ...more }, version)

const examples: [name: string, object: KubeObject, findings: string[]][] = [
  ['149', object('BGPAdvertisement', { aggregationLength: 0 }), ['error spec.aggregationLength']],
  ['151 v1beta2, 0', peer({ peerPort: 0 }), ['error spec.peerPort']],
  ['151 v1beta2, 20000', peer({ peerPort: 20000 }), ['error spec.peerPort']],
  ['151 v1beta1, 0', peer({ peerPort: 0 }, 'v1beta1'), []],
  ['151 v1beta1, 20000', peer({ peerPort: 20000 }, 'v1beta1'), ['error spec.peerPort']],
  [
    '154 weight and preference',
    object('L2Advertisement', { preferredNodeSelectors: [{ weight: 101 }] }),
    ['error spec.preferredNodeSelectors[0].preference', 'error spec.preferredNodeSelectors[0].weight'],
  ],
  ['155 no spec', object('IPAddressPool'), ['error spec']],
  ['155 empty spec', object('IPAddressPool', {}), ['error spec.addresses']],
  ['155 no addresses', object('IPAddressPool', { addresses: [] }), []],
  ['156', object('BFDProfile', { detectMultiplier: 1 }), ['error spec.detectMultiplier']],
  ['158', object('BGPAdvertisement', { localPref: 3000000000 }), ['error spec.localPref']],
  ['159', object('BGPPeer', undefined, 'v1beta2'), []],
  [
    '160',
    peer({ nodeSelectors: [{ matchExpressions: [{ key: 'k', operator: 'In' }] }] }, 'v1beta1'),
    ['error spec.nodeSelectors[0].matchExpressions[0].values'],
  ],
  [
    'v1beta1 expression with an empty list',
    peer({ nodeSelectors: [{ matchExpressions: [{ key: 'k', operator: 'In', values: [] }] }] }, 'v1beta1'),
    ['error spec.nodeSelectors[0].matchExpressions[0].values'],
  ],
  ['a field that is not known', peer({ vfr: 'red' }), ['warning spec.vfr did you mean vrf?']],
  ['a field of the other version', peer({ vrf: 'red' }, 'v1beta1'), ['warning spec.vrf']],
  ['a kind with a typing error', object('IPAddresPool', {}), ['error kind did you mean IPAddressPool?']],
  [
    'a version that is not there',
    object('IPAddressPool', { addresses: [] }, 'v1'),
    ['error apiVersion write apiVersion: metallb.io/v1beta1'],
  ],
  ['a name that cannot be', object('Community', {}, 'v1beta1', 'My_Pool'), ['error metadata.name']],
]
for (const [name, given, findings] of examples)
  test(name, () => {
    const found = checkSchema(given).map(({ severity, path, hint }) => [`${severity} ${path}`, hint ?? ''])
    assert.equal(found.length, findings.length, JSON.stringify(found))
    for (const [index, [head, hint]] of found.entries())
      assert.ok(
        findings[index] === head || findings[index] === `${head} ${hint}`,
        `${findings[index]} is not ${head} ${hint}`,
      )
  })

test('ours are the kinds of the group, and those that forgot their apiVersion', () => {
  const metadata = { name: 'a' }
  assert.ok(isOurs({ apiVersion: 'metallb.io/v1beta1', kind: 'Nonsense', metadata }))
  assert.ok(isOurs({ kind: 'Community', metadata }))
  assert.ok(!isOurs({ apiVersion: 'example.com/v1', kind: 'Community', metadata }))
  assert.ok(!isOurs({ apiVersion: 'metallb.io/v1beta1', kind: 'MetalLB', metadata }))
})
