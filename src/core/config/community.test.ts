import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Community, compareCommunities, formatCommunity, parseCommunity } from './community.ts'

const community = (text: string): Community => {
  const parsed = parseCommunity(text)
  assert.ok('community' in parsed, text)
  return parsed.community
}

test('communities are read with leading zeros and printed without the marker', () => {
  assert.deepEqual(community('064600:7'), { kind: 'standard', parts: [64600, 7] })
  assert.deepEqual(community('large:4294967295:0:1'), { kind: 'large', parts: [4294967295, 0, 1] })
  assert.equal(formatCommunity(community('large:1:2:3')), '1:2:3')
})

for (const text of [
  '',
  '1',
  '1:-1',
  '+1:1',
  '1:1 ',
  '1:1_0',
  '65536:0',
  'Large:1:2:3',
  'large:1:2:4294967296',
  '1:2:3:4:5',
])
  test(`no community: "${text}"`, () => assert.ok('error' in parseCommunity(text)))

test('a standard community compares as a large one (A << 16) + B : 0 : 0', () => {
  const sorted = ['large:4294967295:0:0', '1:0', 'large:65536:0:1', 'large:65536:0:0', '0:65535', 'large:65535:9:9']
    .map(community)
    .sort(compareCommunities)
  assert.deepEqual(sorted.map(formatCommunity), [
    '0:65535',
    '65535:9:9',
    '1:0',
    '65536:0:0',
    '65536:0:1',
    '4294967295:0:0',
  ])
})

test('what is printed reads as the same standard community', () => {
  const part = fc.integer({ min: 0, max: 65535 })
  fc.assert(
    fc.property(part, part, (a, b) => {
      assert.deepEqual(community(formatCommunity({ kind: 'standard', parts: [a, b] })).parts, [a, b])
    }),
  )
})
