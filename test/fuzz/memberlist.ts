// Random bytes, and good packets and streams with random damage, into a whole memberlist node. Run for long:
// node test/fuzz/memberlist.ts 1000000
import { fileURLToPath } from 'node:url'
import { parseAddress } from '../../src/core/ip/index.ts'
import { silent } from '../../src/ports/index.ts'
import {
  type EnvelopeOptions,
  unwrapPacket,
  unwrapStream,
  wrapPacket,
  wrapStream,
} from '../../src/protocols/memberlist/envelope/index.ts'
import { LAN, Memberlist, PacketError } from '../../src/protocols/memberlist/index.ts'
import { decodeMessage, encodeMessage, type Message, STATES } from '../../src/protocols/memberlist/message/index.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { FakeNetwork } from '../../src/testing/fake-network.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'

export interface Outcome {
  read: number
  refused: number
  readonly members: number
}

/** Throws where anything else than a PacketError escapes, or the node grows beyond what it was told. */
export function fuzzMemberlist(seed: number, runs: number): Outcome {
  const random = new FakeRandom(seed)
  const clock = new FakeClock()
  const network = new FakeNetwork(clock, random)
  const address = parseAddress('10.0.0.1')!
  const connect = () => ({ local: undefined, remote: { address, port: 1 }, write: () => true, end() {}, destroy() {} })
  const socket = network.open('10.0.0.1', 7946)
  const identity = { name: 'self', address, port: 7946, config: LAN }
  const node = new Memberlist({ ...identity, clock, random, log: silent, socket, connect })
  node.start()
  const attacker = network.open('10.0.0.9', 7946)
  const outcome = { read: 0, refused: 0 }
  for (let run = 0; run < runs; run++) {
    const envelope: EnvelopeOptions = { label: '', compression: some(random, 3) === 0, keyring: undefined, random }
    const packet = damage(wrapPacket(someMessages(random), some(random, 2) === 0, envelope), random)
    attacker.send(packet, '10.0.0.1', 7946)
    clock.advance(some(random, 3))
    count(outcome, () => unwrapPacket(packet, envelope).forEach(decodeMessage))
    const stream = damage(wrapStream(encodeMessage(someState(random)), envelope), random)
    count(outcome, () => {
      const plain = unwrapStream(stream, envelope)
      if (plain !== undefined) decodeMessage(plain)
    })
  }
  const members = node.members().length
  if (!node.present().some(({ name }) => name === 'self')) throw new Error('it gave itself up')
  node.shutdown()
  return { ...outcome, members }
}

function count(outcome: { read: number; refused: number }, read: () => void): void {
  try {
    read()
    outcome.read++
  } catch (error) {
    if (!(error instanceof PacketError)) throw error
    outcome.refused++
  }
}

const some = (random: FakeRandom, below: number) => Math.floor(random.next() * below)

function someMessages(random: FakeRandom): Uint8Array[] {
  return Array.from({ length: 1 + some(random, 4) }, () => encodeMessage(someMessage(random)))
}

function someMessage(random: FakeRandom): Message {
  const node = some(random, 4) === 0 ? 'self' : `n${some(random, 60)}`
  const from = `n${some(random, 60)}`
  const incarnation = some(random, 10) === 0 ? 0xffffffff - some(random, 3) : some(random, 50)
  const seqNo = some(random, 1000)
  const addr = random.bytes([4, 4, 16, 3][some(random, 4)]!)
  const vsn = some(random, 8) === 0 ? random.bytes(some(random, 7)) : Uint8Array.of(1, 5, 2, 0, 0, 0)
  const kinds: Message[] = [
    { kind: 'ping', seqNo, node },
    { kind: 'indirectPing', seqNo, node, target: addr, port: 7946, nack: true },
    { kind: 'ack', seqNo },
    { kind: 'nack', seqNo },
    { kind: 'suspect', incarnation, node, from },
    { kind: 'dead', incarnation, node, from },
    { kind: 'alive', incarnation, node, addr, port: some(random, 3), vsn, meta: random.bytes(some(random, 600)) },
  ]
  return kinds[some(random, kinds.length)]!
}

function someState(random: FakeRandom): Message {
  const nodes = Array.from({ length: some(random, 20) }, (_, index) => ({
    ...{ name: `n${index}`, addr: random.bytes(4), port: 7946, incarnation: some(random, 5) },
    ...{ state: STATES[some(random, 4)]!, vsn: Uint8Array.of(1, 5, 2, 0, 0, 0) },
  }))
  return { kind: 'pushPull', join: some(random, 2) === 0, nodes }
}

function damage(bytes: Uint8Array, random: FakeRandom): Uint8Array {
  if (some(random, 10) === 0) return random.bytes(some(random, 300))
  const cut = bytes.slice(0, some(random, 5) === 0 ? some(random, bytes.length) : bytes.length)
  for (let changes = some(random, 3); changes > 0 && cut.length > 0; changes--)
    cut[some(random, cut.length)] = some(random, 256)
  return cut
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(fuzzMemberlist(Date.now() | 0, Number(process.argv[2] ?? 1e5)))
