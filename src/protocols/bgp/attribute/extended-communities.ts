import type { Reader, Writer } from '../../bytes/index.ts'
import { type AttributeCodec, OPTIONAL_TRANSITIVE, pieces } from './kind.ts'

/** RFC 4360 */
export interface ExtendedCommunities {
  readonly kind: 'extended communities'
  readonly values: readonly ExtendedCommunity[]
}

export type ExtendedCommunity =
  | LinkBandwidth
  /** All eight bytes. */
  | { readonly kind: 'other'; readonly bytes: Uint8Array }

/** draft-ietf-idr-link-bandwidth section 2: how much traffic a path wants, in proportion to the others. */
export interface LinkBandwidth {
  readonly kind: 'link bandwidth'
  /** Two bytes: AS_TRANS in place of a larger one. */
  readonly asn: number
  /** Kept as IEEE 754 single precision. */
  readonly bytesPerSecond: number
}

/** AS-specific with two bytes, non-transitive; link bandwidth. */
const LINK_BANDWIDTH = 0x4004

export const extendedCommunities: AttributeCodec<'extended communities'> = {
  type: 16,
  flags: OPTIONAL_TRANSITIVE,
  onFault: 'treat as withdraw', // RFC 7606 section 7.14
  decode: value => ({ kind: 'extended communities', values: pieces(8, value, decodeOne) }),
  encode: ({ values }, value) => {
    for (const community of values) encodeOne(community, value)
  },
}

const scratch = new DataView(new ArrayBuffer(4))

function decodeOne(reader: Reader): ExtendedCommunity {
  const bytes = reader.take(8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  if (view.getUint16(0) !== LINK_BANDWIDTH || Number.isNaN(view.getFloat32(4)))
    return { kind: 'other', bytes: bytes.slice() }
  return { kind: 'link bandwidth', asn: view.getUint16(2), bytesPerSecond: view.getFloat32(4) }
}

function encodeOne(community: ExtendedCommunity, value: Writer): void {
  if (community.kind === 'other') value.put(community.bytes)
  else {
    scratch.setFloat32(0, community.bytesPerSecond)
    value.u16(LINK_BANDWIDTH).u16(community.asn).u32(scratch.getUint32(0))
  }
}
