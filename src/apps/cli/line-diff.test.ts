import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineDiff } from './line-diff.ts'

test('three lines around each place; places are apart', () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`)
  const after = before.with(2, 'second').toSpliced(15, 1)
  assert.deepEqual(lineDiff(before.join('\n'), after.join('\n')), [
    ...[' line 0', ' line 1', '-line 2', '+second', ' line 3', ' line 4', ' line 5', '@@'],
    ...[' line 12', ' line 13', ' line 14', '-line 15', ' line 16', ' line 17', ' line 18'],
  ])
  assert.deepEqual(lineDiff('a\nb', 'a\nb'), [])
})

test('what is not added is the old text, what is not removed the new one; nothing is changed needlessly', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = lineDiff(before.join('\n'), after.join('\n'))
      const without = (sign: string) => diff.filter(line => line[0] !== sign).map(line => line.slice(1))
      if (diff.length === 0) return assert.deepEqual(before, after)
      assert.deepEqual([without('+'), without('-')], [before, after])
    }),
  )
})
