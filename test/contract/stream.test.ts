import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import { systemStreams } from '../../src/adapters/system/tcp.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import type { StreamEvents } from '../../src/ports/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'
import { FakeStreams } from '../../src/testing/fake-stream.ts'
import { aloneOnLoopback, freePort, real } from './loopback.ts'
import { streamContract } from './stream.ts'

aloneOnLoopback()

streamContract('fake network', async () => {
  const clock = new FakeClock()
  const network = new FakeStreams(clock, new FakeRandom())
  const at = parseAddress('192.0.2.1')!
  const until = async (condition: () => boolean) => {
    for (let ms = 0; ms < 10_000 && !condition(); ms++) clock.advance(1)
    assert.ok(condition(), 'it never happened')
  }
  const left = network.host(parseAddress('192.0.2.10')!)
  return { left, right: network.host(at), at, closedPort: 1, openPort: 179, until }
})

for (const [name, streams] of [
  ['Linux', linuxStreams],
  ['Node', systemStreams],
] as const)
  for (const text of ['127.0.0.1', '::1'])
    streamContract(`${name} on ${text}`, async () => {
      const [closedPort, openPort] = [await freePort(text), await freePort(text)]
      return { left: streams, right: streams, at: parseAddress(text)!, closedPort, openPort, until: real }
    })

const LOOPBACK = parseAddress('127.0.0.1')!
const quiet: StreamEvents = { connected() {}, data() {}, drained() {}, closed() {} }

for (const text of ['127.0.0.1', '::1'])
  test(`signed connections over ${text}: the right password, and a wrong one`, async () => {
    const address = parseAddress(text)!
    const port = await freePort(text)
    const keys = [{ address, md5Password: 'secret' }]
    const server = await linuxStreams.listen({ address, port, keys }, () => quiet)
    const told: string[] = []
    const dial = (md5Password: string) => {
      const events = { ...quiet, connected: () => void told.push(md5Password), closed: () => void told.push('closed') }
      return linuxStreams.connect({ address, port, md5Password }, events)
    }
    const wrong = dial('guess')
    const right = dial('secret')
    await real(() => told.length > 0)
    wrong.destroy()
    right.destroy()
    await server.close()
    assert.deepEqual(told, ['secret']) // a wrong password is silence
  })

test('GTSM: what comes from afar is not heard', async () => {
  const port = await freePort('127.0.0.1')
  const heard: number[] = []
  const server = await linuxStreams.listen({ address: LOOPBACK, port, minTtl: 255 }, stream => {
    heard.push(stream.remote.port)
    return quiet
  })
  const far = linuxStreams.connect({ address: LOOPBACK, port, ttl: 254 }, quiet)
  const near = linuxStreams.connect({ address: LOOPBACK, port, ttl: 255 }, quiet)
  await real(() => heard.length > 0)
  assert.deepEqual(heard, [near.local?.port])
  for (const stream of [far, near]) stream.destroy()
  await server.close()
})

test('the source address, the device and its absence', async () => {
  const port = await freePort('127.0.0.1')
  const sources: bigint[] = []
  const server = await linuxStreams.listen({ address: LOOPBACK, port }, stream => {
    sources.push(stream.remote.address.value)
    return quiet
  })
  const source = parseAddress('127.0.0.9')!
  const bound = linuxStreams.connect({ address: LOOPBACK, port, source, device: 'lo' }, quiet)
  await real(() => sources.length > 0)
  assert.deepEqual(sources, [source.value])
  bound.destroy()
  const told: string[] = []
  const failing = { ...quiet, closed: (message: string) => void told.push(message) }
  linuxStreams.connect({ address: LOOPBACK, port, device: 'nosuch0' }, failing)
  linuxStreams.connect({ address: LOOPBACK, port, source: parseAddress('192.0.2.77')! }, failing)
  linuxStreams.connect({ address: LOOPBACK, port, md5Password: 'x'.repeat(81) }, failing)
  await real(() => told.length === 3)
  assert.deepEqual(told, ['setsockopt: ENODEV', 'bind: EADDRNOTAVAIL', 'setsockopt: EINVAL'])
  await server.close()
})

test('end gives up on a peer that does not read', async t => {
  const port = await freePort('127.0.0.1')
  let held: Socket | undefined
  const deaf = createServer(socket => {
    held = socket.pause()
  })
  t.after(() => {
    held?.destroy()
    deaf.close()
  })
  await new Promise<void>(resolve => deaf.listen(port, '127.0.0.1', resolve))
  const stream = linuxStreams.connect({ address: LOOPBACK, port }, quiet)
  await real(() => stream.local !== undefined)
  await real(() => held !== undefined)
  for (let n = 0; n < 200; n++) stream.write(new Uint8Array(65_536))
  let reset = false
  held!.once('error', () => {
    reset = true
  })
  stream.end()
  await real(() => {
    if (!reset) held!.write('?') // what it writes is how a peer that does not read learns of the reset
    return reset
  })
})
