import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poolOf } from '../../testing/service-world.ts'
import { Allocator } from './index.ts'

const MAX = 9223372036854775807n

/** Chapter 02 section 2.9, with D11. */
const cases: [entries: string[], avoidBuggyIPs: boolean, ipv4: bigint, ipv6: bigint, total: bigint][] = [
  [['192.168.1.0/30'], false, 4n, 0n, 4n],
  [['192.168.1.0/30'], true, 3n, 0n, 3n],
  [['192.168.0.0/23'], true, 508n, 0n, 508n],
  [['192.168.0.250-192.168.1.10'], true, 15n, 0n, 15n],
  [['192.168.0.254-192.168.1.0'], true, 1n, 0n, 1n],
  [['192.168.1.0/32'], true, 0n, 0n, 0n],
  [['192.168.1.255/32', '192.168.1.254/32'], true, 1n, 0n, 1n],
  [['fd00::/67'], false, 0n, 2305843009213693952n, 2305843009213693952n],
  [['fd00::/66'], false, 0n, MAX, MAX],
  [['fd00::-fd00::3fff:ffff:ffff:fffe'], false, 0n, (1n << 62n) - 1n, (1n << 62n) - 1n],
  [['fd00::/120'], true, 0n, 256n, 256n],
  [['fd00::ffff-fd00::1:2'], false, 0n, 4n, 4n],
  [['fd00::/64', '10.0.0.0/24'], false, 256n, MAX, MAX],
  [['10.0.0.0/24', 'fd00::/64'], false, 256n, MAX, MAX],
  [['fd00::/67', 'fd00:1::/67', 'fd00:2::/67', 'fd00:3::/67'], false, 0n, MAX, MAX],
]

for (const [entries, avoidBuggyIPs, ipv4, ipv6, total] of cases)
  test(`capacity of ${entries.join(', ')}${avoidBuggyIPs ? ' avoiding buggy addresses' : ''}`, () => {
    const allocator = new Allocator()
    allocator.setPools([poolOf('p', entries, { avoidBuggyIPs })])
    const usage = allocator.usage('p')!
    assert.deepEqual({ ...usage.capacity, total: usage.total }, { ipv4, ipv6, total })
    assert.deepEqual(usage.available, { ipv4, ipv6 })
  })
