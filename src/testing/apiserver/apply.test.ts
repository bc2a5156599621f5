import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { crds } from '../../api/crds.ts'
import { call, type Reply } from './bare-client.ts'
import { type Fields, listAt, valueAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const SERVICES = '/api/v1/namespaces/default/services'
const POOLS = '/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools'
const STATES = '/apis/metallb.io/v1beta1/namespaces/default/configurationstates'
const APPLY = 'application/apply-patch+yaml'

describe('server-side apply', () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer({ plainHttp: true, crds })
  })
  after(() => server.stop())
  beforeEach(async () => {
    for (const path of [MAPS, SERVICES, POOLS, STATES]) await call(server, 'DELETE', path)
  })

  const apply = (path: string, manager: string, body: Fields, query = ''): Promise<Reply> =>
    call(server, 'PATCH', `${path}/x?fieldManager=${manager}${query}`, { body, contentType: APPLY })
  const map = (data: Fields, metadata: Fields = {}): Fields => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', ...metadata }, data },
  })
  const pool = (spec: Fields, metadata: Fields = {}): Fields => ({
    ...{ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'x', ...metadata }, spec },
  })
  const service = (...ports: Fields[]): Fields => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'x' },
    spec: { ports },
  })
  const state = (...conditions: Fields[]): Fields => ({
    ...{ apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState', metadata: { name: 'x' } },
    status: { conditions },
  })
  const read = async (path: string) => (await call(server, 'GET', `${path}/x`)).body
  const managers = (body: Fields) =>
    listAt(body, 'metadata.managedFields').map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1])

  test('creates what is not there, and answers who owns which fields', async () => {
    const { code, body } = await apply(POOLS, 'a', pool({ addresses: ['192.0.2.0/24'] }, { labels: { l: '1' } }))
    assert.equal(code, 201)
    const fields = { 'f:metadata': { 'f:labels': { 'f:l': {} } }, 'f:spec': { 'f:addresses': {} } }
    assert.deepEqual(managers(body), [['a', 'Apply', fields]])
    assert.equal(valueAt(body, 'spec.autoAssign'), true, 'defaults are nobody’s')
  })

  test('the same again changes nothing, not even the revision', async () => {
    await apply(MAPS, 'a', map({ k: '1' }))
    const body = [{ op: 'replace', path: '/metadata/managedFields/0/time', value: '2020-01-01T00:00:00Z' }]
    const earlier = await call(server, 'PATCH', `${MAPS}/x`, { body, contentType: 'application/json-patch+json' })
    const again = await apply(MAPS, 'a', map({ k: '1' }))
    assert.deepEqual([again.code, again.body.metadata], [200, earlier.body.metadata])
  })

  test('takes back the fields that its manager gives up, and only those', async () => {
    await apply(MAPS, 'a', map({ mine: '1', given: '2', shared: '3' }))
    await apply(MAPS, 'b', map({ shared: '3', yours: '4' }))
    await apply(MAPS, 'a', map({ mine: '1' }))
    assert.deepEqual((await read(MAPS)).data, { mine: '1', shared: '3', yours: '4' })
    await apply(MAPS, 'b', map({ yours: '4' }))
    assert.deepEqual((await read(MAPS)).data, { mine: '1', yours: '4' })
    await apply(MAPS, 'a', map({}))
    assert.deepEqual(
      managers(await read(MAPS)).map(([name]) => name),
      ['a', 'b'],
    )
  })

  test('another value for a field of another manager is a conflict, until it is forced', async () => {
    await apply(MAPS, 'a', map({ k: '1', l: '1' }))
    const one = await apply(MAPS, 'b', map({ k: '2' }))
    assert.equal(one.code, 409)
    assert.equal(one.body.reason, 'Conflict')
    assert.equal(one.body.message, 'Apply failed with 1 conflict: conflict with "a": .data.k')
    const causes = [{ reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.data.k' }]
    assert.deepEqual(valueAt(one.body, 'details.causes'), causes)
    const two = await apply(MAPS, 'b', map({ k: '2', l: '2' }))
    assert.equal(two.body.message, 'Apply failed with 2 conflicts: conflicts with "a":\n- .data.k\n- .data.l')
    assert.deepEqual((await read(MAPS)).data, { k: '1', l: '1' })
    assert.equal((await apply(MAPS, 'b', map({ k: '2' }), '&force=true')).code, 200)
    const body = await read(MAPS)
    assert.deepEqual(body.data, { k: '2', l: '1' })
    assert.deepEqual(managers(body), [
      ['a', 'Apply', { 'f:data': { 'f:l': {} } }],
      ['b', 'Apply', { 'f:data': { 'f:k': {} } }],
    ])
  })

  test('the same value for a field of another manager is shared', async () => {
    await apply(MAPS, 'a', map({ k: '1' }))
    assert.equal((await apply(MAPS, 'b', map({ k: '1' }))).code, 200)
    assert.match(String((await apply(MAPS, 'a', map({ k: '2' }))).body.message), /conflict with "b": \.data\.k$/)
  })

  test('a plain write takes the fields it changes, and is named with its version and time', async () => {
    await apply(POOLS, 'a', pool({ addresses: ['192.0.2.0/24'], autoAssign: true }))
    const patch = { body: { spec: { autoAssign: false } }, contentType: 'application/merge-patch+json' }
    await call(server, 'PATCH', `${POOLS}/x?fieldManager=editor`, patch)
    assert.deepEqual(managers(await read(POOLS)), [
      ['a', 'Apply', { 'f:spec': { 'f:addresses': {} } }],
      ['editor', 'Update', { 'f:spec': { 'f:autoAssign': {} } }],
    ])
    const { body } = await apply(POOLS, 'a', pool({ addresses: ['192.0.2.0/24'], autoAssign: true }))
    const said =
      /^Apply failed with 1 conflict: conflict with "editor" using metallb\.io\/v1beta1 at 20\S+Z: \.spec\.autoAssign$/
    assert.match(String(body.message), said)
  })

  test('a custom resource made by a plain write is owned by its maker, down to the defaults', async () => {
    await call(server, 'POST', `${POOLS}?fieldManager=maker`, { body: pool({ addresses: ['192.0.2.0/24'] }) })
    const { message } = (await apply(POOLS, 'a', pool({ addresses: ['192.0.2.0/25'], autoAssign: false }))).body
    assert.match(
      String(message),
      /conflicts with "maker" using metallb\.io\/v1beta1 at \S+Z:\n- \.spec\.addresses\n- \.spec\.autoAssign$/,
    )
  })

  test('other objects that nobody applied belong to before-first-apply', async () => {
    await call(server, 'POST', MAPS, { body: map({ k: '1', l: '1' }) })
    const { message } = (await apply(MAPS, 'a', map({ k: '2' }))).body
    assert.equal(message, 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k')
    await apply(MAPS, 'a', map({ k: '1' }))
    await apply(MAPS, 'a', map({}))
    assert.deepEqual((await read(MAPS)).data, { k: '1', l: '1' })
  })

  test('items of a list with keys merge by them, defaults of keys included', async () => {
    await apply(SERVICES, 'a', service({ name: 'web', port: 80, protocol: 'TCP' }))
    await apply(SERVICES, 'b', service({ name: 'dns', port: 53, protocol: 'UDP' }))
    const names = async () => listAt(await read(SERVICES), 'spec.ports').map(({ name }) => name)
    assert.deepEqual(await names(), ['web', 'dns'])
    const { message } = (
      await apply(SERVICES, 'b', service({ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'api', port: 80 }))
    ).body
    assert.equal(message, 'Apply failed with 1 conflict: conflict with "a": .spec.ports[port=80,protocol="TCP"].name')
    await apply(SERVICES, 'a', service())
    assert.deepEqual(await names(), ['dns'])
  })

  test('an item that another manager has a field of stays with its keys', async () => {
    await apply(SERVICES, 'a', service({ name: 'web', port: 80 }))
    const body = { spec: { ports: [{ port: 80, appProtocol: 'http' }] } }
    const contentType = 'application/strategic-merge-patch+json'
    assert.equal((await call(server, 'PATCH', `${SERVICES}/x?fieldManager=b`, { body, contentType })).code, 200)
    await apply(SERVICES, 'a', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } })
    const [port] = listAt(await read(SERVICES), 'spec.ports')
    assert.deepEqual([port?.port, port?.appProtocol, port?.name], [80, 'http', undefined])
  })

  test('a set is united, an atomic list replaced as a whole', async () => {
    await apply(MAPS, 'a', map({}, { finalizers: ['example.com/a'] }))
    await apply(MAPS, 'b', map({}, { finalizers: ['example.com/b'] }))
    assert.deepEqual(valueAt(await read(MAPS), 'metadata.finalizers'), ['example.com/a', 'example.com/b'])
    for (const manager of ['a', 'b']) await apply(MAPS, manager, map({}))
    assert.equal(valueAt(await read(MAPS), 'metadata.finalizers'), undefined)
    await apply(POOLS, 'a', pool({ addresses: ['192.0.2.0/24'] }))
    assert.match(
      String((await apply(POOLS, 'b', pool({ addresses: ['198.51.100.0/24'] }))).body.message),
      /conflict with "a": \.spec\.addresses$/,
    )
  })

  test('status and the rest are applied apart, conditions by their type', async () => {
    const condition = (type: string, status = 'True') => ({
      ...{ type, status, reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    })
    await apply(STATES, 'a', state(condition('One')))
    assert.equal((await read(STATES)).status, undefined)
    const applyStatus = (manager: string, ...conditions: Fields[]) =>
      call(server, 'PATCH', `${STATES}/x/status?fieldManager=${manager}`, {
        body: state(...conditions),
        contentType: APPLY,
      })
    assert.equal((await applyStatus('a', condition('One'))).code, 200)
    assert.equal((await applyStatus('b', condition('Two'))).code, 200)
    assert.deepEqual(
      listAt(await read(STATES), 'status.conditions').map(({ type }) => type),
      ['One', 'Two'],
    )
    const { message } = (await applyStatus('b', condition('One', 'False'))).body
    assert.match(
      String(message),
      /conflict with "a" with subresource "status": \.status\.conditions\[type="One"\]\.status$/,
    )
  })

  const LAST = 'kubectl.kubernetes.io/last-applied-configuration'
  for (const [last, code] of [
    ['192.0.2.0/24', 200],
    ['192.0.2.0/26', 409],
  ] as const)
    test(`kubectl after a client-side apply of ${last}: ${code}`, async () => {
      const annotations = { [LAST]: JSON.stringify(pool({ addresses: [last] })) }
      const body = pool({ addresses: ['192.0.2.0/24'] }, { annotations })
      await call(server, 'POST', `${POOLS}?fieldManager=kubectl-client-side-apply`, { body })
      assert.equal((await apply(POOLS, 'other', pool({ addresses: ['192.0.2.0/25'] }))).code, 409)
      assert.equal((await apply(POOLS, 'kubectl', pool({ addresses: ['192.0.2.0/25'] }))).code, code)
    })

  const REFUSALS: [name: string, path: string, body: Fields, code: number, message: RegExp][] = [
    [
      'no manager',
      `${MAPS}/x`,
      map({}),
      422,
      /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/,
    ],
    ['no kind', `${MAPS}/x?fieldManager=a`, { metadata: {} }, 400, /needs apiVersion and kind/],
    [
      'managed fields',
      `${MAPS}/x?fieldManager=a`,
      map({}, { managedFields: [] }),
      400,
      /^metadata\.managedFields must be nil$/,
    ],
    [
      'an unfit object',
      `${POOLS}/x?fieldManager=a`,
      pool({ addresses: 'all' }),
      422,
      /spec\.addresses in body must be of type array/,
    ],
    [
      'an old revision',
      `${MAPS}/there?fieldManager=a`,
      map({ k: '9' }, { name: 'there', resourceVersion: '1' }),
      409,
      /has been modified/,
    ],
  ]
  for (const [name, path, body, code, message] of REFUSALS)
    test(`refused: ${name}`, async () => {
      await call(server, 'POST', MAPS, { body: { metadata: { name: 'there' } } })
      const reply = await call(server, 'PATCH', path, { body, contentType: APPLY })
      assert.equal(reply.code, code, reply.text)
      assert.match(String(reply.body.message), message)
    })

  test('a request may hand fields to another manager by rewriting the list, as kubectl does on its first apply', async () => {
    await call(server, 'POST', `${POOLS}?fieldManager=old`, { body: pool({ addresses: ['192.0.2.0/24'] }) })
    const managedFields = listAt(await read(POOLS), 'metadata.managedFields').map(entry => ({
      ...entry,
      manager: 'new',
      operation: 'Apply',
    }))
    const body = [{ op: 'replace', path: '/metadata/managedFields', value: managedFields }]
    await call(server, 'PATCH', `${POOLS}/x?fieldManager=old`, { body, contentType: 'application/json-patch+json' })
    assert.deepEqual(
      managers(await read(POOLS)).map(([name, how]) => [name, how]),
      [['new', 'Apply']],
    )
    assert.equal((await apply(POOLS, 'new', pool({ addresses: ['192.0.2.0/25'] }))).code, 200)
  })
})
