// Fuzz entry point: arbitrary JSON, and valid objects with arbitrary parts, into the reader of configuration.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ConfigSnapshot, groupObjects, parseConfig } from '../../src/api/index.ts'
import { formatProblem } from '../../src/core/config/index.ts'

const KINDS = [
  'IPAddressPool',
  'L2Advertisement',
  'Community',
  'Node',
  'Namespace',
  'BGPPeer',
  'BGPAdvertisement',
  'BFDProfile',
  'Secret',
  'ConfigMap',
]
/** Field names that lead deep into the reader. */
const FIELDS = [
  ...['metadata', 'name', 'namespace', 'labels', 'spec', 'addresses', 'serviceAllocation', 'namespaceSelectors'],
  ...['matchLabels', 'matchExpressions', 'key', 'operator', 'values', 'preferredNodeSelectors', 'weight', 'preference'],
  ...['communities', 'value', 'peers', 'nodeSelectors', 'ipAddressPools', 'peerAddress', 'myASN', 'holdTime'],
  ...[
    'passwordSecret',
    'bfdProfile',
    'detectMultiplier',
    'data',
    'extras',
    'type',
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
  ],
]
const leaf = fc.oneof(
  fc.json({ maxDepth: 1 }).map(text => JSON.parse(text) as unknown),
  fc.constantFrom<unknown>(
    null,
    '',
    'In',
    '10.0.0.0/24',
    '::1-::2',
    '9s',
    'bgpextras',
    Number.POSITIVE_INFINITY,
    -1,
    2n ** 80n,
    '\ud800',
  ),
)
const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    leaf,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('tree'), { maxKeys: 6 }),
  ),
}))
const object = fc.oneof(
  tree,
  fc.record(
    {
      kind: fc.constantFrom(...KINDS),
      metadata: fc.oneof({ weight: 3, arbitrary: fc.record({ name: fc.constantFrom('a', 'b', 'bgpextras') }) }, tree),
      spec: tree,
      data: tree,
    },
    { requiredKeys: ['kind'] },
  ),
)

const options = fc.record({
  mode: fc.constantFrom('native', 'frr', 'frr-k8s', undefined),
  strictNative: fc.boolean(),
  node: fc.constantFrom('a', undefined),
  secretPassThrough: fc.boolean(),
})

/** Throws where the reader throws, answers nothing, or depends on the order of its input. */
export const property = fc.property(fc.array(object, { maxLength: 6 }), options, (objects, given) => {
  const parsed = parseConfig(groupObjects(objects as never[]), given)
  if ('problems' in parsed) {
    assert.ok(parsed.problems.length > 0)
    for (const problem of parsed.problems) assert.equal(typeof formatProblem(problem), 'string')
  } else assert.ok(Array.isArray(parsed.config.pools))
})

/** Any object in any list. */
export const anywhere = fc.property(fc.array(tree, { maxLength: 4 }), options, (objects, given) => {
  const lists = Object.keys(groupObjects([]))
  const snapshot = Object.fromEntries(lists.map(list => [list, objects])) as ConfigSnapshot
  assert.ok(parseConfig(snapshot, given))
})

if (import.meta.main) {
  const seconds = Number(process.argv[2] ?? 60)
  for (const run of [property, anywhere])
    fc.assert(run, { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 500, verbose: true })
  console.log(`config: ${seconds} seconds without a finding`)
}
