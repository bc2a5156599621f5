import { Reader, type Writer } from '../../bytes/index.ts'
import { BgpError } from '../errors.ts'
import { type AttributeCodec, OPTIONAL_TRANSITIVE, WELL_KNOWN } from './kind.ts'

/** RFC 4271 section 5.1.2; with two-byte AS numbers on the wire where the session has them. */
export interface AsPath {
  readonly kind: 'as path'
  readonly segments: readonly AsSegment[]
}

/** RFC 6793 section 3: the true path, where AS_PATH had no room for it. */
export interface As4Path {
  readonly kind: 'as4 path'
  readonly segments: readonly AsSegment[]
}

export interface AsSegment {
  readonly kind: SegmentKind
  /** 1 to 255 of them. */
  readonly asns: readonly number[]
}

/** The last two belong to confederations (RFC 5065 section 3). */
type SegmentKind = 'set' | 'sequence' | 'confederation sequence' | 'confederation set'

const SEGMENT_KINDS: readonly SegmentKind[] = ['set', 'sequence', 'confederation sequence', 'confederation set']

export const asPath: AttributeCodec<'as path'> = {
  type: 2,
  flags: WELL_KNOWN,
  onFault: 'treat as withdraw', // RFC 7606 section 7.2
  decode: (value, { asnBytes }) => ({ kind: 'as path', segments: decodeSegments(value, asnBytes) }),
  encode: ({ segments }, value, { asnBytes }) => encodeSegments(segments, value, asnBytes),
}

export const as4Path: AttributeCodec<'as4 path'> = {
  type: 17,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'attribute discard', // RFC 6793 section 6
  decode: value => ({ kind: 'as4 path', segments: decodeSegments(value, 4) }),
  encode: ({ segments }, value) => encodeSegments(segments, value, 4),
}

function decodeSegments(value: Uint8Array, asnBytes: 2 | 4): AsSegment[] {
  const reader = new Reader(value)
  const segments: AsSegment[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()
    const kind = SEGMENT_KINDS[type - 1]
    if (kind === undefined) throw malformed(`segment type ${type}`)
    const count = reader.remaining > 0 ? reader.u8() : 0
    if (count === 0 || count * asnBytes > reader.remaining) throw malformed(`a segment of ${count} AS numbers`)
    const asns: number[] = []
    while (asns.length < count) asns.push(asnBytes === 4 ? reader.u32() : reader.u16())
    segments.push({ kind, asns })
  }
  return segments
}

function malformed(what: string): BgpError {
  return new BgpError('MALFORMED_AS_PATH', what)
}

function encodeSegments(segments: readonly AsSegment[], value: Writer, asnBytes: 2 | 4): void {
  for (const { kind, asns } of segments) {
    value.u8(SEGMENT_KINDS.indexOf(kind) + 1).u8(asns.length)
    for (const asn of asns) asnBytes === 4 ? value.u32(asn) : value.u16(asn)
  }
}
