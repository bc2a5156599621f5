// Fuzz entry point: arbitrary JSON, and reviews with arbitrary parts, into every webhook handler.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ENDPOINTS, webhookHandlers } from '../../src/control/webhooks/index.ts'
import { silent } from '../../src/ports/index.ts'
import { FakeKube } from '../../src/testing/fake-kube.ts'

export const handlers = webhookHandlers({
  ...{ kube: new FakeKube(), namespace: 'metallb-system', log: silent },
  parse: { mode: 'frr' },
})
const FIELDS = [
  ...['metadata', 'name', 'namespace', 'spec', 'addresses', 'communities', 'peers', 'holdTime', 'passwordSecret'],
  ...['nodeSelectors', 'matchExpressions', 'values', 'bfdProfile', 'myASN', 'kind', 'apiVersion', '__proto__', 'uid'],
]
const leaf = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom<unknown>(null, '', '10.0.0.0/24', '1:2', '9s', 'BGPPeer', 'metallb.io/v1beta1', -1, 2n ** 70n),
)
const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('tree'), { maxKeys: 6 }),
  ),
}))
const kind = fc.constantFrom('BGPPeer', ...Object.values(ENDPOINTS).map(endpoint => endpoint.kind))
const version = fc.constantFrom('metallb.io/v1beta1', 'metallb.io/v1beta2')
const metadata = fc.record({ name: fc.constantFrom('a', 'b'), namespace: fc.constant('metallb-system') })
const object = fc.oneof(tree, fc.record({ apiVersion: version, kind, metadata, spec: tree }))
const request = fc.oneof(
  tree,
  fc.record(
    {
      uid: fc.oneof(fc.string(), tree),
      operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT', 7),
      object,
      oldObject: object,
      objects: fc.oneof(tree, fc.array(object, { maxLength: 3 })),
      desiredAPIVersion: fc.oneof(version, tree),
    },
    { requiredKeys: [] },
  ),
)
const body = fc.oneof(
  { arbitrary: tree, weight: 1 },
  {
    weight: 5,
    arbitrary: fc.record({
      apiVersion: fc.constantFrom(
        'admission.k8s.io/v1',
        'apiextensions.k8s.io/v1beta1',
        'apiextensions.k8s.io/v1',
        'x',
      ),
      kind: fc.constantFrom('AdmissionReview', 'ConversionReview'),
      request,
    }),
  },
)

/** Throws where a handler rejects or answers something that is neither a review nor an HTTP error. */
export const property = fc.asyncProperty(fc.constantFrom(...Object.keys(handlers)), body, async (path, given) => {
  const { status, body } = await handlers[path]!(given)
  if (typeof body === 'string') return assert.ok(status === 400 && body !== '')
  const { uid, allowed, status: outcome, result } = body.response as Record<string, { code?: number; status?: string }>
  assert.equal(status, 200)
  assert.equal(typeof uid, 'string')
  if (path === '/convert') return assert.ok(['Success', 'Failure'].includes(result!.status!))
  assert.equal(typeof allowed, 'boolean')
  assert.ok([200, 400, 403].includes(outcome!.code!), JSON.stringify(outcome))
})

if (import.meta.main) {
  const seconds = Number(process.argv[2] ?? 60)
  await fc.assert(property, {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: seconds * 1000,
    verbose: true,
  })
  console.log(`webhooks: ${seconds} seconds without a finding`)
}
