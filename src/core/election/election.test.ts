import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '../../adapters/system/hash.ts'
import { parseAddress } from '../ip/index.ts'
import { electionOrder, type Hash, winsElection } from './index.ts'

const NODES = ['node-a', 'node-b', 'node-c', 'worker-1', 'worker-2']

// Chapter 03 section 1.9: node and first 8 bytes of its hash, in election order.
const VECTORS: Record<string, [string, string][]> = {
  '192.168.1.240': [
    ['node-a', '0905ce28e61d7edb'],
    ['node-c', 'a6530f9db1eb6e43'],
    ['node-b', 'c5db69956edf2871'],
    ['worker-2', 'd210644c762428e0'],
    ['worker-1', 'd9d02da1f46097d7'],
  ],
  '192.168.1.241': [
    ['node-c', '792a46a57ec63bb6'],
    ['worker-1', '9118671bc703c7f0'],
    ['node-a', 'ab24a5f9134003b0'],
    ['worker-2', 'bdbd9fb49673515d'],
    ['node-b', 'fbd0fccea9ae7fd3'],
  ],
  '10.0.0.5': [
    ['node-a', '5312b6c028b26ee2'],
    ['worker-2', '535cfb16516af71f'],
    ['node-c', '7b608b4216a24d1e'],
    ['node-b', '85e6e733f5160571'],
    ['worker-1', 'ae3b8093dc9847c8'],
  ],
  '2001:db8::f': [
    ['worker-2', '19115a3f1de53b66'],
    ['worker-1', '29a3826e1cedb34d'],
    ['node-c', '4fe4002048f0d79c'],
    ['node-b', '9bdfd61d381b2ae9'],
    ['node-a', 'b12921f4dee7eabd'],
  ],
}

for (const [ip, expected] of Object.entries(VECTORS)) {
  test(`order for ${ip}`, () => {
    for (const [node, digest] of expected) assert.equal(hex(sha256(`${node}#${ip}`)).slice(0, 16), digest)
    const actual = order([...NODES].reverse(), ip)
    assert.deepEqual(
      actual,
      expected.map(([node]) => node),
    )
  })
}

test('the full digest of node-a#192.168.1.240', () => {
  const digest = '0905ce28e61d7edba0d1a1e81637d349ef0299ecc2fb9fc9c8347049ba3a9c82'
  assert.equal(hex(sha256('node-a#192.168.1.240')), digest)
})

const CANONICAL: [written: string, hashed: string][] = [
  ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:0:0:0:0:0', '2001:db8::'],
  ['::ffff:10.0.0.5', '10.0.0.5'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
]
for (const [written, hashed] of CANONICAL) {
  test(`${written} is hashed as ${hashed}`, () => {
    const seen: string[] = []
    order(['n'], written, {}, text => {
      seen.push(text)
      return sha256(text)
    })
    assert.deepEqual(seen, [`n#${hashed}`])
  })
}

test('a higher score goes first whatever the hash', () => {
  const scores = { 'node-b': 100, 'worker-1': 20 }
  assert.deepEqual(order(NODES, '192.168.1.240', scores), ['node-b', 'worker-1', 'node-a', 'node-c', 'worker-2'])
})

test('digests are compared as unsigned bytes, from the left', () => {
  const digests: Record<string, number[]> = {
    'a#10.0.0.5': [0x80, 0],
    'b#10.0.0.5': [0x7f, 255],
    'c#10.0.0.5': [0x80, 1],
  }
  const actual = order(['c', 'a', 'b'], '10.0.0.5', {}, text => Uint8Array.from(digests[text]!))
  assert.deepEqual(actual, ['b', 'a', 'c'])
})

const someNodes = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 12 })

test('a node that leaves moves only what it owned', () => {
  fc.assert(
    fc.property(someNodes, fc.nat(), (nodes, pick) => {
      const stays = (node: string) => node !== nodes[pick % nodes.length]
      assert.deepEqual(order(nodes.filter(stays), '192.168.1.240'), order(nodes, '192.168.1.240').filter(stays))
    }),
  )
})

test('the winner is the first in order, and nobody else wins', () => {
  fc.assert(
    fc.property(someNodes, fc.array(fc.integer({ min: 1, max: 3 })), (nodes, numbers) => {
      const scores = new Map(numbers.map((score, index) => [nodes[index] ?? '', score]))
      const election = { candidates: new Set(nodes), address: parseAddress('10.0.0.5')!, scores }
      const winners = [...nodes, 'somebody else'].filter(node => winsElection(node, election, sha256))
      assert.deepEqual(winners, electionOrder(election, sha256).slice(0, 1))
    }),
  )
})

function order(nodes: string[], ip: string, scores: Record<string, number> = {}, hash: Hash = sha256): string[] {
  const election = { candidates: new Set(nodes), address: parseAddress(ip)!, scores: new Map(Object.entries(scores)) }
  return electionOrder(election, hash)
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}
