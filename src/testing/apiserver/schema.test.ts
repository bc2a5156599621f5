import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyDefaults, prune, type Schema, validate } from './schema.ts'

const spec = (properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties, ...more } },
})

const refusals: [name: string, schema: Schema, value: object, texts: string[]][] = [
  ['a missing field', spec({ a: {} }, { required: ['a'] }), {}, ['spec.a: Required value']],
  [
    'a wrong type',
    spec({ a: { type: 'integer' } }),
    { a: 'x' },
    ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
  ],
  [
    'null where it may not be',
    spec({ a: { type: 'string' } }),
    { a: null },
    ['spec.a: Invalid value: "null": spec.a in body must be of type string: "null"'],
  ],
  [
    'a value outside an enum',
    spec({ a: { enum: ['x', 'y'] } }),
    { a: 'z' },
    ['spec.a: Unsupported value: "z": supported values: "x", "y"'],
  ],
  [
    'a number too small',
    spec({ a: { minimum: 1 } }),
    { a: 0 },
    ['spec.a: Invalid value: 0: spec.a in body should be greater than or equal to 1'],
  ],
  [
    'a number too large',
    spec({ a: { maximum: 5 } }),
    { a: 6 },
    ['spec.a: Invalid value: 6: spec.a in body should be less than or equal to 5'],
  ],
  [
    'a number beyond its format',
    spec({ a: { type: 'integer', format: 'int32' } }),
    { a: 2147483648 },
    ['spec.a: Invalid value: 2147483648: spec.a in body must be of format int32'],
  ],
  [
    'a text against its pattern',
    spec({ a: { pattern: '^a$' } }),
    { a: 'b' },
    ['spec.a: Invalid value: "b": spec.a in body should match \'^a$\''],
  ],
  [
    'a text too short',
    spec({ a: { minLength: 1 } }),
    { a: '' },
    ['spec.a: Invalid value: "": spec.a in body should be at least 1 chars long'],
  ],
  [
    'too few items',
    spec({ a: { type: 'array', minItems: 1 } }),
    { a: [] },
    ['spec.a: Invalid value: 0: spec.a in body should have at least 1 items'],
  ],
  [
    'too many items',
    spec({ a: { type: 'array', maxItems: 1 } }),
    { a: [1, 2] },
    ['spec.a: Too many: 2: must have at most 1 items'],
  ],
  [
    'an item, by its index',
    spec({ a: { type: 'array', items: { type: 'string' } } }),
    { a: ['x', 1] },
    ['spec.a[1]: Invalid value: "integer": spec.a[1] in body must be of type string: "integer"'],
  ],
  [
    'a value twice in a set',
    spec({ a: { type: 'array', 'x-kubernetes-list-type': 'set' } }),
    { a: ['x', 'x'] },
    ['spec.a[1]: Duplicate value: "x"'],
  ],
  [
    'a key twice in a map list',
    spec({ a: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] } }),
    { a: [{ k: 1 }, { k: 1, v: 2 }] },
    ['spec.a[1]: Duplicate value: {"k":1}'],
  ],
  [
    'both of one',
    spec({ a: {} }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    { a: 1, b: 1 },
    ['spec: Invalid value: "": "spec" must validate one and only one schema (oneOf)'],
  ],
  [
    'a boolean for an int-or-string',
    spec({ a: { 'x-kubernetes-int-or-string': true } }),
    { a: true },
    ['spec.a: Invalid value: "boolean": spec.a in body must be of type integer or string: "boolean"'],
  ],
  [
    'everything that is wrong',
    spec({ a: { type: 'string' } }, { required: ['b'] }),
    { a: 1 },
    ['spec.b: Required value', 'spec.a: Invalid value: "integer": spec.a in body must be of type string: "integer"'],
  ],
]
for (const [name, schema, value, texts] of refusals)
  test(`refuses ${name}`, () => {
    const causes = validate({ apiVersion: 'v1', kind: 'X', metadata: {}, spec: value }, schema)
    assert.deepEqual(
      causes.map(({ field, message }) => `${field}: ${message}`),
      texts,
    )
  })

test('accepts what fits, large integers among it', () => {
  const schema = spec({
    n: { type: 'integer', format: 'int64' },
    s: { type: 'string', nullable: true },
    p: { 'x-kubernetes-int-or-string': true },
  })
  assert.deepEqual(validate({ spec: { n: 9223372036854775807n, s: null, p: '80' } }, schema), [])
  assert.equal(validate({ spec: { n: 9223372036854775808n } }, schema).length, 1)
})

test('unknown fields are pruned and named; metadata and preserved parts stay', () => {
  const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const list: Schema = { type: 'array', items: { type: 'object', properties: { x: {} } } }
  const schema = spec({ a: {}, open, list, map: { type: 'object', additionalProperties: { type: 'string' } } })
  const value = {
    apiVersion: 'v1',
    metadata: { name: 'n', odd: 1 },
    spec: { a: 1, b: 2, open: { z: 1 }, list: [{ x: 1, y: 2 }], map: { any: 'thing' } },
    extra: true,
  }
  const unknown: string[] = []
  assert.deepEqual(prune(value, schema, unknown), {
    apiVersion: 'v1',
    metadata: { name: 'n', odd: 1 },
    spec: { a: 1, open: { z: 1 }, list: [{ x: 1 }], map: { any: 'thing' } },
  })
  assert.deepEqual(unknown, ['spec.b', 'spec.list[0].y', 'extra'])
})

test('defaults fill absent fields and nulls, also inside items, and never overwrite', () => {
  const item: Schema = { type: 'object', properties: { on: { type: 'boolean', default: true } } }
  const schema = spec({ mode: { type: 'string', default: 'auto' }, items: { type: 'array', items: item } })
  const value = { spec: { mode: null, items: [{}, { on: false }] } }
  applyDefaults(value, schema)
  assert.deepEqual(value, { spec: { mode: 'auto', items: [{ on: true }, { on: false }] } })
})
