import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Misshapen } from './shape.ts'
import { readServiceView, readSessions } from './speaker-answers.ts'

const row = { node: 'n1', announces: true, reasons: [{ code: 'owner', message: 'first of 2' }] }
const view = {
  node: 'n1',
  speaker: {
    options: { ignoreExcludeLb: false, lbClass: '' },
    members: ['n1'],
    held: [],
    interfaces: { n1: ['eth0'] },
  },
  configuration: { differs: [] },
  verdict: {
    layer2: { ...row, interfaces: 'all', score: 0 },
    bgp: { ...row, warnings: [], prefixes: [], peers: [] },
    announced: { bgp: [], layer2: [] },
  },
  sessions: [{ peer: 'tor', state: 'established', notSent: [] }],
}
const neighbor = {
  ...{ name: 'tor', address: '192.0.2.1', port: 179, localAsn: 64500, remoteAs: 'external', state: 'idle' },
  ...{ establishedCount: 0, sent: { open: 1 }, received: {}, prefixesWanted: 0, prefixesTold: 0, prefixesReceived: 0 },
  config: {
    ...{ myAsn: 64500, remoteAs: 64501, families: ['ipv4'], passive: false, ebgpMultiHop: false },
    gracefulRestart: false,
  },
  routes: [{ prefix: '192.0.2.10/32', communities: [] }],
}
const sessions = { node: 'n1', bgp: { neighbors: [neighbor] } }

test('what may be absent may be absent, and what a newer speaker says beside is left alone', () => {
  assert.deepEqual(readServiceView({ ...view, verdict: undefined, weather: 'fine' }), {
    ...view,
    verdict: undefined,
    weather: 'fine',
  })
  assert.deepEqual(readSessions({ ...sessions, speaker: 'anything' }), { ...sessions, speaker: 'anything' })
})

const { interfaces: _interfaces, ...withoutInterfaces } = view.speaker
const REFUSED: [what: string, read: (answer: unknown) => unknown, answer: unknown, why: string][] = [
  ['no object', readServiceView, [], 'the answer: expected an object, found a list'],
  ['a speaker before views', readServiceView, sessions, 'speaker: expected an object, found nothing'],
  [
    'a speaker before interfaces',
    readServiceView,
    { ...view, speaker: withoutInterfaces },
    'speaker.interfaces: expected an object, found nothing',
  ],
  [
    'names that are none',
    readServiceView,
    { ...view, speaker: { ...view.speaker, interfaces: { n1: ['eth0', 1] } } },
    'speaker.interfaces.n1[1]: expected a string, found a value of type number',
  ],
  [
    'a reason without words',
    readServiceView,
    { ...view, verdict: { ...view.verdict, layer2: { ...view.verdict.layer2, reasons: [{ code: 'owner' }] } } },
    'verdict.layer2.reasons[0].message: expected a string, found nothing',
  ],
  ['sessions of null', readServiceView, { ...view, sessions: null }, 'sessions: expected a list, found null'],
  ['no sessions', readSessions, { node: 'n1' }, 'bgp: expected an object, found nothing'],
  [
    'a neighbor without its configuration',
    readSessions,
    { node: 'n1', bgp: { neighbors: [{ ...neighbor, config: undefined }] } },
    'bgp.neighbors[0].config: expected an object, found nothing',
  ],
  [
    'a count that is none',
    readSessions,
    { node: 'n1', bgp: { neighbors: [{ ...neighbor, sent: { open: '1' } }] } },
    'bgp.neighbors[0].sent.open: expected a number, found a value of type string',
  ],
]
for (const [what, read, answer, why] of REFUSED)
  test(`${what} is refused, with the field`, () => {
    assert.throws(
      () => read(answer),
      (error: unknown) => error instanceof Misshapen && error.message === why,
    )
  })
