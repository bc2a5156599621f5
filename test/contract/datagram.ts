import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Datagram, DatagramSocket } from '../../src/ports/index.ts'

export interface DatagramPair {
  readonly left: DatagramSocket
  readonly right: DatagramSocket
  readonly leftAt: { address: string; port: number }
  readonly rightAt: { address: string; port: number }
  /** Lets time pass until the condition holds; rejects where it never does. */
  readonly until: (condition: () => boolean) => Promise<void>
}

/** What every DatagramSocket does; the fake network and the loopback adapter both pass it. */
export function datagramContract(name: string, open: () => Promise<DatagramPair>): void {
  const withPair = (title: string, run: (pair: DatagramPair, received: Datagram[]) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const pair = await open()
      const received: Datagram[] = []
      pair.right.receive(datagram => received.push(datagram))
      try {
        await run(pair, received)
      } finally {
        await pair.left.close()
        await pair.right.close()
      }
    })

  withPair('a datagram arrives whole and says where it is from', async ({ left, leftAt, rightAt, until }, received) => {
    const data = Uint8Array.from({ length: 1400 }, (_, index) => index & 255)
    left.send(data, rightAt.address, rightAt.port)
    await until(() => received.length === 1)
    assert.deepEqual(received, [{ data, from: leftAt.address, port: leftAt.port }])
  })

  withPair('datagrams keep their bounds, an empty one included', async ({ left, rightAt, until }, received) => {
    for (const length of [3, 0, 5]) left.send(new Uint8Array(length), rightAt.address, rightAt.port)
    await until(() => received.length === 3)
    assert.deepEqual(received.map(({ data }) => data.length).sort(), [0, 3, 5])
  })

  withPair('the sender may use its buffer again', async ({ left, rightAt, until }, received) => {
    const data = Uint8Array.of(1, 2, 3)
    left.send(data, rightAt.address, rightAt.port)
    await until(() => received.length === 1)
    data.fill(9)
    assert.deepEqual(received[0]?.data, Uint8Array.of(1, 2, 3))
  })

  withPair('sending to nobody harms nothing', async ({ left, right, rightAt, until }, received) => {
    const other: Datagram[] = []
    left.receive(datagram => other.push(datagram))
    left.send(Uint8Array.of(1), rightAt.address, 9)
    left.send(Uint8Array.of(2), rightAt.address, rightAt.port)
    await until(() => received.length === 1)
    right.send(Uint8Array.of(3), received[0]!.from, received[0]!.port)
    await until(() => other.length === 1)
  })

  withPair(
    'after a close nothing is sent and nothing arrives',
    async ({ left, right, leftAt, rightAt, until }, received) => {
      const back: Datagram[] = []
      left.receive(datagram => back.push(datagram))
      await right.close()
      await right.close()
      right.send(Uint8Array.of(1), leftAt.address, leftAt.port)
      left.send(Uint8Array.of(2), rightAt.address, rightAt.port)
      left.send(Uint8Array.of(3), leftAt.address, leftAt.port)
      await until(() => back.length > 0) // the last one, sent to itself
      assert.deepEqual([received, back.map(({ data }) => data[0])], [[], [3]])
    },
  )
}
