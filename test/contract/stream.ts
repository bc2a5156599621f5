import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '../../src/core/ip/index.ts'
import type { Stream, StreamEvents, StreamPort } from '../../src/ports/index.ts'

export interface StreamHosts {
  /** Dials. */
  readonly left: StreamPort
  /** Listens at this address. */
  readonly right: StreamPort
  readonly at: Address
  /** Nobody listens here. */
  readonly closedPort: number
  readonly openPort: number
  /** Lets time pass until the condition holds; rejects where it never does. */
  readonly until: (condition: () => boolean) => Promise<void>
}

/** What an end was told, in order. */
class Told implements StreamEvents {
  readonly events: string[] = []
  readonly bytes: number[] = []
  connected(): void {
    this.events.push('connected')
  }
  data(bytes: Uint8Array): void {
    for (const byte of bytes) this.bytes.push(byte)
  }
  drained(): void {
    this.events.push('drained')
  }
  closed(message: string): void {
    assert.ok(message.length > 0, 'it says why')
    this.events.push('closed')
  }
}

/** What every StreamPort does; the fake network and the Linux adapter both pass it. */
export function streamContract(name: string, open: () => Promise<StreamHosts>): void {
  const withPair = (title: string, run: (pair: Pair) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const hosts = await open()
      const [dialled, accepted] = [new Told(), new Told()]
      let answering: Stream | undefined
      const server = await hosts.right.listen({ address: hosts.at, port: hosts.openPort }, stream => {
        answering = stream
        return accepted
      })
      try {
        const stream = hosts.left.connect({ address: hosts.at, port: hosts.openPort }, dialled)
        assert.deepEqual(dialled.events, [], 'no event comes before connect has returned')
        await hosts.until(() => dialled.events.includes('connected') && answering !== undefined)
        await run({ ...hosts, stream, dialled, answering: answering!, accepted })
        stream.destroy()
      } finally {
        await server.close()
      }
    })

  withPair('both ends know both endpoints', async ({ stream, answering, at, openPort }) => {
    assert.deepEqual(stream.remote, { address: at, port: openPort })
    assert.deepEqual(answering.local, stream.remote)
    assert.deepEqual(answering.remote, stream.local)
  })

  withPair('bytes arrive in order, both ways', async ({ stream, answering, dialled, accepted, until }) => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
    stream.write(bytes.subarray(0, 4000))
    stream.write(bytes.subarray(4000))
    answering.write(bytes)
    await until(() => accepted.bytes.length === 10_000 && dialled.bytes.length === 10_000)
    assert.deepEqual([Uint8Array.from(accepted.bytes), Uint8Array.from(dialled.bytes)], [bytes, bytes])
  })

  withPair('end sends what is written, the peer is told, the caller is not', async pair => {
    const { stream, dialled, accepted, until } = pair
    stream.write(new Uint8Array(3000))
    stream.end()
    await until(() => accepted.events.includes('closed'))
    assert.deepEqual([accepted.bytes.length, accepted.events, dialled.events], [3000, ['closed'], ['connected']])
  })

  withPair('destroy is told to the peer and not to the caller', async ({ answering, dialled, accepted, until }) => {
    answering.destroy()
    await until(() => dialled.events.includes('closed'))
    assert.deepEqual([dialled.events, accepted.events], [['connected', 'closed'], []])
  })

  withPair('nothing arrives after end', async ({ stream, answering, dialled, accepted, until }) => {
    answering.write(Uint8Array.of(1))
    stream.end()
    await until(() => accepted.events.includes('closed'))
    assert.deepEqual([dialled.bytes, dialled.events], [[], ['connected']])
  })

  withPair('a full stream says so, and drains', async ({ stream, accepted, dialled, until }) => {
    let sent = 0
    const block = new Uint8Array(65_536)
    while (stream.write(block)) sent++
    await until(() => dialled.events.includes('drained'))
    assert.equal(dialled.events.filter(event => event === 'drained').length, 1)
    await until(() => accepted.bytes.length === (sent + 1) * block.length)
  })

  withPair('writing and ending twice harm nothing', async ({ stream, accepted, until }) => {
    stream.end()
    stream.end()
    stream.write(Uint8Array.of(1))
    stream.destroy()
    stream.destroy()
    await until(() => accepted.events.includes('closed'))
    assert.deepEqual(accepted.bytes, [])
  })

  test(`${name}: a port where nobody listens`, async () => {
    const { left, at, closedPort, until } = await open()
    const told = new Told()
    left.connect({ address: at, port: closedPort }, told)
    assert.deepEqual(told.events, [])
    await until(() => told.events.length > 0)
    assert.deepEqual(told.events, ['closed'])
  })

  test(`${name}: an acceptor may refuse`, async () => {
    const { left, right, at, openPort, until } = await open()
    const server = await right.listen({ address: at, port: openPort }, () => undefined)
    const told = new Told()
    left.connect({ address: at, port: openPort }, told)
    await until(() => told.events.includes('closed'))
    await server.close()
  })

  test(`${name}: an attempt that is given up tells nothing`, async () => {
    const { left, at, closedPort, until } = await open()
    const [given, later] = [new Told(), new Told()]
    left.connect({ address: at, port: closedPort }, given).end()
    left.connect({ address: at, port: closedPort }, later)
    await until(() => later.events.length > 0)
    assert.deepEqual(given.events, [])
  })

  test(`${name}: a port in use is refused`, async () => {
    const { right, at, openPort } = await open()
    const server = await right.listen({ address: at, port: openPort }, () => undefined)
    await assert.rejects(right.listen({ address: at, port: openPort }, () => undefined))
    await server.close()
  })
}

interface Pair extends StreamHosts {
  readonly stream: Stream
  readonly dialled: Told
  readonly answering: Stream
  readonly accepted: Told
}
