import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { Announcement, Refusal } from '../../core/plan/index.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { LeaderChanges } from './leader-changes.ts'
import { Unannounced } from './unannounced.ts'

function open() {
  const metrics = new FakeMetrics()
  const unannounced = new Unannounced(metrics, 'n')
  const series = () =>
    [...metrics.series.keys()].map(key =>
      key
        .match(/protocol="(.*?)",reason="(.*?)"/)!
        .slice(1)
        .join(' '),
    )
  return { metrics, unannounced, series }
}
const no = (cause: string, ...more: string[]): Refusal => ({
  code: 'notOwner',
  cause: () => cause,
  reasons: () => [
    { code: 'notOwner', message: '' },
    ...more.map(name => ({ code: 'announceSkipped', message: '', object: { kind: 'Node', name } })),
  ],
})
const as = (...ips: string[]): Announcement => ({
  pool: 'p',
  addresses: ips.map(ip => ({ address: parseAddress(ip)!, interfaces: 'all' })),
})
const failed: Announcement = {
  pool: 'p',
  addresses: as('192.0.2.1').addresses.map(one => ({ ...one, failure: { code: 'announceFailed', message: '' } })),
}

// After one look at a Service, by what each protocol says: the series.
const CASES: [name: string, bgp: Announcement | Refusal, layer2: Announcement | Refusal, series: string[]][] = [
  ['both announce', as('192.0.2.1'), as('192.0.2.1'), []],
  ['another node answers', no('notAdvertised'), no('electionLost'), []],
  ['no endpoints', no('noEndpoints'), no('noEndpoints'), ['bgp noEndpoints', 'layer2 noEndpoints']],
  ['only layer 2 is asked for', no('notAdvertised'), no('heldDown'), ['layer2 heldDown']],
  ['BGP announces, layer 2 is not asked for', as('192.0.2.1'), no('notAdvertised'), []],
  ['nothing is asked for', no('notAdvertised'), no('notAdvertised'), ['bgp notAdvertised', 'layer2 notAdvertised']],
  ['interfaces are missing', no('notAdvertised'), failed, ['layer2 announceFailed']],
]
for (const [name, bgp, layer2, expected] of CASES)
  test(`not announced: ${name}`, () => {
    const { unannounced, series } = open()
    unannounced.show('d/web', [
      ['bgp', bgp],
      ['layer2', layer2],
    ])
    assert.deepEqual(series(), expected)
  })

test('a series is 1 and goes with its reason, with the announcement, and with the Service', () => {
  const { metrics, unannounced, series } = open()
  const look = (outcome: Announcement | Refusal) => unannounced.show('d/web', [['layer2', outcome]])
  look(no('noEndpoints'))
  assert.deepEqual(
    [...metrics.series],
    [['metallb_speaker_service_not_announced{node="n",protocol="layer2",reason="noEndpoints",service="d/web"}', 1]],
  )
  look(no('heldDown'))
  assert.deepEqual(series(), ['layer2 heldDown'])
  look(as('192.0.2.1'))
  assert.deepEqual(series(), [])
  look(no('heldDown'))
  unannounced.refuse('d/web', ['bgp', 'layer2'], 'ipNotAllowed')
  assert.deepEqual(series(), ['bgp ipNotAllowed', 'layer2 ipNotAllowed'].sort())
  unannounced.refuse('d/web', ['bgp', 'layer2'])
  assert.deepEqual(series(), [])
})

test('that labels keep everybody from announcing is told once, by the node that is named, and by all protocols', () => {
  const { unannounced } = open()
  const label = 'nodeLabeledExcludeBalancers'
  const look = (...outcomes: (Announcement | Refusal)[]) =>
    unannounced.show(
      'd/web',
      outcomes.map((outcome, at) => [at === 0 ? 'bgp' : 'layer2', outcome] as const),
    )?.code
  assert.equal(look(no('notAdvertised'), no(label, 'n')), 'announceSkipped')
  assert.equal(look(no('notAdvertised'), no(label, 'n')), undefined, 'nothing changed')
  assert.equal(look(as('192.0.2.1'), no(label, 'n')), undefined, 'BGP announces it')
  assert.equal(look(no(label, 'n'), no(label, 'n')), 'announceSkipped')
  look(as('192.0.2.1'), as('192.0.2.1'))
  assert.equal(look(no(label), no(label, 'n')), undefined, 'by BGP another node can')
  look(as('192.0.2.1'), as('192.0.2.1'))
  assert.equal(look(no(label, 'm'), no(label, 'm')), undefined, 'm says it')
})

test('beginnings and ends of answering are counted by address, until the Service is gone', () => {
  const metrics = new FakeMetrics()
  const changes = new LeaderChanges(metrics)
  const counts = () => [...metrics.series].map(([key, count]) => `${key.match(/ip="(.*?)"/)![1]} ${count}`)
  changes.count('d/web', undefined, as('192.0.2.1'))
  changes.count('d/web', as('192.0.2.1'), as('192.0.2.1', '2001:db8::1'))
  changes.count('d/web', as('192.0.2.1', '2001:db8::1'), undefined)
  changes.count('d/web', undefined, failed)
  assert.deepEqual(counts(), ['192.0.2.1 2', '2001:db8::1 2'])
  changes.forget('d/web')
  assert.deepEqual(counts(), [])
})
