import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { enterFreshNetwork } from './fresh-network.ts'

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the netlink contract needs root to change interfaces')
const skip = root ? false : 'needs root: network namespaces'

/** More than the socket holds: its buffer is full after some 280 of such messages. */
const CHANGES = 2000

test('after more changes than its buffer holds the reader knows what there is, and follows on', { skip }, () => {
  enterFreshNetwork()
  const batch = (...lines: string[]) => execFileSync('ip', ['-batch', '-'], { input: lines.join('\n') })
  const reader = new NetlinkReader()
  /** What the kernel tells whoever asks now. */
  const truth = () => {
    const fresh = new NetlinkReader()
    fresh.close()
    return fresh.current()
  }
  const address = (index: number) => `10.0.${index >> 8}.${index & 255}/32`
  // Both stay down: nothing happens later by itself, as carrier and link-local addresses do.
  batch('link add left type veth peer name right', 'link set right address 02:00:00:00:00:01')
  const addresses = Array.from({ length: CHANGES }, (_, index) => `addr add ${address(index)} dev left`)
  // What is lost is the end of it: the queue still says that there is `right`, with its first MAC.
  batch(...addresses, 'link set right name other', 'link set other address 02:00:00:00:00:02')
  assert.equal(reader.read(), true)
  assert.deepEqual(reader.current(), truth())
  assert.equal(truth().find(({ name }) => name === 'left')!.addresses.length >= CHANGES, true)
  assert.ok(reader.current().some(({ name, mac }) => name === 'other' && mac === '02:00:00:00:00:02'))

  batch(`addr del ${address(7)} dev left`, 'link set other name right')
  reader.read()
  assert.deepEqual(reader.current(), truth())
  assert.ok(reader.current().some(({ name }) => name === 'right'))
  reader.close()
})
