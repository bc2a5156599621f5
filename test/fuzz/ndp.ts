// Random bytes, and good neighbor and router messages with random damage, into everything that reads them. Run for long: node test/fuzz/ndp.ts 10000000
import { fileURLToPath } from 'node:url'
import { macFromBytes, parseAddress } from '../../src/core/ip/index.ts'
import { DecodeError } from '../../src/protocols/bytes/index.ts'
import { ETHERTYPE_IPV6, encodeFrame } from '../../src/protocols/ethernet/index.ts'
import {
  decodePacket,
  decodeRouterPacket,
  encodePacket,
  encodeRouterPacket,
  groupMac,
  NdpVoice,
  RouterDiscovery,
  sealPacket,
} from '../../src/protocols/ndp/index.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'

const ip = (text: string) => parseAddress(text)!.value
const ALL_NODES = ip('ff02::1')
const ON = { name: 'eth0', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }

/** Throws where something else than a DecodeError escapes, a message reads as another, or routers pile up. */
export function fuzzNdp(seed: number, runs: number): { read: number; refused: number } {
  const random = new FakeRandom(seed)
  const discovery = new RouterDiscovery({ mac: macFromBytes(random.bytes(6)), address: ip('fe80::a') }, 0)
  const voice = new NdpVoice()
  const outcome = { read: 0, refused: 0 }
  for (let run = 0; run < runs; run++) {
    const packet = damaged(goodBody(random), random)
    try {
      if (packet[40]! > 134) roundTrip(decodePacket(packet), encodePacket, decodePacket)
      else roundTrip(decodeRouterPacket(packet), encodeRouterPacket, decodeRouterPacket)
      outcome.read++
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      outcome.refused++
    }
    receive(discovery, packet, run)
    hear(voice, packet)
    if (run % 100 === 0) discovery.tick(run)
  }
  return outcome
}

/** What was understood is said again in the same way; options that nobody reads may be gone. */
function roundTrip<P>(packet: P, encode: (packet: P) => Uint8Array, decode: (bytes: Uint8Array) => P): void {
  const [first, again] = [textOf(packet), textOf(decode(encode(packet)))]
  if (first !== again) throw new Error(`${first} became ${again}`)
}

function receive(discovery: RouterDiscovery, payload: Uint8Array, nowMs: number): void {
  const source = macFromBytes(Uint8Array.of(2, 0, 0, 0, 0, 1))
  try {
    discovery.receive(
      encodeFrame({ destination: groupMac(ALL_NODES), source, etherType: ETHERTYPE_IPV6, payload }),
      nowMs,
    )
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
  if (discovery.routers.length > 8) throw new Error(`${discovery.routers.length} routers`)
}

/** Neither a request, a claim nor the words of a hand-over may throw. */
function hear(voice: NdpVoice, payload: Uint8Array): void {
  const [source, on] = [macFromBytes(ON.mac), { ...ON, linkLocal: ip('fe80::a') }]
  const frame = encodeFrame({ destination: groupMac(ALL_NODES), source, etherType: ETHERTYPE_IPV6, payload })
  voice.answer(frame, frame.length, on, new Map())
  voice.claimed(frame, frame.length, on, new Map())
  voice.answerer(frame, frame.length)
  voice.handover.pollOf(frame, frame.length)
  const release = voice.handover.releaseOf(frame, frame.length)
  if (release !== undefined && release.last > 0xffffff) throw new Error(`${release.last} is no fingerprint`)
}

/** Behind a right checksum, so that damage is seen by who reads the message. */
function goodBody(random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  const type = 133 + some(4)
  const fixed = type === 133 ? 8 : type === 134 ? 16 : 24
  const options = some(4)
  const body = random.bytes(fixed + 8 * options)
  body.set([type, some(20) === 0 ? 1 : 0, 0, 0])
  for (let at = fixed; at < body.length; at += 8)
    body.set([[1, 2, 3, 253][some(4)]!, some(8) === 0 ? some(4) : 1, 0x4d, 0x48], at)
  return body
}

function damaged(body: Uint8Array, random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  if (some(20) === 0) return random.bytes(some(200))
  const source = some(4) === 0 ? 0n : ip('fe80::') | BigInt(some(40))
  const packet = sealPacket({ source, destination: ALL_NODES, body })
  if (some(8) === 0) packet[some(packet.length)] = some(256)
  return some(8) === 0 ? packet.slice(0, some(packet.length)) : packet
}

function textOf(packet: unknown): string {
  return JSON.stringify(packet, (_key, value) => (typeof value === 'bigint' ? value.toString(16) : value))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(fuzzNdp(Date.now() % 1_000_000, Number(process.argv[2] ?? 1_000_000)))
