/**
 * One heartbeat on the wire: 36 bytes, the node name, the names of silent nodes and of usable interfaces, each after its
 * length, and an HMAC-SHA256 over all before it where a key is used.
 *
 *     0  "MLHB"      4  version (3)   5  flags   6  length of the name   7  count of silent nodes
 *     8  boot        16 your boot     24 sequence
 *     32 interval, milliseconds       34 count of interfaces             35 zero
 *     36 name        silent nodes     interfaces [HMAC]
 */
import type { Hmac } from '../../ports/index.ts'

export interface Heartbeat {
  /** Name of the sender's node. */
  readonly node: string
  /** Drawn at random when the sender started, 64 bits: a restart is another boot. */
  readonly boot: bigint
  /** The receiver's boot as the sender knows it, 0 where it knows none: proves that the packet is no old recording. */
  readonly yourBoot: bigint
  /** Grows with every packet of a boot, below 2^53; 64 bits on the wire. */
  readonly sequence: number
  /** The sender cannot announce yet: it is no member. */
  readonly joining: boolean
  /** The sender leaves addresses to others for now (IMP-4). */
  readonly held?: boolean
  /** The sender stops: the last packet of its boot. */
  readonly leaving: boolean
  /** The sender wants an answer at once. */
  readonly respond: boolean
  /** The sender's next packet comes after so many milliseconds, below 2^16. */
  readonly intervalMs: number
  /** Nodes whose packets the sender misses: with its own silence a receiver has two witnesses. */
  readonly silent: readonly string[]
  /** The sender's usable interfaces; undefined where it publishes none (IMP-25). Together below 512 bytes. */
  readonly interfaces: readonly string[] | undefined
}

export type HeartbeatErrorCode =
  | 'TRUNCATED'
  | 'OVERSIZED'
  | 'FOREIGN'
  | 'UNKNOWN_VERSION'
  | 'MALFORMED'
  | 'BAD_NAME'
  | 'NOT_AUTHENTICATED'
  | 'UNEXPECTED_HMAC'
  | 'BAD_HMAC'

/** A packet that is not to be believed. */
export class HeartbeatError extends Error {
  override readonly name = 'HeartbeatError'
  readonly code: HeartbeatErrorCode

  constructor(code: HeartbeatErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const MAGIC = 0x4d4c4842 // "MLHB"
const VERSION = 3
const HEADER = 36
const HMAC_LENGTH = 32
/** A DNS subdomain name (RFC 1123), as node names are. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
/** What Linux takes as the name of an interface, as far as it is printable ASCII. */
const INTERFACE = /^[!-.0-~]{1,15}$/
/** Room for names: a packet stays below any MTU; more silent nodes are said in later packets, when these are forgotten. */
const MAX_NAME_BYTES = 900
const LARGEST = HEADER + 253 + MAX_NAME_BYTES + HMAC_LENGTH

const JOINING = 1
const LEAVING = 2
const RESPOND = 4
const AUTHENTICATED = 8
const PUBLISHES = 16
const HELD = 32

/** Names must be valid node names; silent nodes that find no room are left out. */
export function encodeHeartbeat(heartbeat: Heartbeat, hmac?: Hmac): Uint8Array {
  const { node, boot, yourBoot, sequence, intervalMs, interfaces = [] } = heartbeat
  const silent = fitting(heartbeat.silent, MAX_NAME_BYTES - lengthOf(interfaces))
  const names = [...silent, ...interfaces]
  const bytes = new Uint8Array(HEADER + node.length + lengthOf(names) + (hmac ? HMAC_LENGTH : 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint8(4, VERSION)
  view.setUint8(5, flagsOf(heartbeat) | (hmac ? AUTHENTICATED : 0))
  view.setUint8(6, node.length)
  view.setUint8(7, silent.length)
  view.setBigUint64(8, boot)
  view.setBigUint64(16, yourBoot)
  view.setBigUint64(24, BigInt(sequence))
  view.setUint16(32, intervalMs)
  view.setUint8(34, interfaces.length)
  let at = putText(bytes, HEADER, node)
  for (const name of names) {
    bytes[at] = name.length
    at = putText(bytes, at + 1, name)
  }
  if (hmac) bytes.set(hmac(bytes.subarray(0, -HMAC_LENGTH)), bytes.length - HMAC_LENGTH)
  return bytes
}

/** Throws a HeartbeatError. With keys only packets that one of them made are read, without any only plain ones. */
export function decodeHeartbeat(bytes: Uint8Array, ...hmacs: readonly Hmac[]): Heartbeat {
  if (bytes.length < HEADER) throw new HeartbeatError('TRUNCATED', `${bytes.length} bytes are shorter than a header`)
  if (bytes.length > LARGEST) throw new HeartbeatError('OVERSIZED', `${bytes.length} bytes are more than ${LARGEST}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== MAGIC) throw new HeartbeatError('FOREIGN', 'not a heartbeat')
  const version = view.getUint8(4)
  if (version !== VERSION) throw new HeartbeatError('UNKNOWN_VERSION', `version ${version}, expected ${VERSION}`)
  const flags = view.getUint8(5)
  checkHmac(bytes, (flags & AUTHENTICATED) !== 0, hmacs)
  const body = bytes.subarray(HEADER, bytes.length - (hmacs.length > 0 ? HMAC_LENGTH : 0))
  const [silentCount, interfaceCount] = [view.getUint8(7), view.getUint8(34)]
  const names = namesIn(body, view.getUint8(6), silentCount + interfaceCount)
  const nodes = names.slice(0, 1 + silentCount)
  if (!nodes.every(name => NAME.test(name))) throw new HeartbeatError('BAD_NAME', 'not the name of a node')
  return {
    node: nodes[0]!,
    silent: nodes.slice(1),
    interfaces: interfacesOf(names.slice(1 + silentCount), (flags & PUBLISHES) !== 0),
    intervalMs: view.getUint16(32),
    boot: view.getBigUint64(8),
    yourBoot: view.getBigUint64(16),
    sequence: sequenceOf(view.getBigUint64(24)),
    joining: (flags & JOINING) !== 0,
    ...((flags & HELD) !== 0 && { held: true }),
    leaving: (flags & LEAVING) !== 0,
    respond: (flags & RESPOND) !== 0,
  }
}

function flagsOf({ joining, held, leaving, respond, interfaces }: Heartbeat): number {
  const said = (joining ? JOINING : 0) | (leaving ? LEAVING : 0) | (respond ? RESPOND : 0)
  return said | (held ? HELD : 0) | (interfaces === undefined ? 0 : PUBLISHES)
}

/** An empty set is something else than none. */
function interfacesOf(names: readonly string[], publishes: boolean): readonly string[] | undefined {
  if (!names.every(name => INTERFACE.test(name))) throw new HeartbeatError('BAD_NAME', 'not the name of an interface')
  if (!publishes && names.length > 0) throw new HeartbeatError('MALFORMED', 'interfaces of a node that publishes none')
  return publishes ? names : undefined
}

function checkHmac(bytes: Uint8Array, authenticated: boolean, hmacs: readonly Hmac[]): void {
  if (hmacs.length === 0) {
    if (authenticated) throw new HeartbeatError('UNEXPECTED_HMAC', 'authenticated, but no key is configured here')
    return
  }
  if (!authenticated) throw new HeartbeatError('NOT_AUTHENTICATED', 'not authenticated, but a key is configured here')
  if (bytes.length < HEADER + HMAC_LENGTH) throw new HeartbeatError('TRUNCATED', 'too short for its HMAC')
  const given = bytes.subarray(-HMAC_LENGTH)
  const made = hmacs.some(hmac => isSame(hmac(bytes.subarray(0, -HMAC_LENGTH)), given))
  if (!made) throw new HeartbeatError('BAD_HMAC', 'made with another key, or changed on the way')
}

function sequenceOf(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new HeartbeatError('MALFORMED', `sequence ${value} is out of reach`)
  return Number(value)
}

/** In constant time. */
function isSame(expected: Uint8Array, given: Uint8Array): boolean {
  let difference = 0
  for (let index = 0; index < HMAC_LENGTH; index++) difference |= expected[index]! ^ given[index]!
  return difference === 0
}

/** With the length before each. */
function lengthOf(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + 1 + name.length, 0)
}

function fitting(names: readonly string[], room: number): readonly string[] {
  let left = room
  return names.filter(name => {
    left -= 1 + name.length
    return left >= 0
  })
}

function putText(bytes: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index)
  return at + text.length
}

/** The sender's name, then so many others; nothing may follow. */
function namesIn(body: Uint8Array, length: number, others: number): string[] {
  const names = [textAt(body, 0, length)]
  let at = length
  for (let index = 0; index < others; index++) {
    const next = body[at] ?? 0
    names.push(textAt(body, at + 1, next))
    at += 1 + next
  }
  if (body.length > at) throw new HeartbeatError('MALFORMED', `${body.length - at} bytes after the names`)
  return names
}

function textAt(body: Uint8Array, at: number, length: number): string {
  if (body.length < at + length)
    throw new HeartbeatError('TRUNCATED', `name of ${length} bytes, ${Math.max(0, body.length - at)} there`)
  return String.fromCharCode(...body.subarray(at, at + length))
}
