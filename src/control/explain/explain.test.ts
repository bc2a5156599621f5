import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import type { KubeObject } from '../../core/object.ts'
import {
  type Answers,
  clusterOf,
  type Explanation,
  explainService,
  isTold,
  type ServiceView,
  type SessionView,
  speakerNodes,
} from './index.ts'

const options = { hash: sha256, lbClass: '', ignoreExcludeLb: false }
const object = (apiVersion: string, kind: string, metadata: KubeObject['metadata'], rest: object = {}): KubeObject =>
  ({ apiVersion, kind, metadata, ...rest }) as KubeObject
const pool = (name: string, addresses: string[]) =>
  object('metallb.io/v1beta1', 'IPAddressPool', { name }, { spec: { addresses } })
const node = (name: string) => object('v1', 'Node', { name })
const advertisement = object('metallb.io/v1beta1', 'L2Advertisement', { name: 'all' })
const slice = (service: string, nodeName: string) =>
  object(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
    { endpoints: [{ addresses: ['10.0.0.1'], nodeName }] },
  )
const service = (name: string, ip?: string, spec: object = {}) =>
  object(
    'v1',
    'Service',
    { name },
    {
      spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.1'], ports: [{ port: 80 }], ...spec },
      status: ip === undefined ? {} : { loadBalancer: { ingress: [{ ip }] } },
    },
  )
const speakerPod = (nodeName: string, phase = 'Running') =>
  object(
    'v1',
    'Pod',
    { name: `speaker-${nodeName}`, namespace: 'metallb-system', labels: { component: 'speaker' } },
    { spec: { nodeName }, status: { phase } },
  )

const RUN_TIME =
  'what speakers know at run time: assumed are flags as given here, no node held down or in a minority, and usable interfaces'

function explain(objects: KubeObject[], key: string, answers?: Answers) {
  return explainService(clusterOf(objects, 'metallb-system'), key, options, answers)
}

function explained(explanation: Explanation) {
  assert.equal(explanation.kind, 'explained')
  return explanation as Extract<Explanation, { kind: 'explained' }>
}

const world = [pool('blue', ['192.0.2.10/32']), advertisement, node('n1'), node('n2')]

test('an announced Service: who holds, from which pool, which node announces, which does not and why', () => {
  const { allocation, layer2, assumptions } = explained(
    explain([...world, service('web', '192.0.2.10'), slice('web', 'n1')], 'default/web'),
  )
  assert.deepEqual(
    [allocation.pool, allocation.summary],
    ['blue', 'holds 192.0.2.10 from pool blue, chosen automatically'],
  )
  assert.equal(layer2.nodes.filter(({ announces }) => announces).length, 1)
  assert.ok(layer2.nodes.every(({ reasons }) => reasons.length > 0))
  assert.deepEqual(assumptions, ['which speakers run is not known: every Node counts as a candidate', RUN_TIME])
  assert.ok(layer2.nodes.every(({ by }) => by === 'computed'))
})

test('a Service left over: every pool says why it has nothing for it', () => {
  const { allocation, layer2 } = explained(
    explain([...world, service('web', '192.0.2.10'), service('late')], 'default/late'),
  )
  assert.equal(allocation.summary, 'no available IPs')
  assert.deepEqual(
    allocation.reasons.map(({ object, message }) => `${object?.name}: ${message}`),
    ['blue: exhausted (1/1 ipv4 addresses in use)'],
  )
  assert.deepEqual(
    layer2.refused.map(({ code }) => code),
    ['noIPAllocated'],
  )
})

test('only nodes whose speaker runs are candidates, where pods are known', () => {
  const objects = [
    ...world,
    service('web', '192.0.2.10'),
    slice('web', 'n1'),
    speakerPod('n2'),
    speakerPod('n1', 'Failed'),
  ]
  const { layer2 } = explained(explain(objects, 'default/web'))
  assert.deepEqual(
    layer2.nodes.map(({ node, announces }) => [node, announces]),
    [
      ['n1', false],
      ['n2', true],
    ],
  )
  assert.deepEqual(speakerNodes(clusterOf(objects, 'metallb-system').pods), new Set(['n2']))
  assert.deepEqual(speakerNodes(clusterOf(objects, 'other').pods), undefined)
})

test('an invalid configuration names its problems, an unknown Service is said to be unknown', () => {
  const invalid = explain([pool('bad', ['10.0.0.1']), service('web')], 'default/web')
  assert.equal(invalid.kind, 'invalid configuration')
  assert.match(invalid.kind === 'invalid configuration' ? invalid.problems[0]!.message : '', /invalid CIDR "10.0.0.1"/)
  assert.equal(explain(world, 'default/web').kind, 'no such service')
})

test("a pool in another namespace is nobody's pool", () => {
  const elsewhere = object(
    'metallb.io/v1beta1',
    'IPAddressPool',
    { name: 'x', namespace: 'default' },
    { spec: { addresses: ['10.0.0.0/24'] } },
  )
  const { allocation } = explained(explain([elsewhere, service('web')], 'default/web'))
  assert.equal(allocation.summary, 'there are no address pools')
})

test('BGP: each node with its reasons, prefixes and the peers that it has', () => {
  const peer = (name: string, rack?: string) =>
    object(
      'metallb.io/v1beta2',
      'BGPPeer',
      { name },
      {
        spec: {
          ...{ myASN: 64500, peerASN: 64501, peerAddress: '192.0.2.1' },
          ...(rack && { nodeSelectors: [{ matchLabels: { rack } }] }),
        },
      },
    )
  const racked = object('v1', 'Node', { name: 'n1', labels: { rack: 'r1' } })
  const bgp = object('metallb.io/v1beta1', 'BGPAdvertisement', { name: 'all' })
  const web = service('web', '192.0.2.10', { externalTrafficPolicy: 'Local' })
  const objects = [pool('blue', ['192.0.2.10/32']), racked, node('n2'), bgp, peer('tor'), peer('tor-r1', 'r1')]
  const explanation = explained(explain([...objects, web, slice('web', 'n1')], 'default/web')).bgp
  assert.deepEqual(
    explanation.nodes.map(one => [one.node, one.reasons.map(({ code }) => code), one.prefixes, one.peers]),
    [
      ['n1', ['owner'], ['192.0.2.10/32'], ['tor', 'tor-r1']],
      ['n2', ['noLocalEndpoints'], [], []],
    ],
  )
  assert.equal(explained(explain([...world, web], 'default/web')).bgp.configured, false)
  const elsewhere = explained(explain([...objects, web, slice('web', 'n1'), speakerPod('n2')], 'default/web')).bgp
  assert.deepEqual(
    elsewhere.nodes.map(({ node, reasons, peers }) => [node, reasons.map(({ code }) => code), peers]),
    [
      ['n1', ['memberMissing'], []],
      ['n2', ['noLocalEndpoints'], []],
    ],
    'nobody announces from a node without a speaker',
  )
})

/** A speaker that sees both nodes and says what it decides. */
function view(
  node: string,
  change: Partial<ServiceView['speaker']> = {},
  verdict?: ServiceView['verdict'],
): ServiceView {
  const speaker = { options: { ignoreExcludeLb: false, lbClass: '' }, members: ['n1', 'n2'], held: [], interfaces: {} }
  const configuration = { since: '2026-01-01T00:00:00Z', differs: [] }
  return { node, speaker: { ...speaker, ...change }, configuration, sessions: [], ...(verdict && { verdict }) }
}
const local = service('web', '192.0.2.10')
const heard = [...world, local, slice('web', 'n1')]
const rows = (answers: Answers) =>
  explained(explain(heard, 'default/web', answers)).layer2.nodes.map(({ node, announces, reasons, by }) => [
    ...[node, announces, by],
    ...reasons.map(({ code }) => code),
  ])
/** Who wins the election of 192.0.2.10 where nothing is in the way, and who does not. */
const [[winner] = [], [loser] = []] = rows({ views: [view('n1')], silent: [] }).sort(
  ([, a], [, b]) => Number(b) - Number(a),
) as [string][]

test('what one speaker sees helps with the nodes of those that do not answer', () => {
  const silent = [{ node: winner!, error: 'timeout' }]
  const held = rows({ views: [view(loser!, { held: [winner!] })], silent })
  assert.deepEqual(Object.fromEntries(held.map(([node, ...row]) => [node, row])), {
    [winner!]: [false, 'computed', 'notOwner', 'heldDown'],
    [loser!]: [true, 'computed', 'owner'],
  })
  const balanced = explained(
    explain(heard, 'default/web', {
      views: [view('n1', { options: { ignoreExcludeLb: false, lbClass: '', balanced: true } })],
      silent,
    }),
  )
  assert.match(balanced.layer2.nodes.find(({ announces }) => announces)!.reasons[0]!.message, /by balanced placement/)
  assert.deepEqual(balanced.assumptions, [`no answer of the speaker on ${winner}: timeout`])
})

test('the view of whom sees most counts, and each minority is its own', () => {
  const minority = { seen: 1, expected: 3 }
  const alone = view(winner!, { members: [winner!], minority })
  const other = view(loser!)
  assert.deepEqual(
    Object.fromEntries(rows({ views: [alone, other], silent: [] }).map(([node, ...row]) => [node, row])),
    { [winner!]: [false, 'computed', 'minorityPartition'], [loser!]: [false, 'computed', 'notOwner', 'electionLost'] },
  )
  const waiting = view(winner!, { waiting: 'waiting to join', held: [winner!] })
  assert.deepEqual(rows({ views: [waiting], silent: [] })[0]!.slice(0, 2), ['n1', winner === 'n1'])
})

test('speakers that are silent for the same reason are named together', () => {
  const silent = ['n1', 'n2', 'n3'].map(node => ({ node, error: node === 'n2' ? 'refused' : 'timeout' }))
  assert.deepEqual(explained(explain([...heard, speakerPod('n1')], 'default/web', { views: [], silent })).assumptions, [
    'no answer of the speaker on n1, n3: timeout',
    'no answer of the speaker on n2: refused',
    RUN_TIME,
  ])
})

test('a node tells nobody where no session of it takes a prefix of the Service', () => {
  const row = { node: 'n1', announces: true, reasons: [], warnings: [], prefixes: ['a', 'b'], peers: ['tor'] }
  const told = (...sessions: SessionView[]) => isTold(row, [{ ...view('n1'), sessions }])
  const up = { peer: 'tor', state: 'established' }
  assert.equal(told({ ...up, notSent: [] }), true)
  assert.equal(told({ ...up, notSent: ['a: no next hop'] }), true)
  assert.equal(told({ ...up, notSent: ['a: no next hop', 'b: no next hop'] }), false)
  assert.equal(told({ peer: 'tor', state: 'active', notSent: [] }), false)
  assert.equal(told({ peer: 'a', state: 'active', notSent: [] }, { ...up, notSent: [] }), true)
  assert.equal(told(), false)
  assert.equal(isTold(row, []), true, 'nobody says otherwise')
  assert.equal(isTold({ ...row, announces: false }, []), false)
})

test('what a speaker decides itself counts, whatever is worked out here', () => {
  const reasons = [{ code: 'announceFailed', message: 'no such interface' }]
  const layer2 = { node: winner!, announces: false, reasons, interfaces: [], score: 0 }
  const bgp = { node: winner!, announces: false, reasons, warnings: [], prefixes: [], peers: [] }
  const said = view(winner!, {}, { layer2, bgp, announced: { bgp: [], layer2: [] } })
  const explanation = explained(explain(heard, 'default/web', { views: [said], silent: [] }))
  assert.deepEqual(
    explanation.layer2.nodes.find(({ node }) => node === winner),
    { ...layer2, by: 'speaker' },
  )
  assert.deepEqual(explanation.bgp.nodes, [], 'where BGP is not configured it has no rows')
  assert.deepEqual(explanation.assumptions, [])
})

test('a process that refuses the configuration is told of, unless its speaker was heard itself', () => {
  const state = (name: string, status: object) =>
    object('metallb.io/v1beta1', 'ConfigurationState', { name }, { status })
  const lastTransitionTime = '2026-07-01T00:00:00Z'
  const invalid = {
    ...{ result: 'Invalid', errorSummary: 'configuration error: x' },
    conditions: [{ type: 'configReconcilerValid', status: 'False', reason: 'x', message: 'x', lastTransitionTime }],
  }
  const states = [
    ...[state('speaker-n1', invalid), state('speaker-n2', invalid), state('controller', { result: 'Valid' })],
    state('speaker-n3', { result: 'Unknown' }),
  ]
  const { stale } = explained(explain([...heard, ...states], 'default/web', { views: [view('n1')], silent: [] }))
  assert.deepEqual(stale, [{ process: 'speaker-n2', since: lastTransitionTime, refused: 'configuration error: x' }])
})
