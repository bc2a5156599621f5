import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILT_IN_COLUMNS } from './columns.ts'
import { jsonPath } from './jsonpath.ts'
import type { KubeJson } from './object.ts'
import { age, table } from './table.ts'

const at = (seconds: number) => age('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1) + seconds * 1000)
const ages: [seconds: number, text: string][] = [
  [-5, '0s'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [200, '3m20s'],
  [3600, '60m'],
  [3 * 3600, '3h'],
  [3 * 3600 + 120, '3h2m'],
  [9 * 3600, '9h'],
  [50 * 3600, '2d2h'],
  [9 * 86_400, '9d'],
  [800 * 86_400, '2y'],
]
for (const [seconds, text] of ages) test(`${seconds} seconds are ${text}`, () => assert.equal(at(seconds), text))

test('an object without a creation time has an unknown age', () => assert.equal(age(undefined), '<unknown>'))

function cells(kind: string, object: Partial<KubeJson>): unknown[] {
  const whole = {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
    ...object,
  }
  const { rows } = table(BUILT_IN_COLUMNS[kind]!, [whole], {}) as { rows: { cells: unknown[] }[] }
  return rows[0]!.cells.filter(cell => typeof cell !== 'string' || !/^\d+[dy]$/.test(cell))
}

test('a Service shows its addresses and ports', () => {
  const spec = {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.1',
    selector: { b: '2', a: '1' },
    ports: [
      { port: 80, nodePort: 30000, protocol: 'TCP' },
      { port: 53, protocol: 'UDP' },
    ],
  }
  assert.deepEqual(cells('Service', { spec }), [
    'n',
    'LoadBalancer',
    '10.96.0.1',
    '<pending>',
    '80:30000/TCP,53/UDP',
    'a=1,b=2',
  ])
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example' }] } }
  assert.equal(cells('Service', { spec, status })[3], '192.0.2.1,lb.example')
  assert.equal(cells('Service', { spec: { type: 'ClusterIP' } })[3], '<none>')
})

test('a Node shows readiness, roles and addresses', () => {
  const metadata = { name: 'n', labels: { 'node-role.kubernetes.io/worker': '' } }
  const status = {
    conditions: [{ type: 'Ready', status: 'True' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
  }
  const row = cells('Node', { metadata, spec: { unschedulable: true }, status })
  assert.deepEqual(row.slice(0, 3), ['n', 'Ready,SchedulingDisabled', 'worker'])
  assert.ok(row.includes('10.0.0.1'))
})

test('an Event shows when, what and on which object, its name only in the wide form', () => {
  const involvedObject = { kind: 'Service', name: 'web' }
  const event = { involvedObject, type: 'Normal', reason: 'IPAllocated', message: 'Assigned IP\n', count: 3 }
  assert.deepEqual(cells('Event', event), ['Normal', 'IPAllocated', 'service/web', 'Assigned IP', '<none>', 3, 'n'])
})

test('rows carry metadata, the object, or nothing, as asked', () => {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'n' }, spec: {} }
  const row = (include: 'None' | 'Metadata' | 'Object') =>
    (table([], [object], {}, include) as { rows: Record<string, unknown>[] }).rows[0]!.object
  assert.equal(row('None'), undefined)
  assert.deepEqual(row('Metadata'), {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { name: 'n' },
  })
  assert.equal(row('Object'), object)
})

const paths: [path: string, found: unknown[]][] = [
  ['.spec.a', [1]],
  ['spec.a', [1]],
  ['.spec.none', []],
  ['.spec.list[0].x', ['p']],
  ['.spec.list[-1].x', ['q']],
  ['.spec.list[*].x', ['p', 'q']],
  [".spec['b.c']", [2]],
  ['.spec.b\\.c', [2]],
  ['.spec.list[?(@.x=="q")].y', [true]],
]
for (const [path, found] of paths)
  test(`JSONPath ${path}`, () => {
    const spec = { a: 1, 'b.c': 2, list: [{ x: 'p' }, { x: 'q', y: true }] }
    assert.deepEqual(jsonPath(path)({ spec }), found)
  })

test('an unreadable JSONPath is refused with the place', () => {
  assert.throws(() => jsonPath('.spec[?(1)]'), /cannot read JSONPath .* at \[\?\(1\)\]/)
})
