import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anySelectorMatches, formatSelector, type LabelSelector, labelValue, selectorMatches } from './labels.ts'

const labels = { app: 'web', zone: 'a', empty: '' }
const requirement = (key: string, operator: string, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
})

// Chapter 01 section 2.4.
const cases: [string, LabelSelector, boolean][] = [
  ['an empty selector', {}, true],
  ['all labels present', { matchLabels: { app: 'web', zone: 'a' } }, true],
  ['one label differs', { matchLabels: { app: 'web', zone: 'b' } }, false],
  ['a label of the prototype is not a label', { matchLabels: { constructor: 'Object' } }, false],
  ['In, listed', requirement('zone', 'In', ['b', 'a']), true],
  ['In, absent key', requirement('rack', 'In', ['b', 'a']), false],
  ['In, empty value', requirement('empty', 'In', ['']), true],
  ['NotIn, listed', requirement('zone', 'NotIn', ['a']), false],
  ['NotIn, absent key', requirement('rack', 'NotIn', ['a']), true],
  ['Exists', requirement('empty', 'Exists'), true],
  ['Exists, absent', requirement('rack', 'Exists'), false],
  ['DoesNotExist', requirement('rack', 'DoesNotExist'), true],
  ['DoesNotExist, present', requirement('empty', 'DoesNotExist'), false],
  ['labels hold, an expression does not', { matchLabels: { app: 'web' }, ...requirement('zone', 'In', ['b']) }, false],
]
for (const [name, selector, matches] of cases)
  test(`selector: ${name}`, () => assert.equal(selectorMatches(selector, labels), matches))

test('a list matches where one of it matches, and an empty list matches nothing', () => {
  assert.equal(anySelectorMatches([{ matchLabels: { app: 'db' } }, { matchLabels: { app: 'web' } }], labels), true)
  assert.equal(anySelectorMatches([], labels), false)
})

test('a selector is printed as kubectl writes it', () => {
  const matchExpressions = [
    { key: 'zone', operator: 'In', values: ['a', 'b'] },
    { key: 'rack', operator: 'Exists' },
    { key: 'old', operator: 'DoesNotExist' },
    { key: 'size', operator: 'Gt', values: ['3'] },
  ]
  assert.equal(
    formatSelector({ matchLabels: { tier: 'gold', app: 'web' }, matchExpressions }),
    'app=web,tier=gold,zone in (a,b),rack,!old,size Gt (3)',
  )
  assert.equal(formatSelector({}), '{}')
})

test('a name of up to 63 characters is its own label value, a longer one is cut and told apart by a hash', () => {
  assert.equal(labelValue('n'.repeat(63)), 'n'.repeat(63))
  const long = labelValue(`${'n'.repeat(60)}.example`)
  assert.equal(long.length, 63)
  assert.match(long, /^n{54}-[0-9a-f]{8}$/)
  assert.notEqual(long, labelValue(`${'n'.repeat(60)}.example2`))
})
