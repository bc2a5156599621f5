import assert from 'node:assert/strict'
import { test } from 'node:test'
import { snapshotOfYaml } from '../../testing/acceptance.ts'
import { parseConfig } from './index.ts'

const NODES = `{kind: Node, metadata: {name: n1, labels: {rack: a}}}
---
{kind: Node, metadata: {name: n2, labels: {rack: b}}}
---
`
const peer = (name: string, more = '', annotations = '') =>
  `{kind: BGPPeer, metadata: {name: ${name}, annotations: {${annotations}}}, spec: {myASN: 1, peerASN: 2, peerAddress: 192.0.2.1${more}}}\n---\n`
const rack = (name: string) => `, nodeSelectors: [{matchLabels: {rack: ${name}}}]`

function warnings(yaml: string, node?: string): string[] {
  const parsed = parseConfig(snapshotOfYaml(NODES + yaml), { mode: 'native', ...(node && { node }) })
  assert.ok('config' in parsed)
  return parsed.warnings.map(({ name, message }) => `${name}: ${message.split(': one')[0]}`)
}

const twin = (node: string) => [`b: BGPPeer a has the same address, port, VRF and source on node ${node}`]

test('two peers that are the same session of a node are warned about, also by its speaker', () => {
  assert.deepEqual(warnings(peer('a') + peer('b')), twin('n1'))
  assert.deepEqual(warnings(peer('a', rack('b')) + peer('b')), twin('n2'))
  assert.deepEqual(warnings(peer('a', rack('b')) + peer('b'), 'n2'), twin('n2'))
  assert.deepEqual(warnings(peer('a', rack('b')) + peer('b'), 'n1'), [])
})

test('the same address on other nodes, or with another port, VRF or source, is no twin', () => {
  assert.deepEqual(warnings(peer('a', rack('a')) + peer('b', rack('b'))), [])
  for (const more of [', peerPort: 1179', ', vrf: red', ', sourceAddress: 192.0.2.9'])
    assert.deepEqual(warnings(peer('a') + peer('b', more)), [], more)
})

test('where nodes override the speaker will know', () => {
  const overrides = `metallb.io/node-overrides: '[{"nodeSelectors": [{}], "sourceAddress": "192.0.2.9"}]'`
  assert.deepEqual(warnings(peer('a') + peer('b', '', overrides)), [])
})
