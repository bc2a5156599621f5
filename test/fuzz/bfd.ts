// Random bytes, and good packets with random damage, into the reader and a table of sessions. For long: node test/fuzz/bfd.ts 10000000
import { fileURLToPath } from 'node:url'
import { parseAddress } from '../../src/core/ip/index.ts'
import {
  BfdError,
  type Entry,
  encodeControl,
  Session,
  SessionTable,
  settingsOf,
} from '../../src/protocols/bfd/index.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'

const SESSIONS = 4
const STATES = ['adminDown', 'down', 'init', 'up'] as const

/** Throws where something else than a BfdError escapes, or a session is left without a next step. */
export function fuzzBfd(seed: number, runs: number): { read: number; refused: number; changes: number; sent: number } {
  const random = new FakeRandom(seed)
  const outcome = { read: 0, refused: 0, changes: 0, sent: 0 }
  const table = new SessionTable<Entry>()
  for (let number = 1; number <= SESSIONS; number++) table.add(entry(number, random, outcome))
  for (let now = 0; now < runs; now++) {
    const bytes = damage(goodPacket(random), random)
    const source = () => parseAddress(`192.0.2.${Math.floor(random.next() * SESSIONS)}`)!
    try {
      table.receive({ bytes, source, destination: source, multihop: random.next() < 0.1, ttl: 255 }, now)
      outcome.read++
    } catch (error) {
      if (!(error instanceof BfdError)) throw error
      outcome.refused++
    }
    for (const { session } of table.entries()) {
      session.tick(now)
      if (Number.isNaN(session.nextAt())) throw new Error(`no next step after ${Buffer.from(bytes).toString('hex')}`)
    }
  }
  return outcome
}

function entry(number: number, random: FakeRandom, outcome: { changes: number; sent: number }): Entry {
  const profile = { name: 'fuzz', echoMode: true, passiveMode: number % 2 === 0 }
  const session = new Session({
    discriminator: number,
    settings: settingsOf(profile),
    random,
    returnsEcho: true,
    send: packet => {
      encodeControl(packet)
      outcome.sent++
    },
    sendEcho: () => {},
    changed: () => outcome.changes++,
  })
  return { target: { peer: parseAddress(`192.0.2.${number}`)!, multihop: false }, session }
}

function goodPacket(random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  return encodeControl({
    diagnostic: some(32),
    state: STATES[some(4)]!,
    poll: some(4) === 0,
    final: some(4) === 0,
    controlPlaneIndependent: some(2) === 0,
    demand: some(4) === 0,
    detectMultiplier: 1 + some(255),
    myDiscriminator: 1 + some(3),
    yourDiscriminator: some(SESSIONS + 2),
    desiredMinTx: some(3) * 20_000,
    requiredMinRx: some(3) * 20_000,
    requiredMinEchoRx: some(3) * 20_000,
  })
}

function damage(bytes: Uint8Array, random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  if (some(10) === 0) return random.bytes(some(40))
  const cut = bytes.slice(0, some(8) === 0 ? some(bytes.length) : bytes.length)
  for (let changes = some(3) - 1; changes > 0 && cut.length > 0; changes--) cut[some(cut.length)] = some(256)
  return cut
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(fuzzBfd(Date.now() | 0, Number(process.argv[2] ?? 1e6)))
