// Random bytes, and good heartbeats with random damage, into the reader and the roster. Run for long: node test/fuzz/heartbeat.ts 10000000
import { fileURLToPath } from 'node:url'
import { decodeHeartbeat, encodeHeartbeat, HeartbeatError, Roster } from '../../src/protocols/heartbeat/index.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'

const MAX_PEERS = 50

/** Throws where something else than a HeartbeatError escapes, a packet reads as another, or the roster grows. */
export function fuzzHeartbeat(seed: number, runs: number): { read: number; refused: number; peers: number } {
  const random = new FakeRandom(seed)
  const roster = new Roster({ node: 'self', boot: 1n, authenticated: true, maxPeers: MAX_PEERS }, 0)
  const outcome = { read: 0, refused: 0, peers: 0 }
  for (let run = 0; run < runs; run++) {
    const bytes = damage(goodPacket(random), random)
    try {
      const packet = decodeHeartbeat(bytes)
      const again = encodeHeartbeat(packet)
      const changed = again.findIndex((byte, at) => at !== 5 && at !== 35 && byte !== bytes[at]) // 5: unknown flags, 35: unused
      if (changed >= 0) throw new Error(`byte ${changed} changed: ${Buffer.from(bytes).toString('hex')}`)
      roster.receive(packet, `10.0.0.${Math.floor(random.next() * 256)}`, run)
      outcome.read++
    } catch (error) {
      if (!(error instanceof HeartbeatError)) throw error
      outcome.refused++
    }
    outcome.peers = Math.max(outcome.peers, roster.evidence().size)
    if (run % 200 === 0) roster.tick(run)
  }
  if (outcome.peers > MAX_PEERS) throw new Error(`${outcome.peers} peers`)
  return outcome
}

function goodPacket(random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  const flags = { joining: some(2) === 0, leaving: some(8) === 0, respond: some(2) === 0 }
  const [boot, yourBoot] = [BigInt(some(4)), BigInt(some(3))]
  const silent = Array.from({ length: some(4) }, () => `n${some(200)}`)
  return encodeHeartbeat({
    node: `n${some(200)}`,
    boot,
    yourBoot,
    sequence: some(1000),
    intervalMs: some(300),
    silent,
    interfaces: some(2) === 0 ? undefined : Array.from({ length: some(4) }, () => `eth${some(9)}`),
    ...flags,
  })
}

function damage(bytes: Uint8Array, random: FakeRandom): Uint8Array {
  const some = (n: number) => Math.floor(random.next() * n)
  if (some(10) === 0) return random.bytes(some(400))
  const cut = bytes.slice(0, some(5) === 0 ? some(bytes.length) : bytes.length)
  for (let changes = some(3); changes > 0 && cut.length > 0; changes--) cut[some(cut.length)] = some(256)
  return cut
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(fuzzHeartbeat(Date.now() | 0, Number(process.argv[2] ?? 1e6)))
