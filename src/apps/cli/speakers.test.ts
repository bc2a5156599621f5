import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { selfSigned } from '../../adapters/http/index.ts'
import type { PodResource } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import { readSessions } from './speaker-answers.ts'
import { askSpeakers } from './speakers.ts'

const ACCESS = {
  source: 'the test',
  server: new URL('https://127.0.0.1:1'),
  tls: { rejectUnauthorized: false },
  identity: async () => ({}),
  renew: () => false,
}

function speakerPod(nodeName: string): PodResource {
  const metadata = { name: `speaker-${nodeName}`, namespace: 'metallb-system', labels: { component: 'speaker' } }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName }, status: { podIP: '127.0.0.1' } } as PodResource
}

const ANSWERS: [what: string, answer: string, told: unknown][] = [
  ['its state', '{"node":"n1","bgp":{"neighbors":[]}}', { node: 'n1', bgp: { neighbors: [] } }],
  [
    'what an older one says',
    '{"node":"n1","sessions":[]}',
    'its answer is not what this version reads, bgp: expected an object, found nothing',
  ],
  ['no JSON', 'hello', /^its answer is not JSON: /],
]
for (const [what, answer, told] of ANSWERS)
  test(`a speaker that answers ${what} is told of by its node`, async t => {
    const { cert, key } = selfSigned(['127.0.0.1'], Date.now())
    const server = createServer({ cert, key }, (_request, response) => void response.end(answer))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const port = String((server.address() as AddressInfo).port)
    const values = { port, 'insecure-skip-speaker-tls-verify': true }
    const [said, ...more] = await askSpeakers([speakerPod('n1')], ACCESS, values, readSessions)
    assert.deepEqual(more, [])
    assert.equal(said!.node, 'n1')
    const shown = said!.state instanceof KubeError ? said!.state.message : said!.state
    if (told instanceof RegExp) assert.match(String(shown), told)
    else assert.deepEqual(shown, told)
  })
