import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceOf } from './evidence.ts'
import { heard, type Peer } from './peer.ts'

const peer = (node: string, at: Peer['at'], ...silent: string[]): Peer => ({
  ...{ node, at, silent, address: '', boot: 1n, retired: [], sequence: 1, missed: at === 'dead', joining: false },
  ...{ intervalMs: 50, gapMs: 0, interfaces: undefined, heardMs: 0 },
})

/** Who testifies against `x`, and who is deaf, of these peers of `self`. */
function of(...peers: Peer[]): { witnesses: readonly string[] | undefined; deaf: string[] } {
  const evidence = evidenceOf(new Map(peers.map(one => [one.node, one])), 'self')
  const deaf = [...evidence].filter(([, one]) => one.deaf).map(([node]) => node)
  return { witnesses: evidence.get('x')?.witnesses, deaf }
}

const CASES: [name: string, peers: Peer[], witnesses: string[], deaf: string[]][] = [
  ['another one misses it too', [peer('x', 'dead'), peer('b', 'alive', 'x'), peer('c', 'alive')], ['b'], []],
  ['a witness is silent for a moment', [peer('x', 'dead'), peer('b', 'suspect', 'x')], ['b'], []],
  ['a witness is gone', [peer('x', 'dead'), peer('b', 'dead', 'x'), peer('c', 'left', 'x')], [], []],
  [
    'a witness that misses this node and another that is heard',
    [peer('x', 'dead'), peer('b', 'alive', 'x', 'self', 'c'), peer('c', 'alive')],
    [],
    ['b'],
  ],
  [
    'this node stood still: all miss it, and are believed',
    [peer('x', 'dead'), peer('b', 'suspect', 'x', 'self'), peer('c', 'suspect', 'self')],
    ['b'],
    [],
  ],
  [
    'on one side of a cut: those on the other side are missed by all',
    [peer('x', 'dead'), peer('y', 'dead'), peer('b', 'alive', 'x', 'y'), peer('c', 'alive', 'y', 'x')],
    ['b', 'c'],
    [],
  ],
  ['of two, the other one does not hear this one', [peer('x', 'alive', 'self')], [], ['x']],
]
for (const [name, peers, witnesses, deaf] of CASES)
  test(`evidence: ${name}`, () => {
    assert.deepEqual(of(...peers), { witnesses, deaf })
  })

test('an outage that a peer was given up for teaches no patience; a gap that fell short of it does', () => {
  const packet = {
    ...{ node: 'x', boot: 1n, yourBoot: 0n, sequence: 2, joining: false, leaving: false, respond: false },
    ...{ intervalMs: 50, silent: [], interfaces: undefined },
  }
  const gapAfter = (at: Peer['at']) => heard({ ...peer('x', at), gapMs: 60 }, packet, '', 400)!.gapMs
  assert.equal(gapAfter('suspect'), 400)
  assert.ok(gapAfter('dead') < 60)
})
