import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crds } from '../../api/crds.ts'
import { brokenRules, checkRules } from './cel.ts'
import type { Schema, ValidationRule } from './schema.ts'

const rule = (text: string, more: Partial<ValidationRule> = {}) => ({
  'x-kubernetes-validations': [{ rule: text, ...more }],
})
const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...more,
})
const integer: Schema = { type: 'integer' }
const texts = (...check: Parameters<typeof checkRules>) =>
  checkRules(...check).map(({ field, message }) => `${field}: ${message}`)

test('a rule is asked at its place, and refuses in the words of Kubernetes', () => {
  const schema = object({ spec: object({ low: integer, high: integer }, rule('self.low <= self.high')) })
  assert.deepEqual(texts({ spec: { low: 1, high: 2 } }, undefined, schema), [])
  assert.deepEqual(texts({ spec: { low: 3, high: 2 } }, undefined, schema), [
    'spec: Invalid value: "object": failed rule: self.low <= self.high',
  ])
})

const MESSAGES: [string, Partial<ValidationRule>, string][] = [
  ['message', { message: 'too high' }, 'spec: Invalid value: "integer": too high'],
  ['expression', { message: 'm', messageExpression: '"got " + string(self)' }, 'spec: Invalid value: "integer": got 9'],
  ['broken expression', { message: 'm', messageExpression: 'self.x' }, 'spec: Invalid value: "integer": m'],
  ['forbidden', { message: 'm', reason: 'FieldValueForbidden' }, 'spec: Forbidden: m'],
  ['required', { message: 'm', reason: 'FieldValueRequired' }, 'spec: Required value: m'],
  ['field path', { message: 'm', fieldPath: '.a' }, 'spec.a: Invalid value: "integer": m'],
]
for (const [name, more, expected] of MESSAGES)
  test(`the sentence of a refusal: ${name}`, () => {
    const schema = object({ spec: { type: 'integer', ...rule('self < 5', more) } })
    assert.deepEqual(texts({ spec: 9 }, undefined, schema), [expected])
  })

test('a rule that cannot be evaluated refuses, and says so', () => {
  const schema = object({ a: object({ b: integer }, rule('self.b == 1', { message: 'b must be 1' })) })
  assert.deepEqual(texts({ a: {} }, undefined, schema), [
    'a: Invalid value: "object": No such key: b evaluating rule: b must be 1',
  ])
})

test('a transition rule is asked on changes only, in maps and lists with keys too, in other lists never', () => {
  const fixed = { type: 'string', ...rule('self == oldSelf', { message: 'immutable' }) }
  const item = object({ name: { type: 'string' }, fixed })
  const byName: Schema = { type: 'array', items: item, 'x-kubernetes-list-type': 'map' }
  const schema = object({
    plain: fixed,
    map: { type: 'object', additionalProperties: fixed },
    keyed: { ...byName, 'x-kubernetes-list-map-keys': ['name'] },
    atomic: { type: 'array', items: item },
  })
  const value = (text: string) => ({
    plain: text,
    map: { a: text },
    keyed: [{ name: 'x', fixed: text }],
    atomic: [{ name: 'x', fixed: text }],
  })
  assert.deepEqual(texts(value('1'), undefined, schema), [])
  assert.deepEqual(texts(value('1'), value('1'), schema), [])
  assert.deepEqual(
    checkRules(value('2'), value('1'), schema).map(({ field }) => field),
    ['plain', 'map[a]', 'keyed[0].fixed'],
  )
  assert.deepEqual(texts({ plain: '2' }, {}, schema), [], 'a field that is set for the first time')
})

const FUNCTIONS: [string, unknown, boolean][] = [
  ['self.all(x, isCIDR(x))', ['192.0.2.0/24', '2001:db8::/32'], true],
  ['self.all(x, isCIDR(x))', ['192.0.2.0'], false],
  ['self.exists(x, isIP(x))', ['none', '::1'], true],
  ['self.exists(x, isIP(x))', ['none'], false],
  ['self.sum() == 6', [1, 2, 3], true],
  ['self.sum() == 6', [], false],
  ['self.size() < 2', [1], true],
]
for (const [text, value, good] of FUNCTIONS)
  test(`${text} of ${JSON.stringify(value)} is ${good}`, () => {
    assert.equal(texts(value, undefined, { type: 'array', ...rule(text) }).length, good ? 0 : 1)
  })

test('a rule that cannot be read is found in the schema, by its place', () => {
  const schema = object({ a: { type: 'array', items: { type: 'string', ...rule('self ==') } } })
  const [broken, ...more] = brokenRules(schema, 'schema')
  assert.equal(broken?.field, 'schema.properties[a].items.x-kubernetes-validations[0].rule')
  assert.match(broken!.message, /^Invalid value: "self ==": compilation failed: /)
  assert.deepEqual(more, [])
})

/** The spec of our own kinds: what is changed, and what the rules say. */
const OURS: [kind: string, version: string, before: unknown, after: unknown, said: string[]][] = [
  ['BGPPeer', 'v1beta2', undefined, { connectTime: '10s' }, []],
  ['BGPPeer', 'v1beta2', undefined, { connectTime: '0s' }, ['connect time should be between 1 seconds to 65535']],
  ['BGPPeer', 'v1beta2', undefined, { connectTime: '65536s' }, ['connect time should be between 1 seconds to 65535']],
  [
    'BGPPeer',
    'v1beta2',
    undefined,
    { connectTime: '1500ms' },
    ['connect time should contain a whole number of seconds'],
  ],
  ['BGPPeer', 'v1beta2', { enableGracefulRestart: true }, { enableGracefulRestart: true }, []],
  [
    ...(['BGPPeer', 'v1beta2', { enableGracefulRestart: true }, { enableGracefulRestart: false }] as const),
    ['EnableGracefulRestart cannot be changed after creation'],
  ],
  ['BGPAdvertisement', 'v1beta1', undefined, { serviceSelectors: [{}], aggregationLength: 32 }, []],
  ['BGPAdvertisement', 'v1beta1', undefined, { serviceSelectors: [], aggregationLength: 24 }, []],
  [
    ...(['BGPAdvertisement', 'v1beta1', undefined, { serviceSelectors: [{}], aggregationLength: 24 }] as const),
    [
      'serviceSelectors and aggregationLength are mutually exclusive, can only be used together with default aggregationLength (32) and aggregationLengthV6 (128)',
    ],
  ],
]
for (const [kind, version, before, after, said] of OURS)
  test(`${kind}: ${JSON.stringify(after)}${before ? ` after ${JSON.stringify(before)}` : ''}`, () => {
    const crd = crds.find(({ spec }) => spec.names.kind === kind)!
    const { openAPIV3Schema } = crd.spec.versions.find(({ name }) => name === version)!.schema
    const old = before === undefined ? undefined : { spec: before }
    const found = checkRules({ spec: after }, old, openAPIV3Schema as Schema)
    assert.deepEqual(
      found.map(({ message }) => message.replace(/^Invalid value: "\w+": /, '')),
      said,
    )
  })

test('every rule of our kinds can be read', () => {
  for (const { spec } of crds)
    for (const { name, schema } of spec.versions)
      assert.deepEqual(brokenRules(schema.openAPIV3Schema as Schema, `${spec.names.kind} ${name}`), [])
})
