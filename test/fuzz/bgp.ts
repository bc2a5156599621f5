/** Entry points for fuzzing BGP: any bytes are read, or refused with a code; whatever is read survives being written. */
import assert from 'node:assert/strict'
import { parseAddress } from '../../src/core/ip/index.ts'
import {
  BgpError,
  decodeMessage,
  encodeMessage,
  type Frame,
  Framer,
  type Message,
  PLAIN_WIRE,
  Session,
  type Settings,
  type Wire,
} from '../../src/protocols/bgp/index.ts'
import { ourSettings, theirOpen } from '../../src/testing/bgp-settings.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import type { FakeRandom } from '../../src/testing/fake-random.ts'
import { FakeStreams } from '../../src/testing/fake-stream.ts'
import { hex } from '../../src/testing/hex.ts'

export const WIRES: readonly Wire[] = [
  PLAIN_WIRE,
  { ...PLAIN_WIRE, asnBytes: 2 },
  { ...PLAIN_WIRE, internal: true, enhancedRefresh: true },
  { ...PLAIN_WIRE, addPath: ['ipv4', 'ipv6'] },
]

/** Good messages to start from; numbers are those of chapter 04 section 8.2. */
const M = 'ffffffffffffffffffffffffffffffff'
export const SEEDS: readonly Uint8Array[] = [
  hex`${M} 0065 01 04 fbf4 005a c000020a 48 0246 010400010001 010400020001 0200 0506000100010002 0600
    400ac0780001018000020180 41040000fbf4 4600 470e00010180000e1000020180000e10 4908066e6f64652d3100`, // 51
  hex`${M} 002f 01 04 fbf5 005a c0000201 ff ff 000f 02 000c 010400010001 41040000fbf5`, // 33
  hex`${M} 0037 02 0000 001b 40010100 40020602010000fbf4 400304c000020a c00804fbf40064 20cb007107`, // 36
  hex`${M} 0037 02 0000 001b 40010100 40020402015ba0 400304c000020b c011060201fa56ea7b 20cb007107`, // 40
  hex`${M} 0055 02 0000 003e 800e2e00020120 20010db8000100000000000000000010 fe80000000000000000000000000000a 00
    4020010db8beef0000 40010100 40020602010000fbf4`, // 48
  hex`${M} 002e 02 0000 0017 800f140002018020010db8beef00000000000000000007`, // 50
  hex`${M} 0017 05 0001 00 01`, // 52
  hex`${M} 0022 03 06 09 06 02 0a 6e6f646520647261696e`, // 55
  hex`${M} 0013 04`, // 30
  hex`${M} 0033 01 04 fbf4 0000 c000020a 16 02 14 090103 4508000101020002010380 00c803010203`, // role, add-path
  hex`${M} 0037 02 0000 001b 40010100 40020602010000fbf4 400304c000020a c023040000fbf4 20cb007107`, // ONLY_TO_CUSTOMER
]

/** One of the seeds with some bytes changed, cut out or put in. */
export function mutate(random: FakeRandom): Uint8Array {
  const below = (limit: number) => Math.floor(random.next() * limit)
  const bytes = [...SEEDS[below(SEEDS.length)]!]
  for (let change = below(4); change >= 0; change--) {
    const at = random.next() < 0.9 ? 19 + below(Math.max(1, bytes.length - 19)) : below(bytes.length)
    const kind = below(3)
    if (kind === 0) bytes[at] = below(256)
    else if (kind === 1) bytes.splice(at, 1 + below(4))
    else bytes.splice(at, 0, ...random.bytes(1 + below(4)))
  }
  if (random.next() < 0.8 && bytes.length >= 19) {
    bytes[16] = bytes.length >> 8
    bytes[17] = bytes.length & 255
  }
  return Uint8Array.from(bytes)
}

/** Reads all messages; a message that was read comes back the same when it is written and read again. */
export function fuzzMessages(bytes: Uint8Array, wire: Wire): void {
  const framer = new Framer()
  framer.push(bytes)
  try {
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) roundTrip(frame, wire)
  } catch (error) {
    assert.ok(error instanceof BgpError, `${error instanceof Error ? error.stack : error}`)
  }
}

function roundTrip(frame: Frame, wire: Wire): void {
  const message = withoutFaults(decodeMessage(frame, wire))
  const again = encodeMessage(message, wire)
  const second = withoutFaults(decodeMessage({ type: again[18]!, body: again.subarray(19) }, wire))
  assert.deepEqual(second, message)
}

function withoutFaults(message: Message): Message {
  if (message.kind !== 'update') return message
  const { faults, ...rest } = message
  return rest
}

const OPTIONS: Partial<Settings> = {
  connectRetryMs: 5000,
  extendedNextHop: true,
  extendedMessage: true,
  gracefulRestart: { seconds: 120, restarting: false },
  listens: true,
}
const ours = ourSettings({ ...OPTIONS, holdMs: 9000 })

/** A peer that sends these pieces, after OPEN and KEEPALIVE where it is `polite`: the session never breaks down. */
export async function fuzzSession(pieces: readonly Uint8Array[], polite: boolean, random: FakeRandom): Promise<void> {
  const clock = new FakeClock()
  const streams = new FakeStreams(clock, random)
  const [local, peer] = [parseAddress('192.0.2.10')!, parseAddress('192.0.2.1')!]
  const ends: { write(bytes: Uint8Array): boolean }[] = []
  await streams.host(peer).listen({ port: 179 }, stream => {
    ends.push(stream)
    if (polite) stream.write(encodeMessage(theirOpen({ ...OPTIONS, holdMs: 9000 })))
    if (polite) stream.write(encodeMessage({ kind: 'keepalive' }))
    return { connected() {}, data() {}, drained() {}, closed() {} }
  })
  const target = { address: peer, port: 179 }
  const options = { settings: ours, target, defaultLocalPref: 100, localAddresses: () => ({ connection: local }) }
  const session = new Session(options, { clock, random, streams: streams.host(local) })
  session.start()
  for (const piece of pieces) {
    clock.advance(50)
    ends.at(-1)?.write(piece)
  }
  clock.advance(20_000)
  assert.ok(session.status.state !== 'idle' || session.status.lastClose !== undefined)
  assert.ok(ends.length > 0)
  session.stop({ kind: 'deconfigured' })
  clock.advance(1000)
  assert.equal(clock.armed, 0, 'no timer is left')
}
