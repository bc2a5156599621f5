import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../adapters/system/hash.ts'
import {
  type EndpointSliceResource,
  endpointSlices,
  type NodeResource,
  nodes,
  type ServiceResource,
  services,
} from '../../api/kubernetes/index.ts'
import type { Config } from '../../core/config/index.ts'
import { EXCLUDE_LABEL } from '../../core/service.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube, FakeRecorder } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { anInterface, FakeInterfaces, FakeMembership, FakeResponder } from '../../testing/fake-speaker.ts'
import { anAdvertisement, aPool, NODES } from '../../testing/layer2-world.ts'
import { Layer2Protocol, SpeakerController, type SpeakerOptions } from './index.ts'

const NAMESPACED = { namespace: 'default' }

function service(name: string, ips: string[], spec: ServiceResource['spec'] = {}): ServiceResource {
  return {
    metadata: { name, ...NAMESPACED },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } },
  }
}

function slice(name: string, on: string[], conditions = {}): EndpointSliceResource {
  return {
    metadata: { name: `${name}-x`, ...NAMESPACED, labels: { 'kubernetes.io/service-name': name } },
    endpoints: on.map(nodeName => ({ addresses: ['10.244.0.1'], nodeName, conditions })),
  }
}

function node(name: string, change: Partial<NodeResource['metadata']> = {}, unavailable = 'False'): NodeResource {
  return {
    metadata: { name, ...change },
    status: { conditions: [{ type: 'NetworkUnavailable', status: unavailable }] },
  }
}

function config(change: Partial<Config> = {}): Config {
  return { pools: [aPool()], l2Advertisements: [anAdvertisement()], ...change }
}

interface Bench {
  kube: FakeKube
  responder: FakeResponder
  membership: FakeMembership
  interfaces: FakeInterfaces
  recorder: FakeRecorder
  metrics: FakeMetrics
  log: FakeLog
  clock: FakeClock
  speaker: SpeakerController
  layer2: Layer2Protocol
  /** Lets the queue run empty. */
  settle: () => Promise<void>
}

/** A running speaker on node-a; the cluster has three nodes and `default/web` with an endpoint, no configuration yet. */
async function bench(change: Partial<SpeakerOptions> & { members?: string[] | undefined; joined?: boolean } = {}) {
  const kube = new FakeKube()
  for (const name of NODES) kube.put(nodes, node(name))
  kube.put(services, service('web', ['192.168.1.240']))
  kube.put(endpointSlices, slice('web', ['node-a']))
  const membership = new FakeMembership('members' in change ? change.members : NODES)
  membership.joined = change.joined ?? true
  const parts = {
    kube,
    membership,
    responder: new FakeResponder(),
    interfaces: new FakeInterfaces('eth0', 'eth1'),
    recorder: new FakeRecorder(),
    metrics: new FakeMetrics(),
    log: new FakeLog(),
    clock: new FakeClock(),
  }
  const layer2 = new Layer2Protocol({
    node: 'node-a',
    responder: parts.responder,
    interfaces: parts.interfaces,
    membership: parts.membership,
  })
  const speaker = new SpeakerController({
    node: 'node-a',
    services: kube.informer(services),
    endpointSlices: kube.informer(endpointSlices),
    nodes: kube.informer(nodes),
    protocols: [layer2],
    plan: { ignoreExcludeLb: false, lbClass: '' },
    hash: sha256,
    ...parts,
    ...change,
  })
  speaker.start()
  const settle = async () => {
    await new Promise(resolve => setImmediate(resolve))
    await speaker.whenIdle()
  }
  await settle()
  return { ...parts, speaker, layer2, settle } satisfies Bench
}

async function announcing(change: Parameters<typeof bench>[0] = {}): Promise<Bench> {
  const world = await bench(change)
  assert.equal(world.speaker.setConfig(config()), 'reprocess all')
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
  return world
}

function withdrawals({ log }: Bench): unknown[] {
  return log.lines.filter(({ fields }) => fields.event === 'serviceWithdrawn').map(({ fields }) => fields.reason)
}

const GAUGE = 'metallb_speaker_announced{ip="192.168.1.240",node="node-a",protocol="layer2",service="default/web"}'
const ASSIGNED = 'Normal nodeAssigned announcing from node "node-a" with protocol "layer2"'

test('66 an announcement: table, gauge, event and log line', async () => {
  const { metrics, recorder, log } = await announcing()
  assert.equal(metrics.series.get(GAUGE), 1)
  assert.deepEqual(recorder.events, [ASSIGNED])
  const line = log.lines.find(({ fields }) => fields.event === 'serviceAnnounced')
  assert.deepEqual(line, {
    level: 'info',
    fields: {
      event: 'serviceAnnounced',
      msg: 'service has IP, announcing',
      ips: ['192.168.1.240'],
      pool: 'p',
      protocol: 'layer2',
      service: 'default/web',
    },
  })
})

test('IMP-1: nothing is claimed before configuration, caches and membership are there, then others are told', async () => {
  const { speaker, membership, responder, settle } = await bench({ joined: false })
  assert.equal(speaker.ready(), 'waiting to join the other speakers')
  speaker.setConfig(config())
  await settle()
  assert.equal(responder.updates, 0)
  assert.equal(membership.activated, false)
  membership.join()
  await settle()
  assert.deepEqual(responder.table, ['192.168.1.240'])
  assert.equal(membership.activated, true)
  assert.equal(speaker.ready(), true)
})

const ENDINGS: [name: string, change: (world: Bench) => void, reason: string][] = [
  [
    '24 another type',
    w => w.kube.put(services, service('web', ['192.168.1.240'], { type: 'ClusterIP' })),
    'notLoadBalancer',
  ],
  ['25 no address', w => w.kube.put(services, service('web', [])), 'noIPAllocated'],
  ['25 hostname', w => w.kube.put(services, service('web', ['x'])), 'invalidIP'],
  ['25 outside every pool', w => w.kube.put(services, service('web', ['192.0.2.1'])), 'ipNotAllowed'],
  ['deleted', w => w.kube.remove(services, { ...NAMESPACED, name: 'web' }), 'serviceDeleted'],
  ['no endpoint', w => w.kube.put(endpointSlices, slice('web', [])), 'notOwner'],
  ['endpoint not ready', w => w.kube.put(endpointSlices, slice('web', ['node-a'], { ready: false })), 'notOwner'],
  ['slice deleted', w => w.kube.remove(endpointSlices, { ...NAMESPACED, name: 'web-x' }), 'notOwner'],
  ['17 network unavailable', w => w.kube.put(nodes, node('node-a', {}, 'True')), 'notOwner'],
  ['19 excluded', w => w.kube.put(nodes, node('node-a', { labels: { [EXCLUDE_LABEL]: 'false' } })), 'notOwner'],
  [
    '26 address of another owner',
    w => w.kube.put(services, service('web', ['192.168.1.241'])),
    'loadBalancerIPChanged',
  ],
  ['advertisement gone', w => void w.speaker.setConfig(config({ l2Advertisements: [] })), 'noMatchingAdvertisement'],
]
for (const [name, change, reason] of ENDINGS) {
  test(`withdrawal: ${name}: ${reason}`, async () => {
    const world = await announcing()
    change(world)
    await world.settle()
    assert.deepEqual(withdrawals(world), [reason])
    assert.deepEqual(world.responder.table, [])
    assert.equal(world.metrics.series.has(GAUGE), false)
    // Why it is not announced is a series where it has an address that it may have.
    const shown = [...world.metrics.series.keys()].some(
      key => key.startsWith('metallb_speaker_service_not_announced{') && key.includes(`reason="${reason}"`),
    )
    assert.equal(shown, ['invalidIP', 'ipNotAllowed'].includes(reason))
  })
}

test('17 the network comes back: announced again, without any Service event', async () => {
  const world = await announcing()
  world.kube.put(nodes, node('node-a', {}, 'True'))
  await world.settle()
  world.kube.put(nodes, node('node-a', {}, 'Unknown'))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('18 whether the network is available is not known: still announced', async () => {
  const world = await announcing()
  world.kube.put(nodes, node('node-a', {}, 'Unknown'))
  world.kube.put(nodes, node('node-a', { labels: { rack: 'r1' } }, 'Unknown'))
  world.speaker.reprocessAll()
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
  assert.deepEqual(withdrawals(world), [])
})

test('16 the first endpoint that is ready, on any node, is announced', async () => {
  const world = await bench()
  world.kube.put(endpointSlices, slice('web', ['node-c'], { ready: false }))
  world.speaker.setConfig(config())
  await world.settle()
  assert.deepEqual(world.responder.table, [])
  world.kube.put(endpointSlices, slice('web', ['node-c'], { ready: true }))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('68 a speaker that owns nothing starts: its responder is told nothing', async () => {
  const world = await bench({ members: NODES })
  world.kube.put(services, service('web', ['192.168.1.241']))
  world.speaker.setConfig(config())
  await world.settle()
  await world.speaker.whenSettled()
  assert.equal(world.responder.updates, 0)
  assert.deepEqual(world.recorder.events, [])
})

test('14 a terminating endpoint that still serves counts', async () => {
  const world = await announcing()
  world.kube.put(endpointSlices, slice('web', ['node-a'], { ready: false, serving: true, terminating: true }))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('2 ownership follows the members, 26 a single node moves with the address', async () => {
  const world = await announcing()
  world.kube.put(services, service('web', ['192.168.1.241']))
  await world.settle()
  assert.deepEqual(world.responder.table, [])
  world.membership.set('node-a')
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.241'])
  world.kube.put(services, service('web', ['192.168.1.242']))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.242'])
  assert.deepEqual(withdrawals(world), ['loadBalancerIPChanged', 'loadBalancerIPChanged'])
})

test('27 a configuration that strands an announced address is refused, the old one stays', async () => {
  const world = await announcing()
  const other = config({ pools: [aPool({ entries: ['10.0.0.0/24'] })] })
  assert.equal(world.speaker.setConfig(other), 'error')
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
  const line = world.log.lines.find(({ level }) => level === 'error')
  assert.deepEqual(line?.fields, {
    op: 'setConfig',
    service: 'default/web',
    ip: ['192.168.1.240'],
    error: 'service has no configuration under new config',
    msg: 'new configuration rejected',
  })
})

test('no configuration is an error that only new input can cure', async () => {
  const { speaker } = await bench()
  assert.equal(speaker.setConfig(undefined), 'error, no retry')
})

test('28 membership off: a deleted Node is forgotten (IMP-2)', async () => {
  const world = await announcing({ members: undefined })
  world.kube.put(services, service('web', ['192.168.1.241'])) // node-c owns it
  await world.settle()
  assert.deepEqual(world.responder.table, [])
  world.kube.remove(nodes, { name: 'node-c' })
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.241'])
})

test('67 a hundred endpoint updates without a move: one event, one update of the table', async () => {
  const world = await announcing()
  for (let round = 0; round < 100; round++) {
    world.kube.put(endpointSlices, slice('web', round % 2 ? ['node-a'] : ['node-a', 'node-b']))
    await world.settle()
  }
  assert.deepEqual(world.recorder.events, [ASSIGNED])
  assert.equal(world.responder.updates, 1)
})

test('40 missing interfaces: warning once, no gauge, no nodeAssigned; announced when the interface appears', async () => {
  const world = await bench()
  world.speaker.setConfig(config({ l2Advertisements: [anAdvertisement({ interfaces: new Set(['nosuch0']) })] }))
  await world.settle()
  world.speaker.reprocessAll()
  await world.settle()
  const warning =
    'Warning announceFailed the interfaces specified by LB IP "192.168.1.240" doesn\'t exist in assigned node "node-a" with protocol "layer2"'
  assert.deepEqual(world.recorder.events, [warning])
  const lines = world.log.lines.filter(({ fields }) => String(fields.msg).startsWith('the specified interfaces'))
  assert.equal(lines.length, 1)
  const { op, protocol, service: named, IPAdvertisement, localIfs } = lines[0]!.fields
  assert.deepEqual([lines[0]!.level, op, protocol, named], ['warn', 'SetBalancer', 'layer2', 'default/web'])
  assert.deepEqual([IPAdvertisement, localIfs], [{ interfaces: ['nosuch0'] }, ['eth0', 'eth1']])
  assert.equal(world.metrics.series.has(GAUGE), false)
  assert.deepEqual(world.responder.table, [])
  world.interfaces.set(anInterface('nosuch0'))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240 nosuch0'])
  assert.deepEqual(world.recorder.events, [warning, ASSIGNED])
  assert.equal(world.metrics.series.get(GAUGE), 1)
  world.interfaces.set(anInterface('nosuch0', { carrier: false }))
  await world.settle()
  assert.deepEqual(world.responder.table, [])
  assert.deepEqual(withdrawals(world), ['announceFailed'])
})

test('IMP-25: the usable of the selected interfaces are published; without one another node takes over, and gives it back', async () => {
  const world = await bench()
  for (const node of ['node-b', 'node-c']) world.membership.setInterfaces(node, ['eth1'])
  world.speaker.setConfig(config({ l2Advertisements: [anAdvertisement({ interfaces: new Set(['eth1', 'eth7']) })] }))
  await world.settle()
  assert.deepEqual(world.membership.published, ['eth1'])
  assert.deepEqual(world.responder.table, ['192.168.1.240 eth1,eth7'])
  world.interfaces.set(anInterface('eth0'), anInterface('eth1', { carrier: false }))
  assert.deepEqual(world.membership.published, [], 'before anything is decided')
  await world.settle()
  assert.deepEqual(world.responder.table, [])
  assert.deepEqual(withdrawals(world), ['notOwner'])
  world.interfaces.set(anInterface('eth0'), anInterface('eth1'))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240 eth1,eth7'])
})

test('IMP-5: where placement is balanced, one Service may move another', async () => {
  const plan = { ignoreExcludeLb: false, lbClass: '', balanced: true }
  const world = await bench({ plan })
  world.speaker.setConfig(config())
  const announced = async () => {
    await world.settle()
    return world.responder.table.length
  }
  for (let index = 0; index < 30; index++) world.kube.put(services, service(`s${index}`, [`10.0.0.${index}`]))
  for (let index = 0; index < 30; index++) world.kube.put(endpointSlices, slice(`s${index}`, ['node-b']))
  const before = await announced()
  assert.ok(before >= 8 && before <= 11, `${before} of 31`)
  for (let index = 0; index < 15; index++) world.kube.remove(services, { ...NAMESPACED, name: `s${index}` })
  const after = await announced()
  assert.ok(after >= 4 && after <= 6, `${after} of 16`)
})

test('IMP-7: other interfaces replace the old ones', async () => {
  const world = await announcing()
  world.speaker.setConfig(config({ l2Advertisements: [anAdvertisement({ interfaces: new Set(['eth1']) })] }))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240 eth1'])
  assert.deepEqual(world.layer2.announcedOn('default/web'), ['eth1'])
  assert.deepEqual(world.recorder.events, [ASSIGNED], 'a change is no new assignment')
})

test('5 two Services on one address: one row, and it stays until both are gone', async () => {
  const world = await announcing()
  world.kube.put(services, service('dns', ['192.168.1.240']))
  world.kube.put(endpointSlices, slice('dns', ['node-b']))
  await world.settle()
  assert.deepEqual(world.recorder.events, [ASSIGNED, ASSIGNED])
  world.kube.remove(services, { ...NAMESPACED, name: 'web' })
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
  world.kube.remove(services, { ...NAMESPACED, name: 'dns' })
  await world.settle()
  assert.deepEqual(world.responder.table, [])
})

test('IMP-3: a Service that leaves an address lets the others on it be elected anew', async () => {
  const world = await bench()
  const local = { externalTrafficPolicy: 'Local' }
  world.kube.put(services, service('web', ['192.168.1.240'], local))
  world.kube.put(services, service('dns', ['192.168.1.240'], local))
  world.kube.put(endpointSlices, slice('web', ['node-a', 'node-b']))
  world.kube.put(endpointSlices, slice('dns', ['node-b']))
  world.speaker.setConfig(config())
  await world.settle()
  assert.deepEqual(world.responder.table, []) // node-b can serve both
  world.kube.put(services, service('dns', ['192.168.1.241'], local))
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('IMP-3: endpoints of one Service decide for the others on its address', async () => {
  const world = await bench()
  const local = { externalTrafficPolicy: 'Local' }
  for (const name of ['web', 'dns']) world.kube.put(services, service(name, ['192.168.1.240'], local))
  world.kube.put(endpointSlices, slice('web', ['node-a', 'node-b']))
  world.speaker.setConfig(config())
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
  world.kube.put(endpointSlices, slice('dns', ['node-b']))
  await world.settle()
  assert.deepEqual(world.responder.table, [])
})

test('a responder that fails is tried again', async () => {
  const world = await bench()
  world.responder.fail = true
  world.speaker.setConfig(config())
  await world.settle()
  assert.equal(world.log.lines.filter(({ fields }) => fields.msg === 'failed to announce service').length, 1)
  world.responder.fail = false
  world.clock.advance(5)
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('23 Services of another class are left alone', async () => {
  const world = await announcing()
  world.kube.put(services, service('other', ['192.168.1.242'], { loadBalancerClass: 'foo' }))
  world.membership.set('node-a')
  await world.settle()
  assert.deepEqual(world.responder.table, ['192.168.1.240'])
})

test('a Service that came back under another class is not announced any more', async () => {
  const world = await announcing()
  world.kube.put(services, service('web', ['192.168.1.240'], { loadBalancerClass: 'foo' }))
  await world.settle()
  assert.deepEqual(world.responder.table, [])
})

test('a planned stop withdraws everything, later changes are not looked at', async () => {
  const world = await announcing()
  await world.speaker.stop()
  assert.deepEqual(world.responder.table, [])
  const updates = world.responder.updates
  world.kube.put(services, service('web', ['192.168.1.243']))
  world.membership.set('node-a')
  await world.settle()
  assert.equal(world.responder.updates, updates)
})

test('own Node events ask for a rejoin; status noise moves nothing', async () => {
  const world = await announcing()
  const { rejoins } = world.membership
  const lines = world.log.lines.length
  world.kube.put(nodes, node('node-a', { annotations: { heartbeat: '1' } }))
  await world.settle()
  assert.equal(world.membership.rejoins, rejoins + 1)
  assert.equal(world.log.lines.length, lines)
})

const SAYS: [name: string, change: Partial<Config>, endpoints: string[], fields: Record<string, unknown>][] = [
  [
    'R1',
    {},
    [],
    {
      event: 'shouldannounce',
      protocol: 'l2',
      message: 'failed no active endpoints',
      reasons: ['notOwner', 'noEndpoints'],
    },
  ],
  [
    'R3',
    { l2Advertisements: [] },
    ['node-a'],
    {
      event: 'skipping should announce l2',
      reason: 'no advertisement matching service on my node',
      reasons: ['noMatchingAdvertisement'],
    },
  ],
  [
    'R5',
    { l2Advertisements: [anAdvertisement({ preferredNodes: new Map([['node-b', 1]]) })] },
    ['node-a'],
    {
      event: 'shouldannounce',
      protocol: 'l2',
      message: 'node node-b comes first of 3 for 192.168.1.240',
      reasons: ['notOwner', 'electionLost'],
    },
  ],
]
for (const [name, change, endpoints, fields] of SAYS)
  test(`the log says why a Service is not announced: ${name}`, async () => {
    const world = await bench()
    world.kube.put(endpointSlices, slice('web', endpoints))
    world.speaker.setConfig(config(change))
    await world.settle()
    const line = world.log.lines.find(({ fields: { event } }) => event === fields.event)
    assert.deepEqual(line, { level: 'debug', fields: { ...fields, service: 'default/web' } })
  })

test('22 a sharing Service that meets service selectors is warned about', async () => {
  const world = await bench()
  const shared = service('web', ['192.168.1.240'])
  world.kube.put(services, {
    ...shared,
    metadata: { ...shared.metadata, annotations: { 'metallb.io/allow-shared-ip': '' } },
  })
  world.speaker.setConfig(config({ l2Advertisements: [anAdvertisement({ serviceSelectors: [{}] })] }))
  await world.settle()
  const reason = 'allow-shared-ip is incompatible with serviceSelectors on L2 advertisements'
  const fields = { event: 'skipping should announce l2', service: 'default/web', reason }
  assert.deepEqual(
    world.log.lines.filter(({ level }) => level === 'warn'),
    [{ level: 'warn', fields }],
  )
})

test('a Service that labels keep from being announced anywhere is an event of one node, once, and a series', async () => {
  const excluded = { labels: { [EXCLUDE_LABEL]: '' } }
  const world = await announcing()
  const told = () => world.recorder.events.filter(event => event.includes('announceSkipped'))
  const series = () => [...world.metrics.series.keys()].filter(key => key.includes('_not_announced'))
  for (const name of ['node-b', 'node-c']) world.kube.put(nodes, node(name, excluded))
  await world.settle()
  assert.deepEqual([told(), series()], [[], []])
  world.kube.put(nodes, node('node-a', excluded))
  await world.settle()
  world.speaker.reprocessAll()
  await world.settle()
  const names = 'nodes node-a, node-b, node-c'
  assert.deepEqual(told(), [
    `Warning announceSkipped no node is left to announce it: ${names} have the label ${EXCLUDE_LABEL}; remove it, or run the speakers with --ignore-exclude-lb`,
  ])
  assert.deepEqual(series(), [
    'metallb_speaker_service_not_announced{node="node-a",protocol="layer2",reason="nodeLabeledExcludeBalancers",service="default/web"}',
  ])
  assert.equal(
    world.metrics.series.get('metallb_layer2_leader_changes_total{ip="192.168.1.240",service="default/web"}'),
    2,
  )
  world.kube.put(nodes, node('node-c'))
  await world.settle()
  world.kube.put(nodes, node('node-c', excluded))
  await world.settle()
  assert.equal(told().length, 2, 'so again, though it was another node that changed')
  world.kube.remove(services, { name: 'web', ...NAMESPACED })
  await world.settle()
  assert.deepEqual(series(), [])
  assert.equal(
    [...world.metrics.series.keys()].some(key => key.includes('leader_changes')),
    false,
  )
})
