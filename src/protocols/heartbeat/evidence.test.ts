import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceOf } from './evidence.ts'
import { heard, type Peer } from './peer.ts'

const peer = (node: string, at: Peer['at'], ...silent: string[]): Peer => ({
  ...{ node, at, silent, address: '', boot: 1n, retired: [], sequence: 1, missed: at === 'dead', joining: false },
  ...{ intervalMs: 50, gapMs: 0, interfaces: undefined, heardMs: 0, presentMs: -1000 },
})
const back = (node: string, presentMs: number): Peer => ({ ...peer(node, 'alive'), presentMs })

/** Who testifies against `x`, and who is deaf, of these peers of `self`. */
function of(...peers: Peer[]): { witnesses: readonly string[] | undefined; deaf: string[] } {
  const evidence = evidenceOf(new Map(peers.map(one => [one.node, one])), 'self')
  const deaf = [...evidence].filter(([, one]) => one.deaf).map(([node]) => node)
  return { witnesses: evidence.get('x')?.witnesses, deaf }
}

const CASES: [name: string, peers: Peer[], witnesses: string[], deaf: string[]][] = [
  ['another one misses it too', [peer('x', 'dead'), peer('b', 'alive', 'x'), peer('c', 'alive')], ['b'], []],
  ['a witness is silent for a moment', [peer('x', 'dead'), peer('b', 'suspect', 'x')], ['b'], []],
  ['a witness is gone', [peer('x', 'dead'), peer('b', 'dead', 'x')], [], []],
  ['a witness left after it had missed it', [peer('x', 'dead'), { ...peer('c', 'left', 'x'), heardMs: 1 }], ['c'], []],
  ['it was heard after its witness had left', [{ ...peer('x', 'dead'), heardMs: 1 }, peer('c', 'left', 'x')], [], []],
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
  [
    'a cut has just healed: a witness that may not have heard those who are back is no worse for it',
    [peer('x', 'dead'), peer('b', 'alive', 'x', 'c', 'd'), back('c', -99), back('d', -99)],
    ['b'],
    [],
  ],
  [
    'they have been back for two intervals, and it still misses them',
    [peer('x', 'dead'), peer('b', 'alive', 'x', 'c', 'd'), back('c', -100), back('d', -100)],
    [],
    ['b'],
  ],
  ['of two, the other one does not hear this one', [peer('x', 'alive', 'self')], [], ['x']],
]
for (const [name, peers, witnesses, deaf] of CASES)
  test(`evidence: ${name}`, () => {
    assert.deepEqual(of(...peers), { witnesses, deaf })
  })

test('an outage that a peer was given up for teaches no patience, and it is present anew; not so a gap that fell short', () => {
  const packet = {
    ...{ node: 'x', boot: 1n, yourBoot: 0n, sequence: 2, joining: false, leaving: false, respond: false },
    ...{ intervalMs: 50, silent: [], interfaces: undefined },
  }
  const gapAfter = (at: Peer['at']) => heard({ ...peer('x', at), gapMs: 60 }, packet, '', 400)!.gapMs
  const presentAfter = (at: Peer['at']) => heard(peer('x', at), packet, '', 400)!.presentMs
  assert.deepEqual([presentAfter('suspect'), presentAfter('dead')], [-1000, 400])
  assert.equal(gapAfter('suspect'), 400)
  assert.ok(gapAfter('dead') < 60)
})
