import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress } from '../../core/ip/index.ts'
import { type Example, snapshotOfYaml, testExamples } from '../../testing/acceptance.ts'
import { parseConfig } from './index.ts'

const BASE = 'myASN: 64600, peerASN: 64700, peerAddress: 192.0.2.1, sourceAddress: 10.0.0.1'

const nodes = `{kind: Node, metadata: {name: n1, labels: {rack: a}}}
---
{kind: Node, metadata: {name: n2, labels: {rack: b}}}
---
{kind: Node, metadata: {name: n3}}
---
`
const peer = (overrides: string, spec = BASE) =>
  `${nodes}{kind: BGPPeer, metadata: {name: tor1, annotations: {metallb.io/node-overrides: '${overrides}'}}, spec: {${spec}}}\n---\n`
const rack = (name: string) => `"nodeSelectors": [{"matchLabels": {"rack": "${name}"}}]`
const BY_RACK = `[{${rack('a')}, "myASN": 64601, "sourceAddress": "10.0.1.1"}, {${rack('b')}, "localASN": 64999, "routerID": "10.9.9.9"}]`

test('a node has what the first entry that selects it says, the others what the spec says', () => {
  const on = (node: string) => {
    const parsed = parseConfig(snapshotOfYaml(peer(BY_RACK)), { node })
    assert.ok('config' in parsed)
    const { myAsn, localAsn, sourceAddress, routerId } = parsed.config.bgp!.peers[0]!
    return [myAsn, localAsn, sourceAddress && formatAddress(sourceAddress), routerId && formatAddress(routerId)]
  }
  assert.deepEqual(on('n1'), [64601, undefined, '10.0.1.1', undefined])
  assert.deepEqual(on('n2'), [64600, 64999, '10.0.0.1', '10.9.9.9'])
  assert.deepEqual(on('n3'), [64600, undefined, '10.0.0.1', undefined])
})

test('a known AS of a router takes the place of one that is found out', () => {
  const dynamic = 'myASN: 64600, dynamicASN: external, peerAddress: 192.0.2.1'
  const parsed = parseConfig(snapshotOfYaml(peer(`[{${rack('a')}, "peerASN": 64702}]`, dynamic)), { node: 'n1' })
  assert.equal('config' in parsed && parsed.config.bgp!.peers[0]!.remoteAs, 64702)
})

const PATH = 'metadata.annotations[metallb.io/node-overrides]'
const refused = (name: string, overrides: string, ...texts: (string | RegExp)[]): Example => ({
  name,
  yaml: peer(overrides),
  refused: texts,
})

// Without a node, as in the webhooks, every entry is checked.
testExamples([
  { name: 'good', yaml: peer(BY_RACK), accepted: ({ bgp }) => assert.equal(bgp!.peers[0]!.myAsn, 64600) },
  refused('not JSON', '[{', /^metadata\.annotations\[metallb\.io\/node-overrides\] is not JSON: /),
  refused('not a list', '{}', `${PATH} must be a list, not an object`),
  refused('not even an object', '[7]', `${PATH}[0] must be an object, not a number`),
  refused('no selectors', '[{"myASN": 1}]', `${PATH}[0].nodeSelectors missing required value`),
  refused('selectors of nothing', '[{"nodeSelectors": [], "myASN": 1}]', `${PATH}[0] nodeSelectors must select nodes`),
  refused(
    'a field that cannot differ',
    `[{${rack('a')}, "vrf": "red"}]`,
    `${PATH}[0] unknown field vrf: myASN, localASN, peerASN, sourceAddress, routerID can differ`,
  ),
  refused(
    'a bad value',
    `[{${rack('a')}, "myASN": 64601}, {${rack('b')}, "sourceAddress": "10.0.1"}]`,
    `${PATH}[1].sourceAddress parsing peer tor1 invalid source IP "10.0.1"`,
  ),
  refused(
    'out of bounds',
    `[{${rack('a')}, "myASN": 4294967296}]`,
    `${PATH}[0].myASN invalid value 4294967296, must be in 0-4294967295 range`,
  ),
  {
    name: 'what is wrong with the spec is said once',
    yaml: peer(BY_RACK, 'myASN: 64600, peerASN: 64700, peerAddress: 192.0.2'),
    refused: ['spec.peerAddress parsing peer tor1 invalid BGPPeer address "192.0.2"'],
  },
])
