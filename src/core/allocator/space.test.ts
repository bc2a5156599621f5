import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAddress } from '../ip/index.ts'
import { type Holding, Space } from './space.ts'

const first = parseAddress('10.0.0.0')!.value
const range = (from: number, to: number) =>
  ({ family: 'ipv4', first: first + BigInt(from), last: first + BigInt(to) }) as const
const RESERVED = [
  { range: range(8, 9), owner: 'n/a', note: '' },
  { range: range(2, 4), note: '' },
  { range: range(11, 11), owner: 'n/b', note: '' },
]
const SIZE = 16
const holding = (key: string): Holding => ({ key, ports: [], share: { sharing: '', backend: '', group: '' } })
const isReserved = (rank: number) =>
  RESERVED.some(({ range }) => range.first <= first + BigInt(rank) && first + BigInt(rank) <= range.last)

const step = fc.record({ rank: fc.nat(SIZE - 1), key: fc.constantFrom('n/a', 'n/b', 'n/c'), rests: fc.boolean() })

test('what is kept back is counted as a walk over all addresses would, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 200 }), steps => {
      const space = new Space('ipv4', [range(0, SIZE - 1)], false, RESERVED)
      for (const [time, { rank: place, key, rests }] of steps.entries()) {
        const rank = BigInt(place)
        const [holder] = space.uses.get(rank)?.holders.keys() ?? []
        if (holder !== undefined) {
          space.remove(rank, holding(holder))
          if (rests) space.keep(rank, holder, time)
        } else if (space.quarantine.has(rank) && rests) space.expire(rank)
        else space.add(rank, holding(key))
        const ranks = Array.from({ length: SIZE }, (_, one) => one).filter(one => !space.uses.has(BigInt(one)))
        const kept = ranks.filter(one => isReserved(one) || space.quarantine.has(BigInt(one)))
        assert.equal(space.heldBack, BigInt(kept.length))
        const free = ranks.find(one => !kept.includes(one))
        assert.equal(space.lowestFree, free === undefined ? undefined : BigInt(free))
      }
    }),
  )
})

test('who has a reserved address to come back to gets that first, then one that rests for it, then any', () => {
  const space = new Space('ipv4', [range(0, SIZE - 1)], false, RESERVED)
  space.add(12n, holding('n/b'))
  space.remove(12n, holding('n/b'))
  space.keep(12n, 'n/b', 5)
  assert.equal(space.firstUsable(holding('n/b')), 11n)
  space.add(11n, holding('n/b'))
  assert.equal(space.firstUsable(holding('n/b')), 12n)
  assert.equal(space.firstUsable(holding('n/c')), 0n)
  space.expire(12n)
  assert.equal(space.firstUsable(holding('n/b')), 0n)
})
