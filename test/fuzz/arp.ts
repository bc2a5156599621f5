// Random bytes, and good frames with random damage, into everything that reads ARP. Run for long: node test/fuzz/arp.ts 10000000
import { fileURLToPath } from 'node:url'
import type { Mac } from '../../src/core/ip/index.ts'
import { ArpVoice, decodeArp, encodeArp } from '../../src/protocols/arp/index.ts'
import { DecodeError } from '../../src/protocols/bytes/index.ts'
import { COUNTERS, decodeFrame, Station } from '../../src/protocols/ethernet/index.ts'
import { FakeLink } from '../../src/testing/fake-link.ts'
import { hex } from '../../src/testing/hex.ts'

const SEEDS = [
  hex`ffffffffffff 020000000001 0806 0001080006040001 020000000001c0a80123 000000000000c0a801f0 ${'00'.repeat(18)}`,
  hex`0242ac110002 020000000001 8100 0064 0806 0001080006040002 020000000001c0a801f0 000000000000c0a801f0`,
  // A question of a hand-over, and the answer that lets go: a mark in the target's hardware address.
  hex`0242ac110002 020000000001 0806 0001080006040001 020000000001c0a80123 4d4807000000c0a801f0 ${'00'.repeat(18)}`,
  hex`0242ac110002 020000000001 0806 0001080006040002 020000000001c0a80123 4d4807123456c0a801f0 ${'00'.repeat(18)}`,
]

/** Throws where something else than a DecodeError escapes, or a reply is not a frame we could have meant. */
export function fuzzArp(seed: number, runs: number): { answered: number; refused: number; handed: number } {
  const random = generator(seed)
  const { left, right } = FakeLink.pair()
  const voice = new ArpVoice()
  const station = new Station({
    voice,
    open: () => left,
    excluded: () => false,
    report: () => {},
    counts: new Uint32Array(COUNTERS),
    verbose: true,
    refreshMs: 0,
    random: { next: () => 0.5, bytes: length => new Uint8Array(length) },
  })
  const mac = '02:42:ac:11:00:02' as Mac
  const flags = { up: true, carrier: true, broadcast: true, noArp: false }
  station.setInterfaces([{ index: 1, name: 'eth0', mac, ...flags, addresses: [] }], 0)
  station.change([[0xc0a801f0 | 0, { interfaces: 'all', slot: 0 }]], [], 0)
  const outcome = { answered: 0, refused: 0, handed: 0 }
  for (let run = 0; run < runs; run++) {
    const frame = mutate(SEEDS[run % SEEDS.length]!, random)
    station.receive(1, frame, frame.length)
    outcome.answered += checkReply(right)
    outcome.refused += decodes(frame) ? 0 : 1
    outcome.handed += hands(voice, frame) ? 1 : 0
  }
  return outcome
}

function checkReply(link: FakeLink): number {
  const reply = new Uint8Array(128)
  const length = link.receive(reply)
  if (length < 0) return 0
  const { source, payload } = decodeFrame(reply.subarray(0, length))
  const packet = decodeArp(payload)
  if (length !== 60 || source !== '02:42:ac:11:00:02' || packet.senderMac !== source || packet.operation !== 2)
    throw new Error(`a reply we never meant: ${Buffer.from(reply.subarray(0, length)).toString('hex')}`)
  return 1
}

/** Whether it is a word of a hand-over, which must be within its bounds. */
function hands({ handover }: ArpVoice, frame: Uint8Array): boolean {
  const [poll, release] = [handover.pollOf(frame, frame.length), handover.releaseOf(frame, frame.length)]
  const { id = 0, last = 0 } = { ...poll, ...release }
  if (id < 0 || id > 255 || last < 0 || last > 0xffffff) throw new Error(`a question ${id}, a fingerprint ${last}`)
  return poll !== undefined || release !== undefined
}

/** What decodes must encode to the bytes it came from. */
function decodes(bytes: Uint8Array): boolean {
  try {
    const { payload } = decodeFrame(bytes)
    const again = encodeArp(decodeArp(payload))
    const changed = again.findIndex((byte, at) => at !== 1 && byte !== payload[at]) // byte 1: hardware type 6 becomes 1
    if (changed >= 0) throw new Error(`byte ${changed} changed: ${Buffer.from(bytes).toString('hex')}`)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
}

function mutate(seed: Uint8Array, random: () => number): Uint8Array {
  if (random() < 0.1) return new Uint8Array(Math.floor(random() * 80)).map(() => Math.floor(random() * 256))
  const bytes = seed.slice(0, random() < 0.2 ? Math.floor(random() * seed.length) : seed.length)
  for (let changes = Math.floor(random() * 4); changes > 0 && bytes.length > 0; changes--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
  return bytes
}

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(fuzzArp(Date.now() | 0, Number(process.argv[2] ?? 1e6)))
