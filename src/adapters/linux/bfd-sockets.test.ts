import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { parseAddress } from '../../core/ip/index.ts'
import type { Random } from '../../ports/index.ts'
import { FakeRandom } from '../../testing/fake-random.ts'
import { BfdSender } from './bfd-sockets.ts'

/** RFC 5881 section 4 */
const FIRST = 49_152
const PORTS = 16_384

/** Loopback addresses of this process alone. */
const NEIGHBORS = [1, 2].map(last => `127.88.${process.pid & 255}.${2 * ((process.pid >> 8) & 63) + last}`)

async function receiver(address: string): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(3784, address)
  await once(socket, 'listening')
  return socket
}

test('two sessions from one address have source ports of their own, whatever chance says (acceptance 99)', async t => {
  const chance = new FakeRandom(process.pid)
  let repeated = false
  const ports: number[] = []
  /** The second session draws the port of the first one first. */
  const random: Random = {
    bytes: length => chance.bytes(length),
    next: () => {
      const [taken] = ports
      if (taken === undefined || repeated) return chance.next()
      repeated = true
      return (taken - FIRST + 0.5) / PORTS
    },
  }
  for (const address of NEIGHBORS) {
    const socket = await receiver(address)
    const sender = new BfdSender({ peer: parseAddress(address)!, multihop: false }, random)
    t.after(() => {
      sender.close()
      socket.close()
    })
    const heard = once(socket, 'message')
    sender.send(Uint8Array.of(1))
    const [, { port }] = await heard
    ports.push(port)
    assert.ok(port >= FIRST, `port ${port} is of the range of RFC 5881 section 4`)
  }
  assert.notEqual(ports[0], ports[1])
  assert.ok(repeated)
})
