/** Lists of the spec, held against the tests that have their entries: a test that goes is missed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** By file: entries, and text by which their test is found. */
export type Held = Readonly<Record<string, readonly (readonly [entries: readonly (number | string)[], text: string])[]>>

/** `wanted`: the entries that must have a test, and no others may. */
export function holds(what: string, held: Held, wanted: readonly (number | string)[]): void {
  for (const [file, rows] of Object.entries(held)) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
    for (const [entries, found] of rows)
      test(`${what} ${entries.join(', ')}: ${file}`, () => assert.ok(text.includes(found), `no test with: ${found}`))
  }
  test(`every ${what} has a test`, () => {
    const tested = new Set(Object.values(held).flatMap(rows => rows.flatMap(([entries]) => entries)))
    assert.deepEqual([...tested].sort(), [...wanted].sort())
  })
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
