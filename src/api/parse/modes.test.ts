// Chapter 01 sections 6.G and 6.H.
import assert from 'node:assert/strict'
import { type Example, testExamples } from '../../testing/acceptance.ts'
import { parseConfig } from './index.ts'

const BASE = 'myASN: 64600, peerASN: 64700, peerAddress: 192.0.2.1'
const peer = (name: string, spec: string) => `{kind: BGPPeer, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`
const doc = (kind: string, name: string, spec: string) =>
  `{kind: ${kind}, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`
const SIX = doc('IPAddressPool', 'six', 'addresses: ["2001:db8:b::/124"]')
const WEB = doc('IPAddressPool', 'web', 'addresses: [172.20.8.0/24]')
const NODES = `{kind: Node, metadata: {name: n1, labels: {rack: r1}}}
---
{kind: Node, metadata: {name: n2, labels: {rack: r2}}}
---
`

const NATIVE: [name: string, yaml: string, refused: string[]][] = [
  [
    '100 bfdProfile',
    doc('BFDProfile', 'fast', '') + peer('tor1', `${BASE}, bfdProfile: fast`),
    ['spec.bfdProfile peer 192.0.2.1 has bfd-profile set on native bgp mode', ' bfd profiles section set'],
  ],
  ...(
    [
      ['101', 'keepaliveTime: 5s', 'keepalive-time'],
      ['102', 'vrf: red', 'vrf'],
      ['103', 'connectTime: 10s', 'connect time'],
      ['104', 'enableGracefulRestart: true', 'EnableGracefulRestart flag'],
      ['105', 'disableMP: true', 'disable MP flag'],
      ['106', 'dualStackAddressFamily: true', 'dualstackaddressfamily flag'],
      ['107', 'localASN: 64999', 'localASN'],
    ] as const
  ).map(([number, field, words]): [string, string, string[]] => [
    `${number} ${field}`,
    peer('tor1', `${BASE}, ${field}`),
    [`spec.${field.split(':')[0]} peer 192.0.2.1 has ${words} set on native bgp mode`],
  ]),
  [
    '108 dynamicASN',
    peer('tor1', 'myASN: 64600, dynamicASN: external, peerAddress: 192.0.2.1'),
    ['spec.dynamicASN peer 192.0.2.1 has dynamicASN set on native bgp mode'],
  ],
  [
    '109 interface',
    peer('tor1', 'myASN: 64600, peerASN: 64700, interface: ens7'),
    ['spec.interface peer  has interface set on native bgp mode'],
  ],
  ['111 any BFD profile', doc('BFDProfile', 'idle', ''), [' bfd profiles section set']],
  [
    '112 an IPv6 pool advertised over BGP',
    SIX + doc('BGPAdvertisement', 'all', ''),
    ['spec.addresses[0] pool "six" has ipv6 CIDR 2001:db8:b::/124, native bgp mode does not support ipv6'],
  ],
  [
    '114 a large community in an advertisement',
    WEB + doc('BGPAdvertisement', 'adv', 'communities: ["large:1:2:3"]'),
    [
      'spec.communities[0] native BGP mode only supports legacy communities, BGP advertisement "adv" has non legacy community "large:1:2:3"',
    ],
  ],
  [
    '115 a large community behind an alias, even unused',
    doc('Community', 'set', 'communities: [{name: big, value: "large:1:2:3"}]'),
    [
      'spec.communities[0].value native BGP mode only supports legacy communities, BGP community CR "set" has non legacy community {"big" "large:1:2:3"}',
    ],
  ],
]

const accepted = () => {}

testExamples(
  [
    ...NATIVE.map(([name, yaml, refused]): Example => ({ name: `strict native: ${name}`, yaml, refused })),
    {
      name: 'strict native: 110 a zero keepalive is tolerated',
      yaml: peer('tor1', `${BASE}, holdTime: 90s, keepaliveTime: 0s`),
      accepted: config => assert.equal(config.bgp!.peers[0]!.keepaliveMs, 0),
    },
    {
      name: 'strict native: 113 an IPv6 pool used only for layer 2',
      yaml:
        SIX +
        WEB +
        doc('BGPAdvertisement', 'four', 'ipAddressPools: [web]') +
        doc('L2Advertisement', 'six', 'ipAddressPools: [six]'),
      accepted,
    },
    {
      name: 'strict native: 124 duplicate peers',
      yaml: peer('p1', BASE) + peer('p2', BASE.replace('64600', '64601')),
      accepted: config => assert.equal(config.bgp!.peers.length, 2),
    },
  ],
  snapshot => parseConfig(snapshot, { mode: 'native', strictNative: true }),
)

testExamples(
  NATIVE.map(([name, yaml]) => ({ name: `native takes what our stack can do: ${name}`, yaml, accepted })),
  snapshot => parseConfig(snapshot, { mode: 'native' }),
)

const RACK1 = ', nodeSelectors: [{matchLabels: {rack: r1}}]'
const RACK2 = ', nodeSelectors: [{matchLabels: {rack: r2}}]'
const second = BASE.replace('.1', '.2')
const duplicate =
  "spec.peerAddress peer 192.0.2.1 already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node"

for (const mode of ['frr', 'frr-k8s'] as const)
  testExamples(
    [
      {
        name: `${mode}: 116 different router IDs on a shared node`,
        yaml: peer('p1', `${BASE}, routerID: 10.9.9.1`) + peer('p2', `${second}, routerID: 10.9.9.2`),
        refused: [
          'spec.routerID peer 10.9.9.2 has RouterID different from 10.9.9.1, in FRR mode peers selecting the same node must all have the same RouterID',
        ],
      },
      {
        name: `${mode}: 117 a duplicate address on a shared node`,
        yaml: peer('p1', BASE) + peer('p2', `${BASE.replace('64700', '64701')}, peerPort: 1790`),
        refused: [duplicate],
      },
      {
        name: `${mode}: 118 one peer with a router ID, one without`,
        yaml: peer('p1', BASE) + peer('p2', `${second}, routerID: 10.9.9.2`),
        refused: [
          'spec.routerID peer 10.9.9.2 has RouterID different from , in FRR mode peers selecting the same node must all have the same RouterID',
        ],
      },
      {
        name: `${mode}: 119 the same address in two VRFs`,
        yaml: peer('p1', BASE) + peer('p2', `${BASE}, vrf: blue`),
        accepted,
      },
      {
        name: `${mode}: 120 two local ASNs in one VRF`,
        yaml: peer('p1', BASE) + peer('p2', second.replace('64600', '64601')),
        refused: [
          'spec.myASN peer 192.0.2.2 has myAsn different from 192.0.2.1, in FRR mode peers selecting the same node must have the same myAsn within the same VRF',
        ],
      },
      {
        name: `${mode}: 121 two local ASNs, different VRFs`,
        yaml: peer('p1', BASE) + peer('p2', `${second.replace('64600', '64601')}, vrf: blue`),
        accepted,
      },
      {
        name: `${mode}: 122 conflicting peers on disjoint nodes`,
        yaml: NODES + peer('p1', BASE + RACK1) + peer('p2', BASE + RACK2),
        accepted,
      },
      {
        name: `${mode}: 123 the same conflict when no node is known`,
        yaml: peer('p1', BASE + RACK1) + peer('p2', BASE + RACK2),
        refused: [duplicate],
      },
      {
        name: `${mode}: 125 the rules of the mode come first`,
        yaml: peer('p1', BASE.replace('64600', '0')) + peer('p2', BASE),
        refused: [duplicate, /^spec\.myASN peer 192\.0\.2\.1 has myAsn different/, /missing local ASN$/],
      },
    ],
    snapshot => parseConfig(snapshot, { mode }),
  )

testExamples([
  {
    name: '126 to 129 BFD, peers, communities, pools, layer 2, BGP: the order of problems',
    yaml:
      doc('BGPAdvertisement', 'b', 'ipAddressPools: [r, r]') +
      doc('L2Advertisement', 'l', 'ipAddressPools: [q, q]') +
      doc('IPAddressPool', 'x', 'addresses: [nope]') +
      doc('Community', 'c', 'communities: [{name: z, value: z}]') +
      peer('p1', BASE.replace('64600', '0')) +
      doc('BFDProfile', 'b', 'detectMultiplier: 1'),
    refused: [
      /parsing bfd profile "b"/,
      /parsing peer p1 missing local ASN/,
      /parsing community "z": invalid community format: z/,
      /parsing address pool x/,
      /duplicate definition of ipAddressPools "q"/,
      /duplicate definition of ipAddressPools "r"/,
    ],
  },
  {
    name: '189 bgpextras, and no other ConfigMap, is carried along with a warning',
    yaml: `{kind: ConfigMap, metadata: {name: bgpextras}, data: {extras: log stdout}}
---
{kind: ConfigMap, metadata: {name: other}, data: {extras: x}}`,
    accepted: (config, warnings) => {
      assert.equal(config.bgp!.extras, 'log stdout')
      assert.match(warnings[0]!.message, /not supported and used at your own risk/)
    },
  },
])

testExamples(
  [
    {
      name: '22 a controller does not see advertisements and peers',
      yaml: WEB + doc('BGPAdvertisement', 'broken', 'aggregationLength: 8') + peer('broken', 'myASN: 0'),
      accepted: config => assert.deepEqual(Object.keys(config).sort(), ['l2Advertisements', 'pools']),
    },
  ],
  ({ pools, communities, namespaces }) => parseConfig({ pools, communities, namespaces }),
)
