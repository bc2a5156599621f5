// Chapter 01 sections 3, 5.4 and 6.M.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  type ConfigurationStateResource,
  communities,
  configMaps,
  configurationStates,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  nodes,
  secrets,
} from '../../api/index.ts'
import type { Config } from '../../core/config/index.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import type { SyncResult } from '../sync.ts'
import { ConfigLoader } from './loader.ts'

const NAMESPACE = 'metallb-system'
const STALE = 'metallb_k8s_client_config_stale_bool'
const LOADED = 'metallb_k8s_client_config_loaded_bool'
const UPDATES = 'metallb_k8s_client_updates_total'
const UPDATE_ERRORS = 'metallb_k8s_client_update_errors_total'

class World {
  readonly kube = new FakeKube()
  readonly clock = new FakeClock()
  readonly log = new FakeLog()
  readonly metrics = new FakeMetrics()
  readonly applied: Config[] = []
  readonly loader: ConfigLoader
  readonly stateName: string
  reprocessed = 0
  reversed = false
  result: SyncResult | Error = 'reprocess all'

  constructor(node?: string) {
    const { kube } = this
    this.stateName = node === undefined ? 'controller' : `speaker-${node}`
    if (node !== undefined) kube.put(nodes, { metadata: { name: node } })
    const listed = kube.informer(ipAddressPools).list
    this.loader = new ConfigLoader({
      kube,
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      namespace: NAMESPACE,
      ...(node === undefined ? {} : { node }),
      pod: { name: 'pod-1', uid: 'pod-uid-1' },
      states: kube.informer(configurationStates),
      sources: {
        pools: {
          ...kube.informer(ipAddressPools),
          list: () => (this.reversed ? listed().reverse() : listed()),
        },
        communities: kube.informer(communities),
        namespaces: kube.informer(namespaces),
        ...(node === undefined
          ? {}
          : {
              l2Advertisements: kube.informer(l2Advertisements),
              nodes: kube.informer(nodes),
              peers: kube.informer(bgpPeers),
              bgpAdvertisements: kube.informer(bgpAdvertisements),
              bfdProfiles: kube.informer(bfdProfiles),
              secrets: kube.informer(secrets),
              configMaps: kube.informer(configMaps),
            }),
      },
      apply: config => {
        this.applied.push(config)
        if (this.result instanceof Error) throw this.result
        return this.result
      },
      reprocessAll: () => void this.reprocessed++,
    })
  }

  async start(): Promise<this> {
    this.loader.start()
    await this.settle()
    return this
  }

  /** Until nothing is left to do but what waits for the clock. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await null
  }

  async pool(name: string, addresses: string[], metadata: object = {}): Promise<void> {
    this.kube.put(ipAddressPools, { metadata: { name, namespace: NAMESPACE, ...metadata }, spec: { addresses } })
    await this.settle()
  }

  get state(): ConfigurationStateResource | undefined {
    return this.kube.peek(configurationStates, { namespace: NAMESPACE, name: this.stateName })
  }

  get verdict() {
    const { result, errorSummary, conditions = [] } = this.state?.status ?? {}
    const [condition] = conditions
    return { result, errorSummary, status: condition?.status, reason: condition?.reason, message: condition?.message }
  }

  series(name: string): number | undefined {
    return this.metrics.series.get(name)
  }
}

const VALID = { result: 'Valid', errorSummary: '', status: 'True', reason: 'Reconciled', message: '' }
const invalid = (message: string) => ({
  result: 'Invalid',
  errorSummary: message,
  status: 'False',
  reason: 'ConfigurationError',
  message,
})
const BAD_X =
  'configuration error: IPAddressPool metallb-system/web spec.addresses[0]: parsing address pool web: invalid CIDR "x" in pool "web": invalid CIDR "x"'

test('178 an empty cluster is a valid configuration', async () => {
  const world = new World()
  assert.equal(world.loader.ready(), 'the configuration has not been looked at yet')
  await world.start()
  assert.equal(world.loader.ready(), true)
  assert.deepEqual(world.applied, [{ pools: [], l2Advertisements: [] }])
  assert.deepEqual([world.series(LOADED), world.series(STALE), world.reprocessed], [1, 0, 1])
  assert.deepEqual(world.verdict, VALID)
  assert.equal(world.state!.status!.conditions![0]!.type, 'poolReconcilerValid')
  assert.deepEqual(world.state!.metadata.labels, { 'metallb.io/component-type': 'controller' })
  assert.deepEqual(world.state!.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Pod', name: 'pod-1', uid: 'pod-uid-1' },
  ])
})

test('179 a speaker reports under the name of its node', async () => {
  const world = await new World('w1').start()
  assert.deepEqual(world.state!.metadata.labels, {
    'metallb.io/component-type': 'speaker',
    'metallb.io/node-name': 'w1',
  })
  assert.equal(world.state!.status!.conditions![0]!.type, 'configReconcilerValid')
})

test('a node name longer than a label value is cut in the label (REF-BUG 19)', async () => {
  const node = `${'n'.repeat(80)}.example`
  const world = await new World(node).start()
  assert.equal(world.state!.metadata.labels!['metallb.io/node-name']!.length, 63)
})

test('180, 181 a broken pool leaves the former configuration in force, and mending it needs no new one', async () => {
  const world = await new World().start()
  await world.pool('web', ['172.20.8.0/24'])
  assert.equal(world.applied.length, 2)
  await world.pool('web', ['x'])
  assert.deepEqual(world.verdict, invalid(BAD_X))
  assert.deepEqual([world.series(LOADED), world.series(STALE), world.series(UPDATE_ERRORS)], [1, 1, undefined])
  assert.equal(world.clock.armed, 0, 'no timed retry')
  const line = world.log.lines.find(({ level }) => level === 'error')!.fields
  assert.equal(line.msg, 'failed to parse the configuration')
  assert.match(String(line.error), /invalid CIDR "x"/)
  assert.deepEqual([line.kind, line.name, line.field], ['IPAddressPool', 'web', 'spec.addresses[0]'])
  await world.pool('web', ['172.20.8.0/24'])
  assert.deepEqual(world.verdict, VALID)
  assert.deepEqual([world.series(STALE), world.applied.length, world.reprocessed], [0, 2, 2])
})

test('the configuration in force has an age, what is refused a reason, and what differs a name', async () => {
  const world = new World()
  await world.start()
  await world.pool('web', ['172.20.8.0/24'], { generation: 1 })
  const since = '2026-01-01T00:00:00Z'
  world.clock.advance(60_000)
  await world.pool('web', ['x'], { generation: 2 })
  assert.deepEqual(world.loader.standing(), {
    since,
    refused: BAD_X.replace('configuration error: ', ''),
    differs: ['IPAddressPool metallb-system/web changed'],
  })
  const times = () =>
    ['success', 'error'].map(outcome => world.series(`metallb_config_last_${outcome}_timestamp_seconds`))
  const start = Date.UTC(2026, 0, 1) / 1000
  assert.deepEqual(times(), [start, start + 60])
  await world.pool('web', ['172.20.8.0/24'], { generation: 3 })
  assert.deepEqual(world.loader.standing(), { since, differs: [] }, 'it says the same again')
  assert.deepEqual(times(), [start + 60, start + 60])
  world.result = 'error, no retry'
  await world.pool('web', ['172.20.9.0/24'], { generation: 4 })
  const refused = 'it could not be applied: the log says why'
  assert.deepEqual(world.loader.standing().refused, refused)
  world.result = 'success'
  await world.pool('web', ['172.20.10.0/24'], { generation: 5 })
  assert.deepEqual(world.loader.standing(), { since: '2026-01-01T00:01:00Z', differs: [] })
})

test('a process that never had a valid configuration says so', async () => {
  const world = new World()
  await world.pool('web', ['x'])
  await world.start()
  assert.deepEqual(world.loader.standing(), { refused: BAD_X.replace('configuration error: ', ''), differs: [] })
})

test('182 a start with a broken pool loads nothing', async () => {
  const world = new World()
  await world.pool('web', ['x'])
  await world.start()
  assert.deepEqual([world.series(LOADED), world.series(STALE), world.applied.length], [0, 1, 0])
  assert.equal(world.loader.ready(), true)
})

test('every problem is in the message, up to the length a condition can have (REF-BUG 24)', async () => {
  const world = new World()
  await world.pool('web', Array(400).fill('y'.repeat(100)))
  await world.start()
  const { message } = world.verdict
  assert.equal(message!.length, 32768)
  assert.match(message!, /spec\.addresses\[1\]/)
  assert.equal(world.log.lines.filter(({ fields }) => fields.field !== undefined).length, 20)
})

test('185, 186 the controller looks at the spec of pools, speakers at their labels too, nobody at the status', async () => {
  for (const [node, expected] of [
    [undefined, [0, 0, 0, 1]],
    ['w1', [0, 0, 1, 2]],
  ] as const) {
    const world = new World(node)
    await world.pool('web', ['172.20.8.0/24'], { generation: 1 })
    await world.start()
    const before = world.series(UPDATES)!
    const seen: number[] = []
    const change = async (addresses: string[], metadata: object) => {
      await world.pool('web', addresses, metadata)
      seen.push(world.series(UPDATES)! - before)
    }
    await change(['172.20.8.0/24'], { generation: 1, resourceVersion: '9' }) // status
    await change(['172.20.8.0/24'], { generation: 1, annotations: { a: 'b' } })
    await change(['172.20.8.0/24'], { generation: 1, annotations: { a: 'b' }, labels: { zone: 'a' } })
    await change(['172.20.9.0/24'], { generation: 2, labels: { zone: 'a' } })
    assert.deepEqual(seen, expected)
  }
})

test('187 a node heartbeat is nothing, a node label is a new look', async () => {
  const world = await new World('w1').start()
  const count = () => world.series(UPDATES)!
  const node = (labels: Record<string, string>, ready: string) => {
    world.kube.put(nodes, {
      metadata: { name: 'w1', labels },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    })
    return world.settle()
  }
  await node({ rack: 'r1' }, 'True')
  const before = count()
  await node({ rack: 'r1' }, 'False')
  assert.equal(count(), before)
  await node({ rack: 'r2' }, 'False')
  assert.equal(count(), before + 1)
})

test('objects of other namespaces are not configuration', async () => {
  const world = await new World().start()
  await world.pool('web', ['x'], { namespace: 'default' })
  assert.deepEqual(world.verdict, VALID)
  assert.equal(world.applied.length, 1)
})

test('a transient failure of the handler is retried with back-off until it succeeds', async () => {
  const world = new World()
  world.result = 'error'
  await world.start()
  const failed = invalid('configuration error: general handler sync state error')
  assert.deepEqual(world.verdict, failed)
  assert.deepEqual([world.series(LOADED), world.series(STALE), world.series(UPDATE_ERRORS)], [0, 1, 1])
  world.result = new Error('broken')
  world.clock.advance(5)
  await world.settle()
  assert.equal(world.series(UPDATE_ERRORS), 2)
  world.result = 'success'
  world.clock.advance(10)
  await world.settle()
  assert.deepEqual(world.verdict, VALID)
  assert.deepEqual([world.series(STALE), world.applied.length, world.reprocessed], [0, 3, 0])
})

test('190 what only new input can cure stays refused when the same input comes again (REF-BUG 10)', async () => {
  const world = await new World('w1').start()
  world.result = 'error, no retry'
  await world.pool('web', ['172.20.8.0/24'])
  const failed = invalid('configuration error: general handler sync state error')
  assert.deepEqual(world.verdict, failed)
  assert.equal(world.clock.armed, 0)
  world.result = 'success'
  world.kube.put(communities, { metadata: { name: 'c', namespace: NAMESPACE }, spec: {} })
  await world.settle()
  assert.deepEqual([world.series(STALE), world.applied.length], [1, 2])
  assert.deepEqual(world.verdict, failed)
  await world.pool('web', ['172.20.9.0/24'])
  assert.deepEqual([world.series(STALE), world.applied.length], [0, 3])
})

test('201 the same input in another order is the same configuration (REF-BUG 13)', async () => {
  const world = new World('w1')
  await world.pool('b', ['172.20.8.0/24'])
  await world.pool('a', ['172.20.9.0/24'])
  await world.start()
  world.reversed = true
  const before = world.series(UPDATES)!
  world.kube.put(communities, { metadata: { name: 'c', namespace: NAMESPACE }, spec: {} })
  await world.settle()
  assert.deepEqual([world.series(UPDATES), world.applied.length], [before + 1, 1])
})

test('197 a ConfigurationState that somebody deletes or edits is put right', async () => {
  const world = await new World('w1').start()
  const ref = { namespace: NAMESPACE, name: 'speaker-w1' }
  world.kube.remove(configurationStates, ref)
  await world.settle()
  assert.deepEqual(world.verdict, VALID)
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'former', uid: 'former' }
  world.kube.put(configurationStates, {
    metadata: { ...ref, labels: { mine: 'x' }, ownerReferences: [owner] },
    status: { result: 'Invalid' },
  })
  await world.settle()
  assert.deepEqual(world.verdict, VALID)
  assert.deepEqual(world.state!.metadata.labels, {
    'metallb.io/component-type': 'speaker',
    'metallb.io/node-name': 'w1',
  })
  assert.deepEqual(
    world.state!.metadata.ownerReferences!.map(({ uid }) => uid),
    ['former', 'pod-uid-1'],
  )
})

test('a report that the API does not take is written later', async () => {
  const world = new World()
  world.kube.fail = verb => {
    if (verb === 'create') throw new KubeError('NETWORK', 'connection refused')
  }
  await world.start()
  assert.equal(world.state, undefined)
  assert.equal(world.series(LOADED), 1)
  world.kube.fail = () => {}
  world.clock.advance(5)
  await world.settle()
  assert.deepEqual(world.verdict, VALID)
})

test('a condition that somebody else writes in between is kept', async () => {
  const world = await new World().start()
  const foreign = {
    type: 'otherReconcilerValid',
    status: 'True' as const,
    reason: 'Reconciled',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  world.kube.fail = verb => {
    if (verb !== 'patch/status') return
    world.kube.fail = () => {}
    world.kube.put(configurationStates, {
      ...world.state!,
      status: { ...world.state!.status, conditions: [...world.state!.status!.conditions!, foreign] },
    })
  }
  await world.pool('web', ['x'])
  world.clock.advance(5)
  await world.settle()
  const { conditions } = world.state!.status!
  assert.deepEqual(
    conditions!.map(({ type, status }) => `${type} ${status}`),
    ['otherReconcilerValid True', 'poolReconcilerValid False'],
  )
})

test('the time of the condition is that of the last change', async () => {
  const world = await new World().start()
  const time = () => world.state!.status!.conditions![0]!.lastTransitionTime
  assert.equal(time(), '2026-01-01T00:00:00Z')
  world.clock.advance(60_000)
  await world.pool('web', ['172.20.8.0/24'])
  assert.equal(time(), '2026-01-01T00:00:00Z')
  await world.pool('web', ['x'])
  assert.equal(time(), '2026-01-01T00:01:00Z')
})

test('nothing happens after the stop', async () => {
  const world = await new World().start()
  await world.loader.stop()
  await world.pool('web', ['x'])
  assert.deepEqual(world.verdict, VALID)
})

const BASIC_AUTH = 'kubernetes.io/basic-auth'

function putPeer(world: World, spec: object): Promise<void> {
  const base = { myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1' }
  world.kube.put(bgpPeers, { metadata: { name: 'tor1', namespace: NAMESPACE }, spec: { ...base, ...spec } })
  return world.settle()
}

function putSecret(world: World, name: string, password: string): Promise<void> {
  const metadata = { name, namespace: NAMESPACE, annotations: { last: password } }
  world.kube.put(secrets, { metadata, type: BASIC_AUTH, data: { password, other: password } })
  return world.settle()
}

test('183, 184 a missing Secret heals the configuration when it appears, another one changes nothing', async () => {
  const world = await new World('w1').start()
  await putPeer(world, { passwordSecret: { name: 'bgp-auth' } })
  assert.match(world.verdict.message!, /secret ref not found for peer config "metallb-system"\/"tor1"/)
  await putSecret(world, 'other', 'b3RoZXI=')
  assert.equal(world.verdict.result, 'Invalid')
  await putSecret(world, 'bgp-auth', 'czNjcg==')
  assert.deepEqual(world.verdict, VALID)
  assert.equal(world.applied.at(-1)!.bgp!.peers[0]!.password, 's3cr')
  const count = world.applied.length
  await putSecret(world, 'other', 'YW5vdGhlcg==')
  assert.equal(world.applied.length, count)
  await putSecret(world, 'bgp-auth', 'bmV3')
  assert.equal(world.applied.length, count + 1)
})

test('193 a selector that cannot be used is an invalid configuration, not a retry (REF-BUG 11)', async () => {
  const world = await new World('w1').start()
  await putPeer(world, { nodeSelectors: [{ matchExpressions: [{ key: 'r', operator: 'Near' }] }] })
  assert.match(world.verdict.message!, /"Near" is not a valid label selector operator/)
  assert.deepEqual([world.series(STALE), world.clock.armed], [1, 0])
})

test('200 no line shows a password, wherever it comes from (REF-BUG 12)', async () => {
  const world = await new World('w1').start()
  world.result = 'error, no retry'
  await putPeer(world, { password: 'hunter2' })
  await putPeer(world, { passwordSecret: { name: 'bgp-auth' } })
  await putSecret(world, 'bgp-auth', 'aHVudGVyMg==')
  world.kube.put(configMaps, {
    metadata: { name: 'bgpextras', namespace: NAMESPACE },
    data: { extras: 'neighbor x password hunter2' },
  })
  await world.settle()
  const text = world.log.lines.map(line => JSON.stringify(line)).join('\n')
  assert.ok(text.includes('tor1') && text.includes('reload failed, no retry'))
  assert.ok(!/hunter2|aHVudGVyMg/.test(text))
})

test('a speaker whose node is not there looks again when it appears', async () => {
  const world = new World('w1')
  world.kube.remove(nodes, { name: 'w1' })
  await world.start()
  assert.deepEqual(
    { ...world.verdict, applied: world.applied.length },
    {
      result: 'Unknown',
      errorSummary: 'failed to get node for w1',
      status: 'False',
      reason: 'InfraError',
      message: 'failed to get node for w1',
      applied: 0,
    },
  )
  world.kube.put(nodes, { metadata: { name: 'w1' } })
  await world.settle()
  assert.deepEqual(world.verdict, VALID)
})

test('189 only the ConfigMap bgpextras matters when it is updated', async () => {
  const world = await new World('w1').start()
  const put = (name: string, extras: string) => {
    world.kube.put(configMaps, { metadata: { name, namespace: NAMESPACE }, data: { extras } })
    return world.settle()
  }
  await put('other', 'a')
  const before = world.series(UPDATES)!
  await put('other', 'b')
  assert.equal(world.series(UPDATES), before)
  await put('bgpextras', 'log stdout')
  await put('bgpextras', 'log syslog')
  assert.equal(world.series(UPDATES), before + 2)
  assert.equal(world.applied.at(-1)!.bgp!.extras, 'log syslog')
  assert.ok(world.log.lines.some(({ level, fields }) => level === 'warn' && /own risk/.test(String(fields.error))))
})
