import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openUdp } from '../../src/adapters/system/udp.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { FakeNetwork } from '../../src/testing/fake-network.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'
import { datagramContract } from './datagram.ts'
import { real } from './loopback.ts'

datagramContract('fake network', async () => {
  const clock = new FakeClock()
  const network = new FakeNetwork(clock, new FakeRandom())
  network.delayMs = 3
  const [leftAt, rightAt] = [
    { address: '10.0.0.1', port: 7946 },
    { address: '10.0.0.2', port: 7946 },
  ]
  const until = async (condition: () => boolean) => {
    for (let ms = 0; ms < 1000 && !condition(); ms++) clock.advance(1)
    assert.ok(condition(), 'it never happened')
  }
  const [left, right] = [network.open(leftAt.address, leftAt.port), network.open(rightAt.address, rightAt.port)]
  return { left, right, leftAt, rightAt, until }
})

for (const [name, address] of [
  ['loopback, IPv4', '127.0.0.1'],
  ['loopback, IPv6', '::1'],
] as const) {
  datagramContract(name, async () => {
    const [left, right] = [await openUdp({ address, port: 0 }), await openUdp({ address, port: 0 })]
    return { left, right, leftAt: { address, port: left.port }, rightAt: { address, port: right.port }, until: real }
  })
}

test('an address that is in use is refused, by both', async () => {
  const first = await openUdp({ address: '127.0.0.1', port: 0 })
  await assert.rejects(openUdp({ address: '127.0.0.1', port: first.port }), { code: 'EADDRINUSE' })
  await first.close()
  const network = new FakeNetwork(new FakeClock(), new FakeRandom())
  network.open('10.0.0.1', 1)
  assert.throws(() => network.open('10.0.0.1', 1), /in use/)
})
