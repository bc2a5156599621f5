/** RBAC (rbac.authorization.k8s.io/v1): may this user do this? Evaluated from the stored roles and bindings. */
import type { User } from './auth.ts'
import { ApiError, forbidden } from './errors.ts'
import { type Fields, fieldsAt, type KubeJson, listAt } from './object.ts'
import type { Store } from './store.ts'

export interface Attributes {
  readonly verb: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** For requests that are not about objects. */
  readonly path?: string
}

const RBAC = 'rbac.authorization.k8s.io'

export function isAllowed(store: Store, user: User, attributes: Attributes): boolean {
  return (
    user.groups.includes('system:masters') ||
    rulesFor(store, user, attributes.namespace).some(rule => covers(rule, attributes))
  )
}

/** The rules a user has in a namespace: cluster-wide ones and those of the namespace's bindings. */
export function rulesFor(store: Store, user: User, namespace: string | undefined): Fields[] {
  const bindings = store.list(`${RBAC}/clusterrolebindings`)
  const local = namespace === undefined ? [] : store.list(`${RBAC}/rolebindings`)
  const here = local.filter(({ object }) => object.metadata.namespace === namespace)
  return [...bindings, ...here].flatMap(({ object }) => (binds(object, user) ? rulesOf(store, object) : []))
}

function binds(binding: KubeJson, user: User): boolean {
  return listAt(binding, 'subjects').some(({ kind, name, namespace = binding.metadata.namespace }) => {
    if (kind === 'Group') return user.groups.includes(String(name))
    return user.name === (kind === 'ServiceAccount' ? `system:serviceaccount:${namespace}:${name}` : name)
  })
}

function rulesOf(store: Store, binding: KubeJson): Fields[] {
  const { kind, name } = fieldsAt(binding, 'roleRef')
  const role =
    kind === 'ClusterRole'
      ? store.get(`${RBAC}/clusterroles`, String(name))
      : store.get(`${RBAC}/roles`, `${binding.metadata.namespace}/${name}`)
  return role === undefined ? [] : listAt(role.object, 'rules')
}

function has(rule: Fields, field: string, value: string): boolean {
  const list = rule[field]
  return Array.isArray(list) && (list.includes(value) || list.includes('*'))
}

function covers(rule: Fields, attributes: Attributes): boolean {
  const { verb, path, group = '', resource = '', subresource = '', name = '' } = attributes
  if (!has(rule, 'verbs', verb)) return false
  if (path !== undefined) return coversPath(rule, path)
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  const any = subresource !== '' && has({ list: rule.resources }, 'list', `*/${subresource}`)
  if (!has(rule, 'apiGroups', group) || !(has(rule, 'resources', full) || any)) return false
  const names = rule.resourceNames
  return !Array.isArray(names) || names.length === 0 || (name !== '' && names.includes(name))
}

function coversPath(rule: Fields, path: string): boolean {
  const urls = Array.isArray(rule.nonResourceURLs) ? rule.nonResourceURLs.map(String) : []
  return urls.some(url => (url.endsWith('*') ? path.startsWith(url.slice(0, -1)) : url === path))
}

/** The 403 in the words of the API server. */
export function refusal(user: User, attributes: Attributes): ApiError {
  const { verb, group = '', resource = '', subresource, namespace, name = '', path } = attributes
  if (path !== undefined)
    return new ApiError(403, 'Forbidden', `forbidden: User "${user.name}" cannot ${verb} path "${path}"`, {})
  const full = subresource ? `${resource}/${subresource}` : resource
  const scope = namespace ? `in the namespace "${namespace}"` : 'at the cluster scope'
  const why = `User "${user.name}" cannot ${verb} resource "${full}" in API group "${group}" ${scope}`
  return forbidden({ plural: resource, group }, name, why)
}

/** What every authenticated user may do, and the role of cluster administrators. */
export function bootstrapRoles(): KubeJson[] {
  const apiVersion = `${RBAC}/v1`
  const role = (name: string, rules: Fields[]): KubeJson => ({
    apiVersion,
    kind: 'ClusterRole',
    metadata: { name },
    rules,
  })
  const binding = (name: string, group: string): KubeJson => ({
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    subjects: [{ kind: 'Group', name: group, apiGroup: RBAC }],
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
  })
  const paths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', '/version', '/version/']
  const selfReviews = ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']
  return [
    role('cluster-admin', [
      { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    role('system:discovery', [{ nonResourceURLs: [...paths, '/healthz', '/livez', '/readyz'], verbs: ['get'] }]),
    role('system:basic-user', [
      { apiGroups: ['authorization.k8s.io'], resources: selfReviews, verbs: ['create'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
    ]),
    role('system:auth-delegator', [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]),
    binding('cluster-admin', 'system:masters'),
    binding('system:discovery', 'system:authenticated'),
    binding('system:basic-user', 'system:authenticated'),
  ]
}
