import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { call } from './bare-client.ts'
import { type Fields, fieldsAt, listAt, valueAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: Fields = {}, labels: Fields = {}) => ({ metadata: { name, labels }, data })
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
const EVENTS = '/api/v1/namespaces/default/events'
const eventOn = (namespace?: string) => ({ metadata: { generateName: 'e-' }, involvedObject: { name: 'a', namespace } })
const revision = (body: Fields) => String(fieldsAt(body, 'metadata').resourceVersion)

describe('the API server', () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer({ plainHttp: true, tokens: [{ token: 'jane', user: 'jane' }] })
  })
  after(() => server.stop())

  const make = async (name: string, data?: Fields, labels?: Fields) =>
    (await call(server, 'POST', MAPS, { body: map(name, data, labels) })).body
  const put = (name: string, body: Fields) => call(server, 'PUT', `${MAPS}/${name}`, { body })
  const drop = (name: string) => call(server, 'DELETE', `${MAPS}/${name}`)

  test('creation fills in what the server owns; the same name again is refused', async () => {
    const { code, body } = await call(server, 'POST', MAPS, { body: map('made') })
    assert.equal(code, 201)
    const { uid, creationTimestamp, namespace } = fieldsAt(body, 'metadata')
    assert.match(String(uid), /^[0-9a-f-]{36}$/)
    assert.match(String(creationTimestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(namespace, 'default')
    const again = await call(server, 'POST', MAPS, { body: map('made') })
    assert.deepEqual([again.code, again.body.reason], [409, 'AlreadyExists'])
  })

  test('generateName makes different names', async () => {
    const body = { metadata: { generateName: 'event-' } }
    const names = await Promise.all([1, 2].map(async () => (await call(server, 'POST', MAPS, { body })).body))
    const [first, second] = names.map(object => String(fieldsAt(object, 'metadata').name))
    assert.match(first!, /^event-.{5}$/)
    assert.notEqual(first, second)
  })

  test('a stale resourceVersion is a conflict, for PUT and for PATCH; none at all overwrites', async () => {
    const stale = await make('raced')
    assert.equal((await put('raced', map('raced', { a: '1' }))).code, 200)
    assert.deepEqual((await put('raced', stale)).body.reason, 'Conflict')
    const contentType = 'application/merge-patch+json'
    const body = { metadata: { resourceVersion: revision(stale) }, data: { a: '2' } }
    const patched = await call(server, 'PATCH', `${MAPS}/raced`, { body, contentType })
    assert.match(
      String(patched.body.message),
      /the object has been modified; please apply your changes to the latest version/,
    )
  })

  test('a write that changes nothing makes no revision', async () => {
    const made = await make('same', { a: '1' })
    assert.equal(revision((await put('same', map('same', { a: '1' }))).body), revision(made))
  })

  test('preconditions and dry runs of a deletion', async () => {
    await make('guarded')
    const wrong = await call(server, 'DELETE', `${MAPS}/guarded`, { body: { preconditions: { uid: 'other' } } })
    assert.equal(wrong.code, 409)
    assert.equal((await call(server, 'DELETE', `${MAPS}/guarded?dryRun=All`)).code, 200)
    assert.equal((await call(server, 'GET', `${MAPS}/guarded`)).code, 200)
    const gone = await drop('guarded')
    assert.deepEqual([gone.code, gone.body.status], [200, 'Success'])
    assert.equal((await call(server, 'GET', `${MAPS}/guarded`)).body.reason, 'NotFound')
  })

  test('deletecollection takes what the selector chooses', async () => {
    for (const name of ['many-1', 'many-2']) await make(name, {}, { batch: 'x' })
    await make('many-3', {}, { batch: 'y' })
    await call(server, 'DELETE', `${MAPS}?labelSelector=batch%3Dx`)
    const left = await call(server, 'GET', `${MAPS}?labelSelector=batch`)
    assert.deepEqual(
      listAt(left.body, 'items').map(item => fieldsAt(item, 'metadata').name),
      ['many-3'],
    )
  })

  test('pages show one moment, and end with 410 once it is forgotten', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await make(name, {}, { paged: '' })
    const first = await call(server, 'GET', `${MAPS}?labelSelector=paged&limit=2`)
    const metadata = fieldsAt(first.body, 'metadata')
    assert.equal(metadata.remainingItemCount, undefined, 'not known where a selector takes some')
    const all = await call(server, 'GET', `${MAPS}?limit=1`)
    const { length } = server.cluster.store.list('/configmaps')
    assert.equal(fieldsAt(all.body, 'metadata').remainingItemCount, length - 1)
    await drop('page-c')
    const next = `${MAPS}?labelSelector=paged&limit=2&continue=${metadata.continue}`
    const second = await call(server, 'GET', next)
    assert.deepEqual(
      listAt(second.body, 'items').map(item => fieldsAt(item, 'metadata').name),
      ['page-c'],
    )
    assert.equal(revision(second.body), revision(first.body))
    server.compact()
    assert.deepEqual(
      [(await call(server, 'GET', next)).code, (await call(server, 'GET', next)).body.reason],
      [410, 'Expired'],
    )
  })

  test('a table has a row an object; a single object has one too', async () => {
    await make('tabled', { a: '1', b: '2' }, { tabled: '' })
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
    const { body } = await call(server, 'GET', `${MAPS}?labelSelector=tabled`, { accept })
    assert.deepEqual(
      listAt(body, 'columnDefinitions').map(({ name }) => name),
      ['Name', 'Data', 'Age'],
    )
    assert.deepEqual((listAt(body, 'rows')[0]!.cells as unknown[]).slice(0, 2), ['tabled', 2])
    assert.equal(listAt((await call(server, 'GET', `${MAPS}/tabled`, { accept })).body, 'rows').length, 1)
  })

  test('failNext and failWhen refuse, reset, and stop', async () => {
    server.faults.failNext(503, 2)
    for (const code of [503, 503, 200]) {
      const reply = await call(server, 'GET', MAPS)
      assert.equal(reply.code, code)
      assert.equal(reply.headers['retry-after'], code === 503 ? '1' : undefined)
    }
    const stop = server.faults.failWhen(({ verb, resource }) =>
      verb === 'create' && resource === 'configmaps' ? 'reset' : undefined,
    )
    await assert.rejects(call(server, 'POST', MAPS, { body: map('never') }), { code: 'ECONNRESET' })
    assert.equal((await call(server, 'GET', MAPS)).code, 200)
    stop()
    assert.equal((await call(server, 'POST', MAPS, { body: map('never') })).code, 201)
  })

  test('requests are counted by verb and resource', async () => {
    const before = server.requests.get('list configmaps') ?? 0
    await call(server, 'GET', MAPS)
    assert.equal(server.requests.get('list configmaps'), before + 1)
  })

  test('no identity is 401, one without rights 403', async () => {
    assert.equal((await call(server, 'GET', MAPS, { token: '' })).code, 401)
    assert.equal((await call(server, 'GET', MAPS, { token: 'guessed' })).code, 401)
    assert.equal((await call(server, 'GET', MAPS, { token: 'jane' })).code, 403)
    assert.equal((await call(server, 'GET', '/apis', { token: 'jane' })).code, 200, 'everyone may discover')
  })

  const review = async (path: string, spec: Fields) =>
    (await call(server, 'POST', `/apis/${path}`, { body: { spec } })).body.status as Fields

  test('a token review names the user of a token, and nobody for a wrong one', async () => {
    const path = 'authentication.k8s.io/v1/tokenreviews'
    const { authenticated, user } = await review(path, { token: 'jane' })
    assert.deepEqual([authenticated, user], [true, { username: 'jane', groups: ['system:authenticated'] }])
    assert.equal((await review(path, { token: 'guessed' })).authenticated, false)
  })

  test('an access review answers for objects and for paths', async () => {
    const path = 'authorization.k8s.io/v1/subjectaccessreviews'
    const ask = (spec: Fields) => review(path, { user: 'jane', groups: ['system:authenticated'], ...spec })
    assert.equal((await ask({ resourceAttributes: { verb: 'list', resource: 'pods' } })).allowed, false)
    assert.equal((await ask({ nonResourceAttributes: { verb: 'get', path: '/version' } })).allowed, true)
    assert.equal((await ask({ nonResourceAttributes: { verb: 'get', path: '/metrics' } })).allowed, false)
    assert.equal(
      (await ask({ groups: ['system:masters'], resourceAttributes: { verb: 'list', resource: 'pods' } })).allowed,
      true,
    )
  })

  test('latency is waited for', async () => {
    server.faults.setLatency(40)
    const begun = performance.now()
    await call(server, 'GET', MAPS)
    server.faults.setLatency(0)
    assert.ok(performance.now() - begun >= 39)
  })

  test('fixtures are completed and validated as requests are, and keep a status that is given', () => {
    const ports = [{ port: 80 }]
    const web = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'fixture' },
      spec: { type: 'LoadBalancer', ports },
    }
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const made = server.objects.put({ ...web, status })
    assert.deepEqual(made.status, { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } } as never)
    const again = server.objects.put(web) as typeof web & { status?: unknown }
    assert.deepEqual([valueAt(again, 'spec.clusterIP'), again.status], [valueAt(made, 'spec.clusterIP'), made.status])
    assert.throws(() => server.objects.put({ ...web, spec: { ...web.spec, type: 'Balancer' } }), { code: 422 })
    assert.throws(() => server.objects.put({ ...web, kind: 'Widget' }), /knows no v1 Widget/)
  })

  const bad: [name: string, method: string, path: string, body: unknown, code: number][] = [
    ['a body that is no JSON', 'POST', MAPS, '{"metadata":', 400],
    ['a body that is a list', 'POST', MAPS, '[]', 400],
    ['metadata that is a text', 'POST', MAPS, { metadata: 'x' }, 400],
    ['another kind', 'POST', MAPS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }, 400],
    ['another version', 'POST', MAPS, { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } }, 400],
    ['another namespace', 'POST', MAPS, { metadata: { name: 'x', namespace: 'other' } }, 400],
    ['no name', 'POST', MAPS, { metadata: {} }, 422],
    ['a bad name', 'POST', MAPS, { metadata: { name: 'UPPER' } }, 422],
    ['a long label', 'POST', MAPS, { metadata: { name: 'x', labels: { a: 'b'.repeat(64) } } }, 422],
    ['a PUT without a name', 'PUT', `${MAPS}/made`, { data: {} }, 400],
    ['a PUT of another name', 'PUT', `${MAPS}/made`, { metadata: { name: 'x' } }, 400],
    ['a PUT of a Lease without its revision', 'PUT', `${LEASES}/held`, { metadata: { name: 'held' } }, 422],
    ['an event elsewhere than its object', 'POST', EVENTS, eventOn('other'), 422],
    ['an event of a node outside default', 'POST', EVENTS.replace('default', 'kube-system'), eventOn(), 422],
    ['a bad label', 'POST', MAPS, { metadata: { name: 'x', labels: { a: 'b c' } } }, 422],
    ['a namespace that is not there', 'POST', '/api/v1/namespaces/none/configmaps', { metadata: { name: 'x' } }, 404],
    ['a resource that is not there', 'GET', '/api/v1/widgets', undefined, 404],
    ['a group that is not there', 'GET', '/apis/none.io/v1', undefined, 404],
    ['a subresource that is not there', 'GET', `${MAPS}/made/status`, undefined, 404],
    ['a bad selector', 'GET', `${MAPS}?labelSelector=a%20b`, undefined, 400],
    ['a bad limit', 'GET', `${MAPS}?limit=-1`, undefined, 400],
    ['a bad continue token', 'GET', `${MAPS}?continue=zzz`, undefined, 400],
    ['a bad revision', 'GET', `${MAPS}?watch=1&resourceVersion=abc`, undefined, 400],
    ['a broken escape in the path', 'GET', '/api/v1/namespaces/%ZZ/configmaps', undefined, 400],
    ['a body beyond the limit', 'POST', MAPS, JSON.stringify({ x: 'y'.repeat(4 << 20) }), 413],
    ['a PUT of a collection', 'PUT', MAPS, { metadata: { name: 'x' } }, 405],
    ['a POST to an object', 'POST', `${MAPS}/made`, { metadata: { name: 'x' } }, 405],
  ]
  for (const [name, method, path, body, code] of bad)
    test(`${name} is refused with ${code} and a Status`, async () => {
      const reply = await call(server, method, path, { body })
      assert.equal(reply.code, code, reply.text)
      assert.equal(reply.body.kind, 'Status')
      assert.ok(String(reply.body.message).length > 10)
    })

  test('events of objects in the namespace, and of nodes in default, are taken', async () => {
    for (const body of [eventOn('default'), eventOn()])
      assert.equal((await call(server, 'POST', EVENTS, { body })).code, 201)
  })

  test('a patch gives nobody another name', async () => {
    const contentType = 'application/merge-patch+json'
    const body = { metadata: { name: 'other' } }
    const { code, body: status } = await call(server, 'PATCH', `${MAPS}/made`, { body, contentType })
    assert.equal(code, 400)
    assert.match(String(status.message), /the name of the object \(other\) does not match the name on the URL \(made\)/)
  })

  test('a PUT of a namespace leaves its phase, and what empties it before it goes', async () => {
    const NAMESPACES = '/api/v1/namespaces'
    const { body } = await call(server, 'POST', NAMESPACES, { body: { metadata: { name: 'whole' } } })
    const labels = { a: 'b' }
    const put = await call(server, 'PUT', `${NAMESPACES}/whole`, { body: { metadata: { name: 'whole', labels } } })
    assert.deepEqual([put.body.spec, put.body.status], [body.spec, body.status])
    assert.equal(valueAt(put.body, 'metadata.labels.a'), 'b')
  })

  test('a rule with resource names allows the list of that one object', async () => {
    const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
    const rules = [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['own'], verbs: ['list'] }]
    await call(server, 'POST', `${RBAC}/roles`, { body: { metadata: { name: 'one' }, rules } })
    const subjects = [{ kind: 'User', name: 'jane' }]
    const roleRef = { kind: 'Role', name: 'one' }
    await call(server, 'POST', `${RBAC}/rolebindings`, { body: { metadata: { name: 'one' }, subjects, roleRef } })
    const codes = ['?fieldSelector=metadata.name%3Down', '?fieldSelector=metadata.name%3Dother', ''].map(
      async query => {
        const path = `/api/v1/namespaces/default/secrets${query}`
        return (await call(server, 'GET', path, { token: 'jane' })).code
      },
    )
    assert.deepEqual(await Promise.all(codes), [200, 403, 403])
  })

  test('unknown patch types are refused with what would be accepted', async () => {
    const other = await call(server, 'PATCH', `${MAPS}/made`, { body: map('made') })
    assert.match(String(other.body.message), /accepted media types include: application\/json-patch\+json/)
  })
})
