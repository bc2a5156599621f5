import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bgpSessionStates } from '../../api/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { KubeError, type LivenessState } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { type SeenSession, SessionStateWriter } from './session-states.ts'

const namespace = 'metallb-system'
const WRITES = /^(create|patch|patch\/status|delete) /

class Bench {
  readonly kube = new FakeKube()
  readonly clock = new FakeClock()
  readonly log = new FakeLog()
  readonly sessions = new Map<string, { state: string; bfd?: LivenessState; vrf?: string; at?: string }>()
  writer = this.make('pod-1')

  make(uid: string): SessionStateWriter {
    const { kube, clock, log } = this
    return new SessionStateWriter({
      node: 'worker-a',
      namespace,
      owner: { apiVersion: 'v1', kind: 'Pod', name: uid, uid },
      settled: Promise.resolve(),
      sessions: () => this.seen(),
      ...{ kube, clock, log },
    })
  }

  seen() {
    return [...this.sessions].map(([name, { state, bfd, vrf, at = name }]) => {
      const address = parseAddress(at)
      return {
        peer: { endpoint: address ? { address } : { interface: at }, ...(vrf && { vrf }) },
        status: { state } as SeenSession['status'],
        bfd: bfd && { state: bfd },
      }
    })
  }

  /** Starts it, and lets it look for so long. */
  async run(ms = 0): Promise<void> {
    this.writer.start()
    await this.later(ms)
  }

  async later(ms: number): Promise<void> {
    for (let at = 0; at <= ms; at += 500) {
      for (let round = 0; round < 30; round++) await new Promise(resolve => setImmediate(resolve))
      if (at < ms) this.clock.advance(500)
    }
  }

  objects() {
    return this.kube.informer(bgpSessionStates).list()
  }

  rows(): string[] {
    return this.objects()
      .map(({ status = {} }) => [status.node, status.peer, status.vrf, status.bgpStatus, status.bfdStatus].join(' '))
      .sort()
  }

  writes(): number {
    return this.kube.calls.filter(call => WRITES.test(call)).length
  }
}

test('one object a session, with the words, labels and owner of frr-k8s', async () => {
  const bench = new Bench()
  bench.sessions.set('192.0.2.1', { state: 'established', bfd: 'up' })
  bench.sessions.set('2001:db8::1', { state: 'open sent', bfd: 'init', vrf: 'red' })
  bench.sessions.set('eth1', { state: 'idle' })
  await bench.run()
  assert.deepEqual(bench.rows(), [
    'worker-a 192.0.2.1  Established Up',
    'worker-a 2001-0db8-0000-0000-0000-0000-0000-0001 red OpenSent Down',
    'worker-a eth1  Idle N/A',
  ])
  const { metadata } = bench.objects().find(({ status }) => status?.vrf === 'red')!
  assert.equal(metadata.labels?.['frrk8s.metallb.io/node'], 'worker-a')
  assert.equal(metadata.labels?.['frrk8s.metallb.io/peer'], '2001-0db8-0000-0000-0000-0000-0000-0001')
  assert.equal(metadata.labels?.['frrk8s.metallb.io/vrf'], 'red')
  assert.deepEqual([metadata.generateName, metadata.namespace], ['worker-a-', namespace])
  assert.equal(metadata.ownerReferences?.[0]?.uid, 'pod-1')
})

test('a change is written within a second, a session that flaps every five; nothing changed, nothing is written', async () => {
  const bench = new Bench()
  bench.sessions.set('192.0.2.1', { state: 'connect' })
  await bench.run(6000)
  const before = bench.writes()
  await bench.later(10_000)
  assert.equal(bench.writes(), before)
  bench.sessions.set('192.0.2.1', { state: 'established' })
  await bench.later(1000)
  assert.deepEqual(bench.rows(), ['worker-a 192.0.2.1  Established N/A'])
  assert.equal(bench.writes(), before + 1)
  for (let flap = 0; flap < 20; flap++) {
    bench.sessions.set('192.0.2.1', { state: flap % 2 ? 'established' : 'idle' })
    await bench.later(1000)
  }
  assert.ok(bench.writes() - before <= 5, `${bench.writes() - before} writes in 20 s of flapping`)
})

test('objects of sessions that are gone go; those of a former pod are taken over', async () => {
  const bench = new Bench()
  bench.sessions.set('192.0.2.1', { state: 'idle' }).set('192.0.2.2', { state: 'idle' })
  await bench.run()
  bench.writer.stop()
  const kept = bench.objects().find(({ status }) => status?.peer === '192.0.2.1')!.metadata.name
  bench.sessions.delete('192.0.2.2')
  bench.writer = bench.make('pod-2')
  await bench.run(6000)
  assert.deepEqual(
    bench.objects().map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.uid]),
    [[kept, 'pod-2']],
  )
})

test('deleted or changed by hand, it is put right', async () => {
  const bench = new Bench()
  bench.sessions.set('192.0.2.1', { state: 'idle' })
  await bench.run()
  bench.kube.remove(bgpSessionStates, bench.objects()[0]!.metadata)
  await bench.later(61_000)
  assert.deepEqual(bench.rows(), ['worker-a 192.0.2.1  Idle N/A'])
})

test('without the kind, or the right to write it, that is said once and asked again seldom', async () => {
  const bench = new Bench()
  bench.sessions.set('192.0.2.1', { state: 'idle' })
  bench.kube.fail = () => {
    throw new KubeError('NOT_FOUND', 'the server could not find the requested resource', { status: 404 })
  }
  await bench.run(900_000)
  assert.equal(bench.log.lines.filter(({ level }) => level === 'error').length, 0)
  assert.equal(bench.log.lines.length, 1)
  assert.ok(bench.kube.calls.length <= 4)
  bench.kube.fail = () => {}
  await bench.later(300_000)
  assert.equal(bench.rows().length, 1)
})

test('where frr-k8s reports the sessions of the node, ours are silent; those of other nodes do not matter', async () => {
  const bench = new Bench()
  const labels = (node: string) => ({ 'frrk8s.metallb.io/node': node, 'frrk8s.metallb.io/peer': '192.0.2.9' })
  bench.kube.put(bgpSessionStates, { metadata: { name: 'worker-b-x', namespace, labels: labels('worker-b') } })
  bench.sessions.set('192.0.2.1', { state: 'idle' })
  await bench.run()
  assert.equal(bench.objects().length, 2)
  bench.kube.put(bgpSessionStates, { metadata: { name: 'worker-a-x', namespace, labels: labels('worker-a') } })
  await bench.later(61_000)
  assert.deepEqual(
    bench.objects().map(({ metadata }) => metadata.name),
    ['worker-b-x', 'worker-a-x'],
  )
  assert.match(String(bench.log.lines.at(-1)?.fields.msg), /frr-k8s/)
})

test('a node without peers asks once and no more', async () => {
  const bench = new Bench()
  await bench.run(600_000)
  assert.deepEqual(bench.kube.calls, [`list bgpsessionstates ${namespace}/`])
})

test('of two sessions with one router the one that is not established is shown', async () => {
  const bench = new Bench()
  bench.sessions.set('a', { at: '192.0.2.1', state: 'established' })
  bench.sessions.set('b', { at: '192.0.2.1', state: 'active' })
  bench.sessions.set('c', { at: '192.0.2.1', state: 'established' })
  await bench.run()
  assert.deepEqual(bench.rows(), ['worker-a 192.0.2.1  Active N/A'])
})
