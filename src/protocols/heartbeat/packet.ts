/**
 * One heartbeat on the wire: 32 bytes, the node name, and an HMAC-SHA256 over all before it where a key is used.
 *
 *     0  "MLHB"      4  version (1)   5  flags   6  length of the name   7  zero
 *     8  boot        16 your boot     24 sequence                        32 name   [HMAC]
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
  /** The sender stops: the last packet of its boot. */
  readonly leaving: boolean
  /** The sender wants an answer at once. */
  readonly respond: boolean
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
const VERSION = 1
const HEADER = 32
const HMAC_LENGTH = 32
/** A DNS subdomain name (RFC 1123), as node names are. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const LARGEST = HEADER + 253 + HMAC_LENGTH

const JOINING = 1
const LEAVING = 2
const RESPOND = 4
const AUTHENTICATED = 8

/** The name must be a valid node name. */
export function encodeHeartbeat(heartbeat: Heartbeat, hmac?: Hmac): Uint8Array {
  const { node, boot, yourBoot, sequence } = heartbeat
  const bytes = new Uint8Array(HEADER + node.length + (hmac ? HMAC_LENGTH : 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint8(4, VERSION)
  view.setUint8(5, flagsOf(heartbeat) | (hmac ? AUTHENTICATED : 0))
  view.setUint8(6, node.length)
  view.setBigUint64(8, boot)
  view.setBigUint64(16, yourBoot)
  view.setBigUint64(24, BigInt(sequence))
  for (let index = 0; index < node.length; index++) bytes[HEADER + index] = node.charCodeAt(index)
  if (hmac) bytes.set(hmac(bytes.subarray(0, -HMAC_LENGTH)), bytes.length - HMAC_LENGTH)
  return bytes
}

/** Throws a HeartbeatError. With a key only authenticated packets are read, without one only plain ones. */
export function decodeHeartbeat(bytes: Uint8Array, hmac?: Hmac): Heartbeat {
  if (bytes.length < HEADER) throw new HeartbeatError('TRUNCATED', `${bytes.length} bytes are shorter than a header`)
  if (bytes.length > LARGEST) throw new HeartbeatError('OVERSIZED', `${bytes.length} bytes are more than ${LARGEST}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0) !== MAGIC) throw new HeartbeatError('FOREIGN', 'not a heartbeat')
  const version = view.getUint8(4)
  if (version !== VERSION) throw new HeartbeatError('UNKNOWN_VERSION', `version ${version}, expected ${VERSION}`)
  const flags = view.getUint8(5)
  checkHmac(bytes, (flags & AUTHENTICATED) !== 0, hmac)
  return {
    node: nodeName(bytes.subarray(HEADER, bytes.length - (hmac ? HMAC_LENGTH : 0)), view.getUint8(6)),
    boot: view.getBigUint64(8),
    yourBoot: view.getBigUint64(16),
    sequence: sequenceOf(view.getBigUint64(24)),
    joining: (flags & JOINING) !== 0,
    leaving: (flags & LEAVING) !== 0,
    respond: (flags & RESPOND) !== 0,
  }
}

function flagsOf({ joining, leaving, respond }: Heartbeat): number {
  return (joining ? JOINING : 0) | (leaving ? LEAVING : 0) | (respond ? RESPOND : 0)
}

function checkHmac(bytes: Uint8Array, authenticated: boolean, hmac: Hmac | undefined): void {
  if (hmac === undefined) {
    if (authenticated) throw new HeartbeatError('UNEXPECTED_HMAC', 'authenticated, but no key is configured here')
    return
  }
  if (!authenticated) throw new HeartbeatError('NOT_AUTHENTICATED', 'not authenticated, but a key is configured here')
  if (bytes.length < HEADER + HMAC_LENGTH) throw new HeartbeatError('TRUNCATED', 'too short for its HMAC')
  const expected = hmac(bytes.subarray(0, -HMAC_LENGTH))
  const given = bytes.subarray(-HMAC_LENGTH)
  let difference = 0 // compared in constant time
  for (let index = 0; index < HMAC_LENGTH; index++) difference |= expected[index]! ^ given[index]!
  if (difference !== 0) throw new HeartbeatError('BAD_HMAC', 'made with another key, or changed on the way')
}

function sequenceOf(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new HeartbeatError('MALFORMED', `sequence ${value} is out of reach`)
  return Number(value)
}

function nodeName(bytes: Uint8Array, length: number): string {
  if (bytes.length < length) throw new HeartbeatError('TRUNCATED', `name of ${length} bytes, ${bytes.length} there`)
  if (bytes.length > length) throw new HeartbeatError('MALFORMED', `${bytes.length - length} bytes after the name`)
  const name = String.fromCharCode(...bytes)
  if (!NAME.test(name)) throw new HeartbeatError('BAD_NAME', 'the name is no node name')
  return name
}
