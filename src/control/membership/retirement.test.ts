import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RetirementInput, retirement } from './retirement.ts'

const nobody = new Set<string>()
const base: RetirementInput = {
  ...{ before: new Map(), was: new Set(['a', 'b']), is: new Set(['a']), left: new Set(['b']), dead: nobody },
  ...{ nowMs: 1000, limitMs: 5000 },
}
const retired = { before: new Map([['b', 1000]]), was: new Set(['a']) }

const CASES: [name: string, change: Partial<RetirementInput>, expected: [string, number][]][] = [
  ['a member that said so retires', {}, [['b', 1000]]],
  ['one that was given up does not', { left: nobody, dead: new Set(['b']) }, []],
  ['one that merely counts no more does not', { left: nobody }, []],
  ['who was no member does not', { was: new Set(['a']) }, []],
  ['it stays retired', { ...retired, nowMs: 5999 }, [['b', 1000]]],
  ['while its next life starts too', { ...retired, left: nobody }, [['b', 1000]]],
  ['until the limit', { ...retired, nowMs: 6000 }, []],
  ['until it counts again', { ...retired, is: new Set(['a', 'b']) }, []],
  ['until its next life died', { ...retired, left: nobody, dead: new Set(['b']) }, []],
  ['a limit of 0 means nobody ever retires', { limitMs: 0 }, []],
]
for (const [name, change, expected] of CASES)
  test(name, () => assert.deepEqual([...retirement({ ...base, ...change })], expected))
