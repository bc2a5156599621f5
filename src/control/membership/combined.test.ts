import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DirectEvidence } from '../../ports/index.ts'
import { type CombineInput, combine, counted, heldOf, reviewMs, type Standing } from './index.ts'

const NOW = 100_000
const speaker = { suspect: false, joining: false, heartbeats: true }
const direct = (at: DirectEvidence['at'], silentMs: number, ...witnesses: string[]): DirectEvidence => ({
  at,
  joining: false,
  deaf: false,
  interfaces: undefined,
  heardMs: NOW - silentMs,
  witnesses,
})

interface Case {
  readonly name: string
  readonly listed?: Partial<typeof speaker>
  readonly evidence?: DirectEvidence
  readonly standing: Standing
  readonly counts: boolean
}

const CASES: readonly Case[] = [
  { name: 'heard just now', evidence: direct('alive', 50), standing: 'listed', counts: true },
  { name: 'missed for a moment', evidence: direct('suspect', 300, 'c'), standing: 'listed', counts: true },
  { name: 'missed here and by another', evidence: direct('dead', 500, 'c'), standing: 'silent', counts: false },
  { name: 'missed here alone', evidence: direct('dead', 500), standing: 'unconfirmed', counts: true },
  { name: 'the witness is no member', evidence: direct('dead', 500, 'x'), standing: 'unconfirmed', counts: true },
  { name: 'its own witness', evidence: direct('dead', 500, 'b'), standing: 'unconfirmed', counts: true },
  { name: 'it said that it leaves', evidence: direct('left', 10), standing: 'leaving', counts: false },
  { name: 'it cannot announce yet', listed: { joining: true }, standing: 'joining', counts: false },
  {
    name: 'it says by heartbeat that it can announce, and gossip of that was missed',
    listed: { joining: true },
    evidence: direct('alive', 50),
    standing: 'listed',
    counts: true,
  },
  {
    name: 'the same, and it is missed for a moment',
    listed: { joining: true },
    evidence: direct('suspect', 200),
    standing: 'listed',
    counts: true,
  },
  {
    name: 'it started anew, and gossip of that was missed',
    evidence: { ...direct('alive', 50), joining: true },
    standing: 'joining',
    counts: false,
  },
  {
    name: 'silent before it could announce',
    listed: { joining: true },
    evidence: direct('dead', 500, 'c'),
    standing: 'joining',
    counts: false,
  },
  { name: 'it never sent a heartbeat', standing: 'listed', counts: true },
  {
    name: 'a reference speaker now, one of ours before',
    listed: { heartbeats: false },
    evidence: direct('dead', 500, 'c'),
    standing: 'listed',
    counts: true,
  },
  {
    name: 'silent for long, and memberlist reaches it',
    evidence: direct('dead', 10_001, 'c'),
    standing: 'contradicted',
    counts: true,
  },
  {
    name: 'silent for long, and memberlist suspects it too',
    listed: { suspect: true },
    evidence: direct('dead', 10_001, 'c'),
    standing: 'silent',
    counts: false,
  },
]

for (const { name, listed = {}, evidence, standing, counts } of CASES)
  test(`combine, ${name}: ${standing}`, () => {
    const standings = combine(input(new Map([['b', { ...speaker, ...listed }]]), evidence))
    assert.equal(standings.get('b'), standing)
    assert.equal(counted(standings).has('b'), counts)
  })

test('who left by plan stays a witness; who is gone otherwise does not', () => {
  const said = (at: DirectEvidence['at']) =>
    combine({
      ...input(new Map([['b', speaker]])),
      direct: new Map([
        ['b', direct('dead', 500, 'x')],
        ['x', direct(at, 100)],
      ]),
    })
  assert.deepEqual([said('left').get('b'), said('dead').get('b')], ['silent', 'unconfirmed'])
})

test('this node always counts; whom memberlist does not list never does', () => {
  const standings = combine({ ...input(new Map()), direct: new Map([['z', direct('alive', 0)]]) })
  assert.deepEqual([...standings.keys()].sort(), ['a', 'c'])
  assert.deepEqual([...counted(standings)].sort(), ['a', 'c'])
})

const HELD: [name: string, held: boolean, evidence: DirectEvidence | undefined, isHeld: boolean][] = [
  ['it says so by memberlist alone', true, undefined, true],
  ['it says so by heartbeat, gossip comes later', false, { ...direct('alive', 50), held: true }, true],
  ['it says by heartbeat that it is not', true, direct('suspect', 200), false],
  ['it is not heard any more: what memberlist knows', true, direct('dead', 500), true],
]
for (const [name, held, evidence, isHeld] of HELD)
  test(`held (IMP-4), ${name}: ${isHeld}`, () => {
    const listed = new Map([['b', { ...speaker, held }]])
    assert.deepEqual([...heldOf(listed, new Map(evidence ? [['b', evidence]] : []))], isHeld ? ['b'] : [])
  })

function input(others: CombineInput['listed'], evidence?: DirectEvidence): CombineInput {
  return {
    self: 'a',
    listed: new Map([['a', speaker], ['c', speaker], ...others]),
    direct: new Map(evidence ? [['b', evidence]] : []),
    nowMs: NOW,
    trustMs: 10_000,
  }
}

const PAIRS: [silentMs: number, suspect: boolean, standing: Standing][] = [
  [310, false, 'unconfirmed'],
  [310, true, 'silent'],
  [999, false, 'unconfirmed'],
  [1000, false, 'silent'],
  [10_001, false, 'contradicted'],
]
for (const [silentMs, suspect, standing] of PAIRS)
  test(`of two, one silent for ${silentMs} ms${suspect ? ' whom memberlist suspects' : ''}: ${standing}`, () => {
    const both = new Map([
      ['a', speaker],
      ['b', { ...speaker, suspect }],
    ])
    const { direct: evidence, ...rest } = input(new Map(), direct('dead', silentMs))
    assert.equal(combine({ ...rest, direct: evidence, listed: both }).get('b'), standing)
  })

const REVIEWS: [name: string, listed: boolean, evidence: DirectEvidence, ms: number | undefined][] = [
  ['heard', true, direct('alive', 50), undefined],
  ['heard and not listed', false, direct('alive', 50), 500],
  ['silent', true, direct('dead', 310), 690],
  ['silent for long', true, direct('dead', 1500), 8501],
  ['contradicted', true, direct('dead', 10_001), undefined],
]
for (const [name, isListed, evidence, ms] of REVIEWS)
  test(`a node that is ${name} is looked at again in ${ms} ms`, () => {
    const { listed, ...rest } = input(new Map(isListed ? [['b', speaker]] : []), evidence)
    assert.equal(reviewMs({ ...rest, listed }), ms)
  })
