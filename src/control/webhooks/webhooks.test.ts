/** Chapter 01 sections 6.I, 6.K and 6.L. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import {
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  ipAddressPools,
  l2Advertisements,
  nodes,
  type ParseOptions,
} from '../../api/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { KubeError } from '../../ports/index.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { ENDPOINTS, webhookHandlers } from './index.ts'
import type { Json } from './review.ts'

const NAMESPACE = 'metallb-system'
const TYPES: ResourceType<KubeObject>[] = [
  ipAddressPools,
  bgpPeers,
  bgpAdvertisements,
  l2Advertisements,
  communities,
  bfdProfiles,
  nodes,
]

interface Answer {
  allowed: boolean
  status: { code: number; reason?: string; message?: string }
  warnings?: string[]
  uid: string
}

function open(stored: KubeObject[] = [], given: ParseOptions = {}) {
  const kube = new FakeKube()
  const log = new FakeLog()
  for (const object of stored) put(kube, object)
  const handlers = webhookHandlers({ kube, namespace: NAMESPACE, parse: given, log })
  const review = async (operation: string, object: KubeObject, more: Json = {}): Promise<Answer> => {
    const path = Object.keys(ENDPOINTS).find(name => ENDPOINTS[name]!.kind === object.kind)!
    const which = operation === 'DELETE' ? { oldObject: object } : { object }
    const request = { uid: 'u1', operation, name: object.metadata.name, namespace: NAMESPACE, ...which, ...more }
    const { status, body } = await handlers[path]!({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request,
    })
    assert.equal(status, 200)
    return (body as { response: Answer }).response
  }
  return { kube, log, handlers, review }
}

function put(kube: FakeKube, object: KubeObject): void {
  const type = TYPES.find(({ kind }) => kind === object.kind)!
  kube.put(type, { ...object, metadata: { ...(type.namespaced ? { namespace: NAMESPACE } : {}), ...object.metadata } })
}

const objects = (text: string) => parseAllDocuments(text).map(document => document.toJS() as KubeObject)
const POOL = '{kind: IPAddressPool, metadata: {name: web}, spec: {addresses: ["172.20.8.0/24"]}}'
const PEER = (spec: string, name = 'tor1') =>
  `{kind: BGPPeer, metadata: {name: ${name}}, spec: {myASN: 64600, peerASN: 64700, peerAddress: 192.0.2.1${spec}}}`
const SIX = '{kind: IPAddressPool, metadata: {name: six}, spec: {addresses: ["2001:db8:b::/124"]}}'
const NATIVE: ParseOptions = { mode: 'native', strictNative: true }

/** The first document is reviewed, the others are stored. */
const cases: [number: number, text: string, denied?: string | RegExp, options?: ParseOptions][] = [
  [
    133,
    `{kind: IPAddressPool, metadata: {name: newpool}, spec: {addresses: ["172.20.8.128/25"]}}\n---\n${POOL}`,
    /CIDR "172.20.8.0\/24" in pool "web" overlaps with already defined CIDR "172.20.8.128\/25"/,
  ],
  [
    134,
    '{kind: IPAddressPool, metadata: {name: web}, spec: {addresses: ["172.20.8.0/28"]}}\n---\n{kind: BGPAdvertisement, metadata: {name: agg}, spec: {aggregationLength: 24}}',
  ],
  [135, PEER(', bfdProfile: fast, passwordSecret: {name: x}')],
  [136, PEER(', password: p, passwordSecret: {name: x}')],
  [137, PEER(', bfdProfile: fast'), undefined, NATIVE],
  [138, PEER(', vrf: red'), 'peer 192.0.2.1 has vrf set on native bgp mode', NATIVE],
  [139, `{kind: BGPAdvertisement, metadata: {name: adv}, spec: {communities: [nowhere]}}\n---\n${POOL}`],
  [
    140,
    `{kind: BGPAdvertisement, metadata: {name: adv}, spec: {communities: ["1:2:3"]}}\n---\n${POOL}`,
    /invalid community "1:2:3" in BGP advertisement: invalid community format: 1:2:3/,
  ],
  [
    141,
    `{kind: BGPAdvertisement, metadata: {name: adv}, spec: {communities: ["team:a"]}}\n---\n${POOL}\n---\n{kind: Community, metadata: {name: c}, spec: {communities: [{name: "team:a", value: "1:1"}]}}`,
    'invalid community "team:a" in BGP advertisement',
  ],
  [
    142,
    `{kind: BGPAdvertisement, metadata: {name: adv}, spec: {aggregationLength: 16}}\n---\n${POOL}`,
    'invalid aggregation length 16: prefix 24 in this pool is more specific than the aggregation length for addresses 172.20.8.0/24',
  ],
  [143, `${SIX}\n---\n{kind: BGPAdvertisement, metadata: {name: all}, spec: {}}`, undefined, NATIVE],
  [
    144,
    `{kind: BGPAdvertisement, metadata: {name: all}, spec: {}}\n---\n${SIX}`,
    'pool "six" has ipv6 CIDR 2001:db8:b::/124, native bgp mode does not support ipv6',
    NATIVE,
  ],
  [
    145,
    '{kind: Community, metadata: {name: two}, spec: {communities: [{name: vip, value: "64600:2"}]}}\n---\n{kind: Community, metadata: {name: one}, spec: {communities: [{name: vip, value: "64600:1"}]}}',
    'duplicate definition of community "vip"',
  ],
  [
    146,
    `{kind: L2Advertisement, metadata: {name: l}, spec: {ipAddressPools: [q, q]}}\n---\n${POOL}`,
    'duplicate definition of ipAddressPools "q"',
  ],
  [147, '{kind: BFDProfile, metadata: {name: b}, spec: {detectMultiplier: 1}}'],
  [
    148,
    `${PEER('', 'p2')}\n---\n${PEER('', 'p1')}\n---\n{kind: Node, metadata: {name: n1, labels: {rack: r1}}}\n---\n{kind: Node, metadata: {name: n2, labels: {rack: r2}}}`,
    "peer 192.0.2.1 already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node",
    { mode: 'frr' },
  ],
]
for (const [number, text, refusal, options] of cases)
  test(`acceptance ${number}: ${refusal === undefined ? 'admitted' : 'denied'}`, async () => {
    const [object, ...stored] = objects(text)
    const { review } = open(stored, options)
    const { allowed, status } = await review('CREATE', at(object!))
    assert.equal(allowed, refusal === undefined, status.message)
    if (refusal === undefined) return assert.equal(status.code, 200)
    assert.deepEqual([status.code, status.reason], [403, 'Forbidden'])
    assert.match(status.message!, typeof refusal === 'string' ? new RegExp(escaped(refusal)) : refusal)
  })

const escaped = (text: string) => text.replace(/[[\]()./*+?"]/g, '\\$&')
const at = (object: KubeObject, namespace = NAMESPACE) => ({ ...object, metadata: { namespace, ...object.metadata } })

test('170: another namespace is refused on CREATE, and not on UPDATE', async () => {
  const { review } = open()
  const pool = at(parse(POOL), 'default')
  const { status } = await review('CREATE', pool, { namespace: 'default' })
  assert.equal(status.message, 'resource must be created in metallb-system namespace')
  assert.equal((await review('UPDATE', pool, { namespace: 'default' })).allowed, true)
})

test('171: disableMP is a warning, on UPDATE too, and hides nothing (defect 16)', async () => {
  const { review } = open()
  const warning = "disable mp is deprecated and has no effect since it's the default behavior now"
  for (const operation of ['CREATE', 'UPDATE']) {
    const good = await review(operation, at(parse(PEER(', disableMP: true'))))
    assert.deepEqual([good.allowed, good.warnings], [true, [warning]])
    const bad = await review(operation, at(parse(PEER(', disableMP: true, holdTime: 1s'))))
    assert.deepEqual([bad.allowed, bad.warnings], [false, [warning]])
  }
})

test('172: a BFDProfile goes when no peer names it any more', async () => {
  const { kube, review } = open([parse(PEER(', bfdProfile: fast'))])
  const profile = at({ kind: 'BFDProfile', metadata: { name: 'fast' } })
  assert.equal(
    (await review('DELETE', profile)).status.message,
    'failed to delete BFDProfile fast, used by BGPPeer tor1',
  )
  kube.remove(bgpPeers, { namespace: NAMESPACE, name: 'tor1' })
  assert.equal((await review('DELETE', profile)).allowed, true)
})

test('173: a pool may be deleted', async () => {
  assert.equal((await open([parse(POOL)]).review('DELETE', at(parse(POOL)))).allowed, true)
})

test('174: a duration that cannot be read is code 400', async () => {
  const { status } = await open().review('CREATE', at(parse(PEER(', holdTime: soon'))))
  assert.equal(status.code, 400)
  assert.equal(status.message, 'BGPPeer tor1 spec.holdTime: time: invalid duration "soon"')
})

test('every problem is told, with object, field and hint, and the refusal is logged', async () => {
  const { review, log } = open([parse(POOL)])
  const pool = parse('{kind: IPAddressPool, metadata: {name: bad}, spec: {addresses: ["172.20.8.1", "172.20.8.0/25"]}}')
  const { status } = await review('CREATE', at(pool))
  const [head, ...lines] = status.message!.split('\n')
  assert.equal(head, '2 problems:')
  assert.match(lines[0]!, /^- IPAddressPool metallb-system\/bad spec\.addresses\[0\]: .*\(.+\)$/)
  assert.match(lines[1]!, /^- IPAddressPool metallb-system\/web spec\.addresses\[0\]: .*overlaps/)
  const { level, fields } = log.lines.at(-1)!
  assert.deepEqual([level, fields.msg, fields.webhook], ['error', 'invalid configuration', 'IPAddressPool'])
})

test('the stored object of the same name is replaced', async () => {
  const { review } = open([parse(POOL)])
  assert.equal((await review('UPDATE', at(parse(POOL)))).allowed, true)
})

test('a read that fails denies and says which', async () => {
  const { kube, review } = open()
  kube.fail = () => {
    throw new KubeError('SERVER', 'etcd is away')
  }
  const { allowed, status } = await review('CREATE', at(parse(POOL)))
  assert.equal(allowed, false)
  assert.equal(status.message, 'failed to get existing IPAddressPool objects: etcd is away')
})

test('168: two objects, converted in order, in the version of the review', async () => {
  const { handlers } = open()
  const metadata = { name: 'old', uid: 'x', labels: { a: 'b' } }
  const object = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'BGPPeer',
    metadata,
    spec: { myASN: 64600, peerASN: 64700, peerAddress: '192.0.2.1' },
  }
  const request = {
    uid: 'u',
    desiredAPIVersion: 'metallb.io/v1beta2',
    objects: [object, { ...object, metadata: { name: 'b' } }],
  }
  const apiVersion = 'apiextensions.k8s.io/v1beta1'
  const { status, body } = await handlers['/convert']!({ apiVersion, kind: 'ConversionReview', request })
  assert.equal(status, 200)
  const { response, ...envelope } = body as Json & { response: Json & { convertedObjects: KubeObject[] } }
  assert.deepEqual(envelope, { apiVersion, kind: 'ConversionReview' })
  assert.deepEqual([response.uid, response.result], ['u', { status: 'Success' }])
  assert.deepEqual(response.convertedObjects[0], { ...object, apiVersion: 'metallb.io/v1beta2' })
  assert.equal(response.convertedObjects[1]!.metadata.name, 'b')

  const same = { ...request, desiredAPIVersion: 'metallb.io/v1beta1' } // 169
  const refused = await handlers['/convert']!({ apiVersion, kind: 'ConversionReview', request: same })
  const { result } = (refused.body as { response: { result: { status: string; message: string } } }).response
  assert.deepEqual([refused.status, result.status], [200, 'Failure'])
  assert.match(result.message, /conversion is not allowed between same type/)
})

test('the manifest sends what the endpoints review', () => {
  const manifest = parseAllDocuments(readFileSync('deploy/manifests/webhooks.yaml', 'utf8')).map(d => d.toJS())
  const { webhooks } = manifest.find(({ kind }) => kind === 'ValidatingWebhookConfiguration')
  assert.equal(webhooks.length, Object.keys(ENDPOINTS).length)
  for (const { clientConfig, rules, failurePolicy, sideEffects } of webhooks) {
    const { kind, operations } = ENDPOINTS[clientConfig.service.path]!
    const { plural, version } = TYPES.find(type => type.kind === kind)!
    assert.deepEqual(rules, [
      { apiGroups: ['metallb.io'], apiVersions: [version], operations: [...operations], resources: [plural] },
    ])
    assert.deepEqual([failurePolicy, sideEffects], ['Fail', 'None'])
  }
})
