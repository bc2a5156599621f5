import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeRecorder } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { aService } from '../../testing/layer2-world.ts'
import { Report } from './report.ts'

function bench() {
  const [log, recorder] = [new FakeLog(), new FakeRecorder()]
  return { log, recorder, report: new Report({ node: 'n', log, recorder, metrics: new FakeMetrics() }) }
}

// Chapter 04 section 1.6.
const REFUSALS: [code: string, message: string, level: string, fields: object][] = [
  ['notOwner', 'no BGPAdvertisement …', 'debug', { reason: 'pool not matching my node' }],
  ['noMatchingAdvertisement', '…', 'debug', { reason: 'no advertisement matching service' }],
  [
    'conflictingAdvertisements',
    "advertisements 'A' and 'B' …",
    'error',
    {
      event: 'conflictingAdvertisements',
      reason: "advertisements 'A' and 'B' …",
      error: "advertisements 'A' and 'B' …",
    },
  ],
  [
    'nodeNetworkUnavailable',
    "speaker's node has NodeNetworkUnavailable condition",
    'warn',
    { reason: "speaker's node has NodeNetworkUnavailable condition" },
  ],
] // prettier-ignore
for (const [code, message, level, fields] of REFUSALS)
  test(`BGP, not announced: ${code} is said as ${level}`, () => {
    const { log, report } = bench()
    report.notAnnounced('default/web', 'bgp', { code, reasons: () => [{ code, message }], cause: () => code })
    const event = 'skipping should announce bgp'
    assert.deepEqual(log.lines, [{ level, fields: { event, service: 'default/web', reasons: [code], ...fields } }])
  })

test('what the user should know of an announcement is an event of its own', () => {
  const { recorder, report } = bench()
  const warnings = [{ code: 'noMatchingPeer', message: 'nobody is told' }]
  report.announced(aService(), 'bgp', { kind: 'start', announcement: { pool: 'p', addresses: [], warnings } })
  assert.deepEqual(recorder.events, [
    'Normal nodeAssigned announcing from node "n" with protocol "bgp"',
    'Warning noMatchingPeer nobody is told',
  ])
})
