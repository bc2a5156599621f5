import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  aNode,
  anAdvertisement,
  anEndpoint,
  aService,
  aWorld,
  NODES,
  type Scenario,
} from '../../testing/layer2-world.ts'
import type { BgpAdvertisement } from '../config/index.ts'
import { EXCLUDE_LABEL } from '../service.ts'
import { type Admitted, admit, decideBgp, Layer2Planner } from './index.ts'

const labelled = (...names: string[]) =>
  NODES.map(name => aNode(name, names.includes(name) ? { labels: { [EXCLUDE_LABEL]: '' } } : {}))
const local = aService({ localTrafficPolicy: true })

// What node-a and node-b say; both protocols say the same.
const CASES: [name: string, scenario: Scenario, a: string[], b: string[]][] = [
  [
    'every node is labelled: the first has the word',
    { nodes: labelled(...NODES) },
    ['nodeLabeledExcludeBalancers', 'announceSkipped by node-a'],
    ['nodeLabeledExcludeBalancers', 'announceSkipped by node-a'],
  ],
  [
    'another node is left',
    { nodes: labelled('node-a', 'node-b') },
    ['nodeLabeledExcludeBalancers'],
    ['nodeLabeledExcludeBalancers'],
  ],
  [
    'no endpoint can serve either',
    { nodes: labelled(...NODES), endpoints: [] },
    ['noEndpoints', 'nodeLabeledExcludeBalancers'],
    ['noEndpoints', 'nodeLabeledExcludeBalancers'],
  ],
  [
    'node-a is a candidate in no case',
    { nodes: labelled(...NODES), service: local, endpoints: [anEndpoint('node-b')] },
    ['nodeLabeledExcludeBalancers', 'noLocalEndpoints'],
    ['nodeLabeledExcludeBalancers', 'announceSkipped by node-b'],
  ],
]

const said = (reasons: readonly { code: string; object?: { name: string } }[]) =>
  reasons.map(({ code, object }) => (code === 'announceSkipped' ? `${code} by ${object!.name}` : code))

for (const [name, scenario, a, b] of CASES)
  test(`layer 2: ${name}`, () => {
    const world = aWorld(scenario)
    const planner = new Layer2Planner(world)
    const admitted = admit(world.service, world.config) as Admitted
    const codes = (node: string) => said(planner.decide(admitted, node).reasons()).filter(code => code !== 'notOwner')
    assert.deepEqual([codes('node-a'), codes('node-b')], [a, b])
  })

const bgpAd: BgpAdvertisement = {
  ...{ name: 'A', nodes: new Set(NODES), pools: new Set(['p']), peers: 'all', communities: [], serviceSelectors: [] },
  aggregationLength: { ipv4: 32, ipv6: 128 },
}
function bgp(scenario: Scenario, node: string, advertisements = [bgpAd]) {
  const world = aWorld(scenario)
  const config = { ...world.config, bgp: { peers: [], advertisements, bfdProfiles: [], extras: '' } }
  return decideBgp(admit(world.service, config) as Admitted, node, { ...world, config })
}

for (const [name, scenario, a, b] of CASES.slice(0, 2))
  test(`BGP: ${name}`, () => {
    assert.deepEqual([said(bgp(scenario, 'node-a').reasons()), said(bgp(scenario, 'node-b').reasons())], [a, b])
  })

test('the sentence names the nodes, the label and the flag', () => {
  const reason = bgp({ nodes: labelled(...NODES) }, 'node-a')
    .reasons()
    .at(-1)!
  assert.equal(
    reason.message,
    `no node is left to announce it: nodes node-a, node-b, node-c have the label ${EXCLUDE_LABEL}; remove it, or run the speakers with --ignore-exclude-lb`,
  )
})

test('the cause is the first reason behind the word, and another word where no advertisement asks for the Service', () => {
  const cause = (scenario: Scenario, node = 'node-b') => {
    const world = aWorld(scenario)
    return new Layer2Planner(world).decide(admit(world.service, world.config) as Admitted, node).cause()
  }
  assert.deepEqual(
    [
      cause({}),
      cause({ nodes: labelled('node-b') }),
      cause({ ads: [anAdvertisement({ nodes: new Set(['node-a']) })] }),
      cause({ ads: [] }),
      cause({ endpoints: [] }),
    ],
    ['electionLost', 'nodeLabeledExcludeBalancers', 'noMatchingAdvertisement', 'notAdvertised', 'noEndpoints'],
  )
  const elsewhere = { ...bgpAd, nodes: new Set(['node-c']) }
  assert.equal(bgp({}, 'node-b', []).cause(), 'notAdvertised')
  assert.equal(bgp({}, 'node-b', [elsewhere]).cause(), 'notOwner')
  assert.equal(
    bgp({}, 'node-b', [{ ...bgpAd, serviceSelectors: [{ matchLabels: { a: 'b' } }] }]).cause(),
    'notAdvertised',
  )
  assert.equal(bgp({ endpoints: [] }, 'node-b').cause(), 'noEndpoints')
})
