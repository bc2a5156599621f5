// Chapter 01 section 6.J and the tables of section 1: what an API server refuses by the schemas alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { crds } from './crds.ts'
import type { Schema } from './schema.ts'

function versionOf(kind: string, version?: string) {
  const { versions } = crds.find(({ spec }) => spec.names.kind === kind)!.spec
  return versions.find(({ name, storage }) => (version ? name === version : storage))!
}

const ajv = new Ajv({ strict: false, formats: { int32: true, int64: true, 'date-time': true } })

function accepts(kind: string, object: object, version?: string): boolean {
  return ajv.validate(versionOf(kind, version).schema.openAPIV3Schema, { metadata: { name: 'x' }, ...object })
}

const PEER = { myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1' }
const requirement = { key: 'k', operator: 'Exists' }

const cases: [name: string, kind: string, object: object, accepted: boolean, version?: string][] = [
  ['149 aggregation length 0', 'BGPAdvertisement', { spec: { aggregationLength: 0 } }, false],
  ['any IPv6 aggregation length', 'BGPAdvertisement', { spec: { aggregationLengthV6: -1 } }, true],
  ['an advertisement without spec', 'BGPAdvertisement', {}, true],
  ['157 a negative local preference', 'BGPAdvertisement', { spec: { localPref: -1 } }, true],
  ['151 peer port 0', 'BGPPeer', { spec: { ...PEER, peerPort: 0 } }, false],
  ['151 peer port 16384', 'BGPPeer', { spec: { ...PEER, peerPort: 16384 } }, true],
  ['151 peer port 20000', 'BGPPeer', { spec: { ...PEER, peerPort: 20000 } }, false],
  ['151 peer port 0 in v1beta1', 'BGPPeer', { spec: { ...PEER, peerPort: 0 } }, true, 'v1beta1'],
  ['151 peer port 20000 in v1beta1', 'BGPPeer', { spec: { ...PEER, peerPort: 20000 } }, false, 'v1beta1'],
  ['159 a peer without spec', 'BGPPeer', {}, true],
  ['a peer without myASN', 'BGPPeer', { spec: { peerASN: 1 } }, false],
  ['an AS number of 33 bits', 'BGPPeer', { spec: { ...PEER, peerASN: 4294967296 } }, false],
  ['a local ASN of 0', 'BGPPeer', { spec: { ...PEER, localASN: 0 } }, false],
  ['an unknown dynamicASN', 'BGPPeer', { spec: { myASN: 1, dynamicASN: 'both' } }, false],
  [
    '160 a requirement without values in v1beta1',
    'BGPPeer',
    { spec: { ...PEER, nodeSelectors: [{ matchExpressions: [requirement] }] } },
    false,
    'v1beta1',
  ],
  [
    'a requirement without values in v1beta2',
    'BGPPeer',
    { spec: { ...PEER, nodeSelectors: [{ matchExpressions: [requirement] }] } },
    true,
  ],
  ['154 weight 0', 'L2Advertisement', { spec: { preferredNodeSelectors: [{ weight: 0, preference: {} }] } }, false],
  ['154 weight 101', 'L2Advertisement', { spec: { preferredNodeSelectors: [{ weight: 101, preference: {} }] } }, false],
  ['154 weight 100', 'L2Advertisement', { spec: { preferredNodeSelectors: [{ weight: 100, preference: {} }] } }, true],
  ['154 no preference', 'L2Advertisement', { spec: { preferredNodeSelectors: [{ weight: 1 }] } }, false],
  ['155 a pool without spec', 'IPAddressPool', {}, false],
  ['155 a pool without addresses', 'IPAddressPool', { spec: {} }, false],
  ['155 a pool with no addresses', 'IPAddressPool', { spec: { addresses: [] } }, true],
  ['a negative priority', 'IPAddressPool', { spec: { addresses: [], serviceAllocation: { priority: -1 } } }, true],
  ['156 multiplier 1', 'BFDProfile', { spec: { detectMultiplier: 1 } }, false],
  ['an interval of 60001 ms', 'BFDProfile', { spec: { echoInterval: 60001 } }, false],
  ['a minimum TTL of 254', 'BFDProfile', { spec: { minimumTtl: 254 } }, true],
  ['an unknown result', 'ConfigurationState', { status: { result: 'Fine' } }, false],
  [
    'a condition without reason',
    'ConfigurationState',
    { status: { conditions: [{ type: 'a', status: 'True' }] } },
    false,
  ],
]
for (const [name, kind, object, accepted, version] of cases)
  test(`${kind}: ${name} is ${accepted ? 'accepted' : 'refused'}`, () =>
    assert.equal(accepts(kind, object, version), accepted))

/** Every rule below the schema, with the path of its field. */
function rules(schema: Schema, path: string): string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => `${path} ${message}`)
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => rules(field, `${path}.${name}`)),
  ]
}

test('the CEL rules are those of the reference', () => {
  const found = crds.flatMap(({ spec }) =>
    spec.versions.flatMap(({ schema }) => rules(schema.openAPIV3Schema, spec.names.kind)),
  )
  assert.deepEqual(found, [
    'BGPAdvertisement.spec serviceSelectors and aggregationLength are mutually exclusive, can only be used together with default aggregationLength (32) and aggregationLengthV6 (128)',
    'BGPPeer.spec.connectTime connect time should be between 1 seconds to 65535',
    'BGPPeer.spec.connectTime connect time should contain a whole number of seconds',
    'BGPPeer.spec.enableGracefulRestart EnableGracefulRestart cannot be changed after creation',
    'ServiceBGPStatus.status.node Value is immutable',
    'ServiceBGPStatus.status.serviceName Value is immutable',
    'ServiceBGPStatus.status.serviceNamespace Value is immutable',
    'ServiceL2Status.status.node Value is immutable',
    'ServiceL2Status.status.serviceName Value is immutable',
    'ServiceL2Status.status.serviceNamespace Value is immutable',
  ])
})

const COLUMNS: Record<string, string> = {
  IPAddressPool: 'Auto Assign, Avoid Buggy IPs, Addresses',
  L2Advertisement: 'IPAddressPools, IPAddressPool Selectors, Interfaces, Node Selectors (wide)',
  BGPAdvertisement: 'IPAddressPools, IPAddressPool Selectors, Peers, Node Selectors (wide)',
  BGPPeer: 'Address, ASN, BFD Profile, Multi Hops',
  BFDProfile: 'Passive Mode, Transmit Interval, Receive Interval, Multiplier',
  Community: '',
  ServiceL2Status: 'Allocated Node, Service Name, Service Namespace',
  BGPSessionState: 'Node, Peer, VRF, BGP, BFD',
  ServiceBGPStatus: 'Node, Service Name, Service Namespace',
  ConfigurationState: 'Result, ErrorSummary, Age',
}
for (const { spec } of crds)
  test(`162 the columns of ${spec.names.kind}`, () => {
    for (const { additionalPrinterColumns = [] } of spec.versions) {
      const shown = additionalPrinterColumns.map(({ name, priority }) => (priority ? `${name} (wide)` : name))
      assert.equal(shown.join(', '), COLUMNS[spec.names.kind])
    }
  })

test('the defaults are those of the reference', () => {
  const defaults = (schema: Schema, path: string): string[] => [
    ...('default' in schema ? [`${path}=${JSON.stringify(schema.default)}`] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => defaults(field, `${path}.${name}`)),
  ]
  const found = crds.flatMap(({ spec }) =>
    spec.versions.flatMap(({ schema }) => defaults(schema.openAPIV3Schema, spec.names.kind)),
  )
  assert.deepEqual(found.sort(), [
    'BGPAdvertisement.spec.aggregationLength=32',
    'BGPAdvertisement.spec.aggregationLengthV6=128',
    'BGPPeer.spec.disableMP=false',
    'BGPPeer.spec.dualStackAddressFamily=false',
    'BGPPeer.spec.passwordSecret={}',
    'BGPPeer.spec.peerPort=179',
    'IPAddressPool.spec.autoAssign=true',
    'IPAddressPool.spec.avoidBuggyIPs=false',
  ])
})
