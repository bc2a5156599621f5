import { BITS, type Family, type Prefix } from '../../core/ip/index.ts'
import type { Writer } from '../bytes/index.ts'
import { BgpError } from './errors.ts'

/** A prefix as UPDATEs carry it (RFC 4271 section 4.3), with its path identifier where add-path is used (RFC 7911). */
export interface Nlri extends Prefix {
  readonly pathId?: number
}

const PATH_ID_LENGTH = 4

/**
 * All prefixes of a field. What lies beyond a prefix's length in its last byte is irrelevant (RFC 4271 section 4.3).
 * @throws BgpError INVALID_NETWORK_FIELD
 */
export function decodeNlri(bytes: Uint8Array, family: Family, addPath: boolean): Nlri[] {
  const network = family === 'ipv4' ? ipv4Network : ipv6Network
  const found: Nlri[] = []
  let at = 0
  while (at < bytes.length) {
    const start = addPath ? at + PATH_ID_LENGTH : at
    const length = bytes[start]
    const end = start + 1 + byteCount(length ?? 0)
    if (length === undefined || end > bytes.length) throw invalid(`a prefix ends ${end - bytes.length} bytes too late`)
    if (length > BITS[family]) throw invalid(`a prefix length of ${length} in ${family}`)
    const prefix = { family, network: network(bytes, start + 1, length), length }
    found.push(addPath ? { ...prefix, pathId: ipv4Number(bytes, at, start) } : prefix)
    at = end
  }
  return found
}

function invalid(what: string): BgpError {
  return new BgpError('INVALID_NETWORK_FIELD', what)
}

export function byteCount(bits: number): number {
  return (bits + 7) >>> 3
}

/** Bytes the prefix takes on the wire. */
export function nlriSize(nlri: Nlri, addPath: boolean): number {
  return 1 + byteCount(nlri.length) + (addPath ? PATH_ID_LENGTH : 0)
}

function ipv4Network(bytes: Uint8Array, start: number, length: number): bigint {
  const value = ipv4Number(bytes, start, start + byteCount(length))
  return BigInt(length === 0 ? 0 : (value & (-1 << (32 - length))) >>> 0)
}

function ipv4Number(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let index = 0; index < 4; index++) value = (value << 8) | (start + index < end ? bytes[start + index]! : 0)
  return value >>> 0
}

const scratch = new DataView(new ArrayBuffer(16))
const scratchBytes = new Uint8Array(scratch.buffer)

function ipv6Network(bytes: Uint8Array, start: number, length: number): bigint {
  const count = byteCount(length)
  for (let index = 0; index < 16; index++) scratchBytes[index] = index < count ? bytes[start + index]! : 0
  if (length % 8 !== 0) scratchBytes[count - 1]! &= 0xff << (8 - (length % 8))
  return (scratch.getBigUint64(0) << 64n) | scratch.getBigUint64(8)
}

/** Adds the prefixes; with add-path each with its identifier, 0 where it has none. */
export function encodeNlri(writer: Writer, nlri: readonly Nlri[], addPath: boolean): void {
  for (const one of nlri) {
    if (addPath) writer.u32(one.pathId ?? 0)
    writer.u8(one.length)
    writer.put(networkBytes(one).subarray(0, byteCount(one.length)))
  }
}

/** Shares memory with the next call. */
function networkBytes({ family, network }: Prefix): Uint8Array {
  if (family === 'ipv4') scratch.setUint32(0, Number(network))
  else {
    scratch.setBigUint64(0, network >> 64n)
    scratch.setBigUint64(8, network & 0xffffffffffffffffn)
  }
  return scratchBytes
}
