/** What the Linux adapter can change below the bytes of a connection that lasts. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { linuxStreams } from '../../src/adapters/linux/tcp.ts'
import type { TcpAoKey } from '../../src/core/config/index.ts'
import { type Address, parseAddress } from '../../src/core/ip/index.ts'
import type { Stream, StreamAdjustment, StreamEvents } from '../../src/ports/index.ts'
import { aloneOnLoopback, freePort, real } from './loopback.ts'

aloneOnLoopback() // the kernel counts what it drops for the whole of a network

const quiet: StreamEvents = { connected() {}, data() {}, drained() {}, closed() {} }
const signatureFaults = linuxStreams.signatureFaults!

/** Segments dropped for their TTL. */
function tooFarAway(): number {
  const [names = '', values = ''] = readFileSync('/proc/thread-self/net/netstat', 'utf8').split('\n')
  return Number(values.split(' ')[names.split(' ').indexOf('TCPMinTTLDrop')])
}

class End {
  received = 0
  closed: string | undefined
  readonly events: StreamEvents = {
    ...quiet,
    data: bytes => {
      this.received += bytes.length
    },
    closed: message => {
      this.closed = message
    },
  }
}

/** A connection on loopback, and what both ends received. */
async function connected(
  t: { after: (end: () => Promise<void>) => void },
  text: string,
  listening: StreamAdjustment,
  dialling: StreamAdjustment = listening,
) {
  const address = parseAddress(text)!
  const port = await freePort(text)
  const [dialled, accepted] = [new End(), new End()]
  let answering: Stream | undefined
  const server = await linuxStreams.listen({ address, port, keys: [{ address, ...listening }] }, stream => {
    answering = stream
    return accepted.events
  })
  const stream = linuxStreams.connect({ address, port, ...dialling }, dialled.events)
  t.after(async () => {
    stream.destroy()
    await server.close()
  })
  await real(() => answering !== undefined)
  return { address, port, server, stream, answering: answering!, dialled, accepted }
}

for (const text of ['127.0.0.1', '::1'])
  test(`${text}: the password changes at one end, then at the other; the connection lasts`, async t => {
    const { stream, answering, accepted, dialled } = await connected(t, text, { md5Password: 'old' })
    stream.write(Uint8Array.of(1))
    await real(() => accepted.received === 1)
    const before = signatureFaults().wrong
    assert.equal(stream.adjust?.({ md5Password: 'new' }), undefined)
    stream.write(Uint8Array.of(2))
    await real(() => signatureFaults().wrong > before)
    assert.equal(accepted.received, 1, 'signed with another key: not heard')
    assert.equal(answering.adjust?.({ md5Password: 'new' }), undefined)
    await real(() => accepted.received === 2)
    answering.write(Uint8Array.of(3))
    await real(() => dialled.received === 1)
    assert.deepEqual([dialled.closed, accepted.closed], [undefined, undefined])
  })

test('a password comes and goes while the connection lasts', async t => {
  const { stream, answering, accepted } = await connected(t, '127.0.0.1', {})
  for (const [count, to] of [{ md5Password: 'x' }, {}].entries()) {
    for (const end of [stream, answering]) assert.equal(end.adjust?.(to), undefined)
    stream.write(Uint8Array.of(1))
    await real(() => accepted.received === count + 1)
  }
})

test('what the kernel drops for its signature is counted by reason', async t => {
  const { address, port, stream, answering } = await connected(t, '127.0.0.1', { md5Password: 'right' })
  const counted = async (reason: 'missing' | 'wrong' | 'unexpected', cause: () => Stream) => {
    const before = signatureFaults()[reason]
    const attempt = cause()
    await real(() => signatureFaults()[reason] > before)
    attempt.destroy()
  }
  await counted('wrong', () => linuxStreams.connect({ address, port, md5Password: 'guess' }, quiet))
  await counted('missing', () => linuxStreams.connect({ address, port }, quiet))
  await counted('unexpected', () => {
    assert.equal(answering.adjust?.({}), undefined)
    stream.write(Uint8Array.of(1))
    return stream
  })
})

test('a listener learns the keys of other peers, and forgets', async t => {
  const { address, port, server } = await connected(t, '127.0.0.1', { md5Password: 'old' })
  const dials = async (md5Password: string | undefined) => {
    const told: string[] = []
    const events = { ...quiet, connected: () => void told.push('connected') }
    const before = signatureFaults()
    const stream = linuxStreams.connect({ address, port, ...(md5Password && { md5Password }) }, events)
    const dropped = () => JSON.stringify(signatureFaults()) !== JSON.stringify(before)
    await real(() => told.length > 0 || dropped())
    stream.destroy()
    return told.length > 0
  }
  assert.equal(server.adjust?.({ keys: [{ address, md5Password: 'new' }] }), undefined)
  assert.deepEqual([await dials('new'), await dials('old')], [true, false])
  assert.equal(server.adjust?.({ keys: [] }), undefined)
  assert.deepEqual([await dials(undefined), await dials('new')], [true, false])
  const problem = server.adjust?.({
    keys: [
      { address, md5Password: 'x'.repeat(81) },
      { address: OTHER, md5Password: 'y' },
    ],
  })
  assert.equal(problem, 'keys of 127.0.0.1: setsockopt: EINVAL')
})

test('TTL security begins and ends while the connection lasts', async t => {
  const { stream, answering, accepted } = await connected(t, '127.0.0.1', {})
  assert.equal(answering.adjust?.({ ttl: 255, minTtl: 255 }), undefined)
  const before = tooFarAway()
  stream.write(Uint8Array.of(1)) // leaves with the default of 64
  await real(() => tooFarAway() > before)
  assert.equal(accepted.received, 0)
  assert.equal(stream.adjust?.({ ttl: 255, minTtl: 255 }), undefined)
  await real(() => accepted.received === 1)
  assert.equal(stream.adjust?.({}), undefined)
  const later = tooFarAway()
  stream.write(Uint8Array.of(1))
  await real(() => tooFarAway() > later)
  assert.equal(accepted.received, 1, 'it leaves with 64 again')
  assert.equal(answering.adjust?.({}), undefined)
  await real(() => accepted.received === 2)
})

test('a connection that is gone says so', async t => {
  const { stream, answering, accepted, server } = await connected(t, '127.0.0.1', {})
  stream.destroy()
  await real(() => accepted.closed !== undefined)
  const gone = 'the connection is gone'
  assert.deepEqual([stream.adjust?.({ ttl: 1 }), answering.adjust?.({ ttl: 1 })], [gone, gone])
  await server.close()
  assert.equal(server.adjust?.({}), gone)
})

const OTHER: Address = parseAddress('127.0.0.2')!
const KEYS: TcpAoKey[] = [
  { sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'first' },
  { sendId: 2, receiveId: 2, algorithm: 'aes-128-cmac-96', secret: 'second' },
]

/** Whether the kernel has TCP-AO is known by trying. */
async function lacksTcpAo(): Promise<string | undefined> {
  const told: string[] = []
  const events = { ...quiet, closed: (message: string) => void told.push(message) }
  linuxStreams.connect({ address: OTHER, port: 1, aoKeys: KEYS }, events)
  await real(() => told.length > 0)
  return told[0]?.includes('TCP-AO') ? told[0] : undefined
}

test('TCP-AO: keys are exchanged without a break', async t => {
  const lacking = await lacksTcpAo()
  if (lacking !== undefined) {
    assert.equal(lacking, 'the kernel has no TCP-AO (Linux 6.7 with CONFIG_TCP_AO)')
    t.skip('the kernel lacks TCP-AO') // there is none to prove it on
    return
  }
  const { stream, answering, accepted } = await connected(t, '127.0.0.1', { aoKeys: KEYS.slice(0, 1) })
  for (const [count, aoKeys] of [KEYS, KEYS.toReversed(), KEYS.slice(1)].entries()) {
    for (const end of [stream, answering]) assert.equal(end.adjust?.({ aoKeys }), undefined)
    stream.write(Uint8Array.of(1))
    await real(() => accepted.received === count + 1)
  }
})
