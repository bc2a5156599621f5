import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceView } from '../../control/explain/index.ts'
import { explanationText } from './explain-text.ts'

const REASON = { code: 'owner', message: 'first of 2' }

function view(node: string, configuration: ServiceView['configuration'], announces = true): ServiceView {
  const row = { node, announces, reasons: [REASON] }
  return {
    node,
    configuration,
    speaker: { options: { ignoreExcludeLb: false, lbClass: '' }, held: [], interfaces: {} },
    verdict: {
      layer2: { ...row, interfaces: 'all', score: 0 },
      bgp: { ...row, warnings: [], prefixes: ['192.0.2.10/32'], peers: ['tor-a', 'tor-b', 'tor-c'] },
      announced: { bgp: [], layer2: [] },
    },
    sessions: [
      { peer: 'tor-a', state: 'established', notSent: [] },
      { peer: 'tor-b', state: 'active', why: 'connection refused', notSent: [] },
      { peer: 'tor-c', state: 'established', notSent: ['192.0.2.10/32: no IPv4 next hop'] },
    ],
  }
}

const problem = {
  kind: 'IPAddressPool',
  name: 'green',
  path: 'spec.addresses[0]',
  message: 'no range',
  severity: 'error',
} as const
const former = {
  since: '2026-07-01T08:00:00Z',
  refused: 'IPAddressPool green: no range',
  differs: ['IPAddressPool green added'],
}

test('under an invalid configuration the speakers say what is in force, and what they do', () => {
  const views = [
    view('n1', former),
    view('n2', former, false),
    view('n3', { differs: [], refused: 'node "n3" not found' }),
  ]
  const refused = { since: '2026-07-02T00:00:00Z', refused: 'configuration error: a\nb' }
  const stale = ['controller', 'speaker-n4'].map(process => ({ process, ...refused }))
  const text = explanationText({ kind: 'invalid configuration', problems: [problem], views, stale }, 'default/web')
  const bgp =
    'owner: first of 2; to tor-a, tor-b (session is active: connection refused), tor-c (192.0.2.10/32: no IPv4 next hop)'
  assert.deepEqual(text.trimEnd().split('\n'), [
    'Service default/web: the configuration is not valid, so the last valid one stays in force:',
    '  IPAddressPool green spec.addresses[0]: no range',
    '',
    'Configuration of speaker-n1, speaker-n2: in force is that of 2026-07-01T08:00:00Z',
    '  since then: IPAddressPool green added',
    '  refused: IPAddressPool green: no range',
    '',
    'Configuration of speaker-n3: in force is none',
    '  refused: node "n3" not found',
    '',
    'Configuration of controller, speaker-n4: not the newest is in force, since 2026-07-02T00:00:00Z',
    '  refused: configuration error: a',
    '  refused: b',
    '',
    'Layer 2: announced from node n1, n3',
    '  n1  announces  owner: first of 2',
    '  n2  does not   owner: first of 2',
    '  n3  announces  owner: first of 2',
    '',
    'BGP: announced from node n1, n3',
    `  n1  announces  ${bgp}`,
    '  n2  does not   owner: first of 2',
    `  n3  announces  ${bgp}`,
  ])
})

test('where no speaker was heard that is said', () => {
  const text = explanationText(
    { kind: 'invalid configuration', problems: [problem], views: [], stale: [] },
    'default/web',
  )
  assert.match(text, /\n\nNot known: what the speakers announce, none was heard\n$/)
})

test('where no session is up the headline does not say that it is announced', () => {
  const down = view('n1', { differs: [] })
  const sessions = [{ peer: 'tor-a', state: 'active', notSent: [] }]
  const text = explanationText(
    { kind: 'invalid configuration', problems: [problem], views: [{ ...down, sessions }], stale: [] },
    'default/web',
  )
  assert.match(text, /\nBGP: no router is told of it\n/)
})
