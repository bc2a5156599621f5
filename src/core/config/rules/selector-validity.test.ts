// Chapter 01 section 2.4.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LabelSelector } from '../../labels.ts'
import { selectorErrors } from './selector-validity.ts'

const usable: [string, LabelSelector][] = [
  ['empty', {}],
  ['a key with a subdomain', { matchLabels: { 'topology.kubernetes.io/zone': 'a' } }],
  ['an empty value', { matchLabels: { a: '' } }],
  ['the longest key and value', { matchLabels: { [`${'d'.repeat(253)}/${'k'.repeat(63)}`]: 'v'.repeat(63) } }],
  ['NotIn', { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b', 'c'] }] }],
  ['DoesNotExist', { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }],
]
for (const [name, selector] of usable) test(`usable: ${name}`, () => assert.deepEqual(selectorErrors(selector), []))

const broken: [string, LabelSelector, path: string, message: RegExp][] = [
  ['no key', { matchLabels: { '': 'a' } }, '.matchLabels[]', /name part must be non-empty/],
  ['a long key', { matchLabels: { ['k'.repeat(64)]: '' } }, `.matchLabels[${'k'.repeat(64)}]`, /no more than 63/],
  ['two slashes', { matchLabels: { 'a/b/c': '' } }, '.matchLabels[a/b/c]', /at most one '\/'/],
  ['no prefix before the slash', { matchLabels: { '/c': '' } }, '.matchLabels[/c]', /prefix part/],
  ['upper case in the prefix', { matchLabels: { 'A/c': '' } }, '.matchLabels[A/c]', /prefix part/],
  ['a key that ends with a dash', { matchLabels: { 'c-': '' } }, '.matchLabels[c-]', /name part must consist/],
  ['a long value', { matchLabels: { a: 'v'.repeat(64) } }, '.matchLabels[a]', /no more than 63/],
  ['a blank in a value', { matchLabels: { a: 'b c' } }, '.matchLabels[a]', /a valid label must be an empty string or/],
  [
    'a bad value in an expression',
    { matchExpressions: [{ key: 'a', operator: 'In', values: ['b', '-'] }] },
    '.matchExpressions[0].values[1]',
    /^values\[1\]\[a\]: Invalid value: "-"/,
  ],
  [
    'NotIn without values',
    { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [] }] },
    '.matchExpressions[0].values',
    /values set can't be empty/,
  ],
  [
    'DoesNotExist with values',
    { matchExpressions: [{ key: 'a', operator: 'DoesNotExist', values: ['b'] }] },
    '.matchExpressions[0].values',
    /\["b"\]: values set must be empty/,
  ],
  [
    'an operator in lower case',
    { matchExpressions: [{ key: 'a', operator: 'in', values: ['b'] }] },
    '.matchExpressions[0].operator',
    /"in" is not a valid label selector operator/,
  ],
]
for (const [name, selector, path, message] of broken)
  test(`broken: ${name}`, () => {
    const [error, ...more] = selectorErrors(selector)
    assert.deepEqual([error?.path, more], [path, []])
    assert.match(error!.message, message)
  })
