import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { User } from './auth.ts'
import type { Fields } from './object.ts'
import { type Attributes, isAllowed, refusal } from './rbac.ts'
import { Store } from './store.ts'

const RBAC = 'rbac.authorization.k8s.io'
const apiVersion = `${RBAC}/v1`
const jane: User = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const speaker: User = { name: 'system:serviceaccount:metallb-system:speaker', groups: [] }

function cluster(rules: Fields[], subject: Fields = { kind: 'User', name: 'jane' }): Store {
  const store = new Store()
  store.put(`${RBAC}/clusterroles`, { apiVersion, kind: 'ClusterRole', metadata: { name: 'r' }, rules })
  const roleRef = { kind: 'ClusterRole', name: 'r' }
  const metadata = { name: 'b' }
  store.put(`${RBAC}/clusterrolebindings`, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata,
    subjects: [subject],
    roleRef,
  })
  return store
}

const services = { apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] }
const status = { apiGroups: [''], resources: ['services/status'], verbs: ['*'] }
const anyStatus = { apiGroups: ['*'], resources: ['*/status'], verbs: ['update'] }
const named = { apiGroups: [''], resources: ['secrets'], resourceNames: ['memberlist'], verbs: ['get'] }
const path = { nonResourceURLs: ['/metrics', '/debug/*'], verbs: ['get'] }

const cases: [name: string, rule: Fields, attributes: Attributes, allowed: boolean][] = [
  ['the verb and resource of a rule', services, { verb: 'list', resource: 'services' }, true],
  ['another verb', services, { verb: 'delete', resource: 'services' }, false],
  ['another resource', services, { verb: 'list', resource: 'pods' }, false],
  ['the same plural in another group', services, { verb: 'list', resource: 'services', group: 'x.io' }, false],
  ['a subresource that is not named', services, { verb: 'get', resource: 'services', subresource: 'status' }, false],
  ['a subresource that is named', status, { verb: 'patch', resource: 'services', subresource: 'status' }, true],
  ['the resource of a named subresource', status, { verb: 'patch', resource: 'services' }, false],
  [
    'a subresource of any resource',
    anyStatus,
    { verb: 'update', resource: 'x', group: 'g', subresource: 'status' },
    true,
  ],
  ['a resource name of the list', named, { verb: 'get', resource: 'secrets', name: 'memberlist' }, true],
  ['a resource name outside the list', named, { verb: 'get', resource: 'secrets', name: 'other' }, false],
  ['no name where names are listed', named, { verb: 'get', resource: 'secrets' }, false],
  ['a path', path, { verb: 'get', path: '/metrics' }, true],
  ['a path below a star', path, { verb: 'get', path: '/debug/x' }, true],
  ['another path', path, { verb: 'get', path: '/metricsx' }, false],
]
for (const [name, rule, attributes, allowed] of cases)
  test(`${name}: ${allowed ? 'allowed' : 'refused'}`, () =>
    assert.equal(isAllowed(cluster([rule]), jane, attributes), allowed))

test('a binding reaches users, groups and service accounts, and nobody else', () => {
  const list = { verb: 'list', resource: 'services' }
  assert.equal(isAllowed(cluster([services], { kind: 'Group', name: 'dev' }), jane, list), true)
  assert.equal(isAllowed(cluster([services], { kind: 'Group', name: 'ops' }), jane, list), false)
  const account = { kind: 'ServiceAccount', name: 'speaker', namespace: 'metallb-system' }
  assert.equal(isAllowed(cluster([services], account), speaker, list), true)
  assert.equal(isAllowed(cluster([services], { ...account, namespace: 'other' }), speaker, list), false)
  assert.equal(isAllowed(new Store(), { name: 'root', groups: ['system:masters'] }, list), true)
})

test('a RoleBinding counts in its namespace only, also for a ClusterRole', () => {
  const store = cluster([services], { kind: 'User', name: 'nobody' })
  const metadata = { name: 'b', namespace: 'shop' }
  const roleRef = { kind: 'ClusterRole', name: 'r' }
  const subjects = [{ kind: 'User', name: 'jane' }]
  store.put(`${RBAC}/rolebindings`, { apiVersion, kind: 'RoleBinding', metadata, subjects, roleRef })
  assert.equal(isAllowed(store, jane, { verb: 'list', resource: 'services', namespace: 'shop' }), true)
  assert.equal(isAllowed(store, jane, { verb: 'list', resource: 'services', namespace: 'other' }), false)
  assert.equal(isAllowed(store, jane, { verb: 'list', resource: 'services' }), false)
})

const texts: [Attributes, string][] = [
  [
    { verb: 'list', resource: 'services', namespace: 'shop' },
    'services is forbidden: User "jane" cannot list resource "services" in API group "" in the namespace "shop"',
  ],
  [
    { verb: 'patch', resource: 'bgppeers', group: 'metallb.io', subresource: 'status', name: 'p', namespace: 'm' },
    'bgppeers.metallb.io "p" is forbidden: User "jane" cannot patch resource "bgppeers/status" in API group "metallb.io" in the namespace "m"',
  ],
  [
    { verb: 'watch', resource: 'nodes' },
    'nodes is forbidden: User "jane" cannot watch resource "nodes" in API group "" at the cluster scope',
  ],
  [{ verb: 'get', path: '/metrics' }, 'forbidden: User "jane" cannot get path "/metrics"'],
]
for (const [attributes, text] of texts) test(text, () => assert.equal(refusal(jane, attributes).message, text))
