// How fast BGP messages are read and written, and 10,000 routes are packed. Targets: issue 6. Run: node bench/bgp-codec.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type Family, type Prefix, parseAddress } from '../src/core/ip/index.ts'
import {
  type Agreed,
  agree,
  decodeMessage,
  encodeMessage,
  Framer,
  type Message,
  Outbound,
  PLAIN_WIRE,
  prefixCount,
} from '../src/protocols/bgp/index.ts'
import { ourSettings, theirOpen } from '../src/testing/bgp-settings.ts'

interface Row {
  readonly what: string
  readonly prefixes: number
  readonly messages: number
  readonly perSecond: number
  readonly target: string
  readonly met: boolean
}

const rows: Row[] = []
const COUNT = 1_000_000
const OURS = parseAddress('192.0.2.10')!

const settings = ourSettings()
const agreed: Agreed = agree(settings, theirOpen())

function prefixOf(family: Family, index: number): Prefix {
  if (family === 'ipv4') return { family, network: 0x0a000000n + BigInt(index), length: 32 }
  return { family, network: (0x20010db8n << 96n) + BigInt(index), length: 128 }
}

/** Messages that tell `count` host routes, each of `sets` sets of attributes. */
function messagesFor(family: Family, count: number, sets = 1): { messages: Message[]; ms: number } {
  const attributes = Array.from({ length: sets }, (_, index) => ({
    communities: [{ kind: 'standard', parts: [64500, index] } as const],
  }))
  const routes = Array.from({ length: count }, (_, index) => ({
    prefix: prefixOf(family, index),
    attributes: attributes[index % sets]!,
  }))
  const outbound = new Outbound({ localAsn: 64500, defaultLocalPref: 100 })
  outbound.open(agreed, { connection: OURS, ipv6: parseAddress('2001:db8:1::10')! })
  const messages: Message[] = []
  const start = performance.now()
  outbound.announce(routes)
  for (let next = outbound.next(); next !== undefined; next = outbound.next()) messages.push(next)
  return { messages, ms: performance.now() - start }
}

/** The best of some rounds: the machine is shared. */
function best(rounds: number, work: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now()
    work()
    return performance.now() - start
  })
  return Math.min(...times)
}

function row(what: string, prefixes: number, messages: number, ms: number, target?: number): void {
  const perSecond = Math.round((prefixes / ms) * 1000)
  const met = target === undefined || perSecond >= target
  rows.push({ what, prefixes, messages, perSecond, target: target === undefined ? '-' : `>= ${target}/s`, met })
}

/** As TCP brings them: 64 KiB at a time. */
function decodeAll(stream: Uint8Array): number {
  const framer = new Framer()
  let prefixes = 0
  for (let at = 0; at < stream.length; at += 65536) {
    framer.push(stream.subarray(at, at + 65536))
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
      const message = decodeMessage(frame, PLAIN_WIRE)
      if (message.kind === 'update') prefixes += prefixCount(message).announced
    }
  }
  return prefixes
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

for (const family of ['ipv4', 'ipv6'] as const) {
  const { messages } = messagesFor(family, COUNT)
  let parts: Uint8Array[] = []
  const encodeMs = best(3, () => {
    parts = messages.map(message => encodeMessage(message, agreed.wire))
  })
  row(`encode ${family} host routes, packed`, COUNT, messages.length, encodeMs)
  const stream = concatenate(parts)
  let read = 0
  const decodeMs = best(3, () => {
    read = decodeAll(stream)
  })
  if (read !== COUNT) throw new Error(`${read} prefixes instead of ${COUNT}`)
  row(`decode ${family} host routes, packed`, COUNT, messages.length, decodeMs, 1_000_000)
}

const small = messagesFor('ipv4', 100_000, 100_000).messages.map(message => encodeMessage(message, agreed.wire))
const single = concatenate(small)
row(
  'decode ipv4, one prefix a message',
  100_000,
  small.length,
  best(3, () => void decodeAll(single)),
  1_000_000,
)

messagesFor('ipv4', 10_000)
for (const sets of [1, 100]) {
  const { messages, ms } = messagesFor('ipv4', 10_000, sets)
  row(`plan and pack 10,000 routes of ${sets} attribute sets`, 10_000, messages.length, ms)
}

console.table(rows)
mkdirSync('bench/results', { recursive: true })
const result = { node: process.version, cores: availableParallelism(), rows }
writeFileSync('bench/results/bgp-codec.json', `${JSON.stringify(result, undefined, 2)}\n`)
process.exitCode = rows.every(({ met }) => met) ? 0 : 1
