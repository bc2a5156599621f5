import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { groupObjects, parseConfig } from '../../src/api/index.ts'
import { anywhere, property } from './config.ts'

test('objects with arbitrary parts never make the reader throw', () => {
  fc.assert(property, { numRuns: 1500 })
})

test('arbitrary JSON in any list never makes the reader throw', () => {
  fc.assert(anywhere, { numRuns: 500 })
})

test('labels named __proto__ are labels', () => {
  const selector = JSON.parse('{"matchLabels": {"__proto__": "x"}}')
  const parsed = parseConfig(
    groupObjects([
      {
        kind: 'IPAddressPool',
        metadata: { name: 'p', labels: JSON.parse('{"__proto__": "x"}') },
        spec: { addresses: ['10.0.0.0/24'] },
      },
      { kind: 'L2Advertisement', metadata: { name: 'l' }, spec: { ipAddressPoolSelectors: [selector] } },
    ] as never[]),
  )
  // The key is no label key: refused, not silently matched.
  assert.ok('problems' in parsed)
  assert.match(parsed.problems[0]!.message, /key: Invalid value: "__proto__"/)
})
