/** What the daemons ask of the API, read from their code, against what deploy/manifests/rbac.yaml lets them do. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import * as api from '../../src/api/index.ts'
import { TYPES } from '../../src/control/webhooks/endpoints.ts'
import type { ResourceType } from '../../src/core/object.ts'
import type { KubeJson } from '../../src/testing/apiserver/object.ts'
import { isAllowed } from '../../src/testing/apiserver/rbac.ts'
import { Store } from '../../src/testing/apiserver/store.ts'

const NAMESPACE = 'metallb-system'
const VERBS: Readonly<Record<string, string>> = { replace: 'update' }

type Daemon = 'controller' | 'speaker'

/** Where each daemon's requests are made; what both run stands under both. */
const BOTH = ['src/apps/daemon.ts', 'src/adapters/kube/events.ts', 'src/adapters/http/*.ts', 'src/control/config/*.ts']
const CODE: Readonly<Record<Daemon, readonly string[]>> = {
  controller: [
    ...['src/apps/controller/*.ts', 'src/adapters/kube/lease.ts', 'src/control/{services,pool-status}/*.ts'],
    'src/control/{certificates,webhooks}/*.ts',
  ],
  speaker: ['src/apps/speaker/*.ts', 'src/control/{announce,bgp,membership,service-status}/*.ts'],
}

const named = (type: object) => type as ResourceType
const ofGroup = (group: string, plural: string) => ({ group, plural, namespaced: false }) as ResourceType

/** Kinds that the code names otherwise than by the name of an export of src/api, by file and expression. */
const ALIASES: Readonly<Record<string, readonly ResourceType[]>> = {
  'src/control/service-status/controller.ts this.#kind.type': [api.serviceL2Statuses, api.serviceBGPStatuses].map(
    named,
  ),
  'src/control/webhooks/admission.ts type': Object.values(TYPES).map(named),
  'src/control/certificates/rotation.ts type': [api.validatingWebhookConfigurations, api.customResourceDefinitions].map(
    named,
  ),
  'src/apps/controller/memberlist-secret.ts deployments': [{ ...ofGroup('apps', 'deployments'), namespaced: true }],
  'src/adapters/http/access-review.ts type': [
    ofGroup('authentication.k8s.io', 'tokenreviews'),
    ofGroup('authorization.k8s.io', 'subjectaccessreviews'),
  ],
}

/** Objects whose names the Roles fix. */
const NAMES: Readonly<Record<string, string>> = {
  validatingwebhookconfigurations: 'metallb-webhook-configuration',
  customresourcedefinitions: 'bgppeers.metallb.io',
  deployments: 'controller',
}

interface Request {
  readonly verb: string
  readonly type: ResourceType
  readonly subresource?: string
  /** Of one namespace; else of all. */
  readonly home: boolean
  readonly from: string
}

const INFORMERS = /informers\.of\(([\w.#]+)(, \{ namespace)?/g
const CALLS = /\b(?:kube|api)\.(get|list|create|replace|patch|delete)\(([\w.#]+)(?:, ?(.*)|\))/g

const filesOf = (...patterns: string[]) =>
  globSync(patterns)
    .filter(file => !file.endsWith('.test.ts'))
    .sort()

function requestsOf(daemon: Daemon): Request[] {
  return filesOf(...BOTH, ...CODE[daemon]).flatMap(file => {
    const text = readFileSync(file, 'utf8')
    const cached = [...text.matchAll(INFORMERS)].flatMap(([, type = '', home]) =>
      ['list', 'watch'].flatMap(verb => asks(file, verb, type, home !== undefined)),
    )
    const single = [...text.matchAll(CALLS)].flatMap(([, verb = '', type = '', rest]) =>
      asks(file, VERBS[verb] ?? verb, type, rest !== undefined, rest?.includes("'status'") ? 'status' : undefined),
    )
    return [...cached, ...single]
  })
}

function asks(file: string, verb: string, name: string, home: boolean, subresource?: string): Request[] {
  const known = (api as Readonly<Record<string, unknown>>)[name] as ResourceType | undefined
  const types = known === undefined ? ALIASES[`${file} ${name}`] : [known]
  assert.ok(types, `${file} asks for ${name}: which kind is that?`)
  return types.map(type => ({
    ...{ verb, type, from: file, home: home && type.namespaced },
    ...(subresource && { subresource }),
  }))
}

/** Services and the events about them are everybody's. */
const EVERYWHERE = ['services', 'events']

function granted(store: Store, daemon: Daemon, { verb, type, subresource, home }: Request): boolean {
  const namespace = home && !EVERYWHERE.includes(type.plural) ? NAMESPACE : undefined
  const user = { name: `system:serviceaccount:${NAMESPACE}:${daemon}`, groups: [] }
  const attributes = { verb, group: type.group, resource: type.plural, name: NAMES[type.plural] ?? 'some' }
  return isAllowed(store, user, { ...attributes, ...(namespace && { namespace }), ...(subresource && { subresource }) })
}

const OURS = 'deploy/manifests/rbac.yaml'

/** The roles of the file, bound as ours are. */
function storeOf(file: string): Store {
  const store = new Store()
  const objects = [OURS, file].flatMap(path =>
    parseAllDocuments(readFileSync(path, 'utf8')).map(document => [path, document.toJS() as KubeJson] as const),
  )
  for (const [path, object] of objects)
    if (path === file || String(object.kind).endsWith('Binding'))
      store.put(`rbac.authorization.k8s.io/${String(object.kind).toLowerCase()}s`, object)
  return store
}

/** What the code asks for and is not let do, each once. */
function refusedBy(file: string, daemon: Daemon): string[] {
  const requests = requestsOf(daemon)
  assert.ok(requests.length > 25, `${requests.length} found`)
  const store = storeOf(file)
  const refused = requests.filter(request => !granted(store, daemon, request))
  const text = ({ verb, type: { plural }, subresource }: Request) =>
    `${verb} ${plural}${subresource === undefined ? '' : `/${subresource}`}`
  return [...new Set(refused.map(text))].sort()
}

const REVIEWS = ['create subjectaccessreviews', 'create tokenreviews'] // nobody is let see the metrics

/** With the reference's manifests and our images: each of these is worked around. */
const WITHOUT: Readonly<Record<Daemon, readonly string[]>> = {
  controller: [...REVIEWS, ...['create', 'get', 'update'].map(verb => `${verb} leases`)], // leads unguarded
  speaker: [
    ...REVIEWS,
    'watch pods', // polls
    ...['create', 'delete', 'list', 'patch'].map(verb => `${verb} bgpsessionstates`), // writes none
    'patch bgpsessionstates/status',
  ],
}

for (const daemon of ['controller', 'speaker'] as const) {
  test(`the Roles let the ${daemon} do what its code asks for`, () => assert.deepEqual(refusedBy(OURS, daemon), []))

  test(`the reference's Roles let the ${daemon} do all but what it can do without`, () =>
    assert.deepEqual(refusedBy('test/contract/reference-rbac.yaml', daemon), [...WITHOUT[daemon]].sort()))
}

test('whatever asks the API in their code is looked at', () => {
  const looked = filesOf(...BOTH, ...CODE.controller, ...CODE.speaker)
  const asking = filesOf(
    'src/{control,adapters}/**/*.ts',
    'src/apps/{controller,speaker}/*.ts',
    'src/apps/*.ts',
  ).filter(file => [INFORMERS, CALLS].some(pattern => readFileSync(file, 'utf8').search(pattern) >= 0))
  assert.ok(asking.length > 10, `${asking.length} found`)
  assert.deepEqual(
    asking.filter(file => !looked.includes(file)),
    [],
  )
})
