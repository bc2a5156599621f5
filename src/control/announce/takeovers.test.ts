import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import { admit } from '../../core/plan/index.ts'
import type { Node, Service } from '../../core/service.ts'
import { EXCLUDE_LABEL } from '../../core/service.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { FakeInterfaces, FakeResponder } from '../../testing/fake-speaker.ts'
import { aNode, anAdvertisement, aService, aWorld, NODES, type Scenario } from '../../testing/layer2-world.ts'
import { Layer2Protocol, Takeovers } from './index.ts'

// The order for 192.168.1.240 is node-a, node-c, node-b; this is node-c.
const ADDRESS = parseAddress('192.168.1.10')!
const others = ['node-b', 'node-c']

function speaker(quietMs = 0) {
  const [clock, log, metrics, responder] = [new FakeClock(), new FakeLog(), new FakeMetrics(), new FakeResponder()]
  const takeovers = new Takeovers({ node: 'node-c', clock, metrics, log, quietMs })
  const interfaces = new FakeInterfaces('eth0')
  const layer2 = new Layer2Protocol({ node: 'node-c', responder, interfaces, takeovers })
  /** One pass over `default/web` as the speaker controller does it. */
  const pass = async (scenario: Scenario, retired: Record<string, number> = {}, change: Partial<Node> = {}) => {
    const nodes = NODES.map(name => aNode(name, name === 'node-a' ? { addresses: [ADDRESS], ...change } : {}))
    const world = { ...aWorld({ nodes, ...scenario }), retired: new Map(Object.entries(retired)) }
    const admission = admit(world.service, world.config)
    assert.ok('pool' in admission)
    const wish = layer2.planner(world).shouldAnnounce(admission)
    if ('addresses' in wish) layer2.setBalancer(world.service.key, wish)
    else layer2.deleteBalancer(world.service.key)
    await layer2.commit()
    return responder.table
  }
  const said = () => log.lines.map(({ fields }) => String(fields.msg))
  return { takeovers, clock, metrics, log, responder, layer2, pass, said }
}

test('what a retired node had is taken over quietly, and its addresses are watched', async () => {
  const { pass, responder, said, metrics } = speaker()
  assert.deepEqual(await pass({}), [])
  assert.deepEqual(await pass({ members: others }, { 'node-a': 0 }), ['192.168.1.240 after node-a'])
  assert.deepEqual(responder.predecessors, ['node-a 192.168.1.10'])
  assert.deepEqual(said(), ['took over quietly from node-a'])
  assert.equal(metrics.series.get('metallb_layer2_quiet_takeovers_total'), 1)
})

test('what a dead node had is announced at once', async () => {
  const { pass } = speaker()
  await pass({})
  assert.deepEqual(await pass({ members: others }), ['192.168.1.240'])
})

test('what a retired node never had is announced at once', async () => {
  const { pass } = speaker()
  const service = aService({ ips: ['192.168.1.241'] }) // order c, a, b
  assert.deepEqual(await pass({ service, members: others }, { 'node-a': 0 }), ['192.168.1.241'])
})

test('it depends on how long ago the node left, not on the time', async () => {
  for (const [leftMs, row] of [
    [3001, '192.168.1.240 after node-a'],
    [3000, '192.168.1.240'],
  ] as const) {
    const { pass, clock } = speaker()
    clock.advance(5000)
    assert.deepEqual(await pass({ members: others }, { 'node-a': leftMs }), [row])
  }
})

test('a Service that starts more than 2 s after the leave is announced at once', async () => {
  const { pass, clock } = speaker()
  clock.advance(2000)
  assert.deepEqual(await pass({ members: others }, { 'node-a': 0 }), ['192.168.1.240'])
})

test('it is watched at the addresses that its Node object has now', async () => {
  const { pass, takeovers } = speaker()
  const now = parseAddress('192.168.1.11')!
  await pass({ members: others }, { 'node-a': 0 })
  await pass({ members: others }, { 'node-a': 0 }, { addresses: [now] })
  assert.deepEqual(takeovers.predecessors(), [{ node: 'node-a', addresses: [now] }])
})

const ENDS: [why: string, retired: Record<string, number>, change: Partial<Node>, scenario?: Scenario][] = [
  ['the time is over, or its next speaker died', {}, {}],
  ['the node is not ready', { 'node-a': 0 }, { ready: false }],
  ['the node is tainted as shut down', { 'node-a': 0 }, { shutDown: true }],
  ['no such node', { 'node-a': 0 }, {}, { nodes: others.map(name => aNode(name)) }],
  ['it could not announce any more if its speaker ran', { 'node-a': 0 }, { labels: { [EXCLUDE_LABEL]: '' } }],
  ['it could not announce any more if its speaker ran', { 'node-a': 0 }, { networkUnavailable: true }],
]
for (const [why, retired, change, scenario = {}] of ENDS)
  test(`the quiet ends, and does not come back: ${why} (${JSON.stringify(change)})`, async () => {
    const { pass, said } = speaker()
    await pass({ members: others }, { 'node-a': 0 })
    assert.deepEqual(await pass({ members: others, ...scenario }, retired, change), ['192.168.1.240'])
    assert.equal(said().at(-1), `nothing is kept quiet for node-a any more: ${why}`)
    assert.deepEqual(await pass({ members: others }, { 'node-a': 0 }), ['192.168.1.240'])
    assert.equal(said().filter(line => line.startsWith('nothing is kept quiet')).length, 1, 'said once')
  })

test('the speaker of the former node comes back: it answers again, nobody moved', async () => {
  const { pass, said, responder } = speaker()
  await pass({ members: others }, { 'node-a': 0 })
  assert.deepEqual(await pass({ members: NODES }), [])
  assert.deepEqual(responder.predecessors, [])
  assert.equal(said().at(-1), 'nothing is kept quiet for node-a any more: its speaker is back')
})

test('of two that left only those before this node count, the one that left last first', async () => {
  const worldOf = (ip: string) => ({ service: aService({ ips: [ip] }), members: ['node-c'] })
  const first = speaker() // node-a, node-c, node-b
  assert.deepEqual(await first.pass(worldOf('192.168.1.240'), { 'node-a': 0, 'node-b': 1 }), [
    '192.168.1.240 after node-a',
  ])
  const last = speaker() // node-b, node-a, node-c
  const ads = [anAdvertisement({ preferredNodes: new Map([['node-b', 10]]) })]
  const scenario = { ...worldOf('192.168.1.240'), ads }
  assert.deepEqual(await last.pass(scenario, { 'node-a': 1, 'node-b': 0 }), ['192.168.1.240 after node-a,node-b'])
})

// The order for 192.168.1.241 is node-c, node-a, node-b: while this one was away node-a had it.
const QUIET_MS = 300_000
const mine = { service: aService({ ips: ['192.168.1.241'] }) }

test('a speaker that starts takes its addresses back quietly from who stood in for it', async () => {
  const { pass, responder, said, metrics } = speaker(QUIET_MS)
  assert.deepEqual(await pass(mine), ['192.168.1.241 after node-a'])
  assert.deepEqual(responder.predecessors, ['node-a 192.168.1.10'])
  assert.deepEqual(said(), ['took back quietly from node-a'])
  assert.equal(metrics.series.get('metallb_layer2_quiet_takeovers_total'), 1)
  assert.deepEqual(await pass(mine), ['192.168.1.241 after node-a'])
  assert.equal(said().length, 1)
})

test('where nothing is to be kept quiet, or nobody stood in, it announces at once', async () => {
  const loud = speaker(0)
  let told = 0
  loud.layer2.subscribe(() => told++)
  assert.deepEqual(await loud.pass(mine), ['192.168.1.241'])
  loud.clock.advance(1)
  assert.equal(told, 0)
  assert.deepEqual(await speaker(QUIET_MS).pass({ ...mine, members: ['node-c'] }), ['192.168.1.241'])
  assert.deepEqual(await speaker(QUIET_MS).pass({ ...mine, members: undefined }), ['192.168.1.241'])
})

test('what comes to it later is announced at once', async () => {
  const { pass } = speaker(QUIET_MS)
  await pass({})
  assert.deepEqual(await pass(mine), ['192.168.1.241'])
})

test('beside what it took back, too', async () => {
  const { pass } = speaker(QUIET_MS)
  await pass(mine)
  const service = aService({ name: 'later', ips: ['10.0.0.9'] })
  const ads = [anAdvertisement({ preferredNodes: new Map([['node-c', 10]]) })]
  assert.deepEqual(await pass({ service, ads }), ['10.0.0.9', '192.168.1.241 after node-a'])
})

test('held back at its start it takes back quietly once it is held no more', async () => {
  const { pass } = speaker(QUIET_MS)
  assert.deepEqual(await pass({ ...mine, held: ['node-c'] }), [])
  assert.deepEqual(await pass(mine), ['192.168.1.241 after node-a'])
})

const STAND_IN_ENDS: [why: string, retired: Record<string, number>, change: Partial<Node>, scenario?: Scenario][] = [
  ['its speaker died', {}, {}, { members: others }],
  ['the node is not ready', {}, { ready: false }],
  ['it could not announce any more', {}, { labels: { [EXCLUDE_LABEL]: '' } }],
]
for (const [why, retired, change, scenario = {}] of STAND_IN_ENDS)
  test(`a node that stood in is told of no more: ${why}`, async () => {
    const { pass, said } = speaker(QUIET_MS)
    await pass(mine)
    assert.deepEqual(await pass({ ...mine, ...scenario }, retired, change), ['192.168.1.241'])
    assert.equal(said().at(-1), `nothing is kept quiet for node-a any more: ${why}`)
    assert.deepEqual(await pass(mine), ['192.168.1.241'])
  })

test('a node that stood in may leave by plan', async () => {
  const { pass } = speaker(QUIET_MS)
  await pass(mine)
  assert.deepEqual(await pass({ ...mine, members: others }, { 'node-a': 0 }), ['192.168.1.241 after node-a'])
})

test('the time of a node that stood in is over: that is told, and the address announced', async () => {
  const { clock, layer2, pass, said } = speaker(QUIET_MS)
  let told = 0
  const unsubscribe = layer2.subscribe(() => told++)
  await pass(mine)
  clock.advance(QUIET_MS - 1)
  assert.deepEqual([told, await pass(mine)], [0, ['192.168.1.241 after node-a']])
  clock.advance(1)
  assert.deepEqual([told, await pass(mine)], [1, ['192.168.1.241']])
  assert.equal(said().at(-1), 'nothing is kept quiet for node-a any more: the time is over')
  unsubscribe()
})

test('who no longer announces what it took back keeps nothing quiet for it', async () => {
  const { pass, said, responder } = speaker(QUIET_MS)
  await pass(mine)
  assert.deepEqual(await pass({ ...mine, nodes: [aNode('node-a'), aNode('node-c', { networkUnavailable: true })] }), [])
  assert.deepEqual(responder.predecessors, [])
  assert.equal(said().at(-1), 'nothing is kept quiet for node-a any more: this node does not announce it any more')
})

/** One look at Services, as the planner takes it. */
function look({ takeovers }: ReturnType<typeof speaker>, scenario: Scenario, retired: Record<string, number> = {}) {
  const nodes = NODES.map(name => aNode(name, { addresses: [ADDRESS] }))
  const world = { ...aWorld({ nodes, ...scenario }), retired: new Map(Object.entries(retired)) }
  const review = takeovers.review(world)
  return {
    announces: (service: Service, isNew: boolean) => {
      const admitted = admit(service, world.config)
      assert.ok('pool' in admitted)
      return review.announces(admitted, isNew)
    },
    refuses: (service: Service) => review.refuses(service.key),
  }
}
const web = aService({ ips: ['192.168.1.241'] })
const other = aService({ name: 'other', ips: ['192.168.1.243'] })

test('it says whether anything changed, so that the table is written then and not else', () => {
  const one = speaker(QUIET_MS)
  const first = look(one, {})
  assert.deepEqual([first.announces(web, true), first.announces(web, false)], [true, false])
  assert.equal(look(one, {}).announces(web, false), false)
  assert.equal(look(one, { members: others }).announces(web, false), true)
  assert.equal(look(one, { members: others }).announces(web, false), false)
  assert.equal(look(one, {}).announces(other, true), false)
})

test('of two that left one comes back: that is a change', () => {
  const one = speaker()
  const ads = [anAdvertisement({ preferredNodes: new Map([['node-b', 10]]) })]
  const vip = aService()
  assert.equal(look(one, { ads, members: ['node-c'] }, { 'node-a': 1, 'node-b': 0 }).announces(vip, true), true)
  assert.deepEqual(one.takeovers.after('default/web'), ['node-a', 'node-b'])
  assert.equal(look(one, { ads, members: ['node-c'] }, { 'node-a': 1 }).announces(vip, false), true)
  assert.deepEqual(one.takeovers.after('default/web'), ['node-a'])
})

test('one line for each node, with the number of its Services, and the time is told once', () => {
  const one = speaker(QUIET_MS)
  let told = 0
  one.layer2.subscribe(() => told++)
  const twin = aService({ name: 'twin', ips: ['192.168.1.241'] })
  const first = look(one, {})
  for (const service of [web, twin]) first.announces(service, true)
  one.takeovers.report()
  const later = look(one, {})
  for (const service of [web, twin, web]) later.refuses(service)
  one.takeovers.report()
  one.takeovers.report()
  assert.deepEqual(
    one.log.lines.map(({ fields }) => [fields.event, fields.node, fields.services]),
    [
      ['quietTakeover', 'node-a', 2],
      ['quietTakeoverEnded', 'node-a', 2],
    ],
  )
  assert.equal(one.metrics.series.get('metallb_layer2_quiet_takeovers_total'), 2)
  one.clock.advance(2 * QUIET_MS)
  assert.equal(told, 1)
})
