import { type Address, addressBytes, addressFromBytes } from '../../../core/ip/index.ts'
import { DecodeError, Reader, Writer } from '../../bytes/index.ts'
import { type Capability, decodeCapability, encodeCapability } from '../capability.ts'
import { BgpError } from '../errors.ts'
import { MAX_LENGTH, type MessageCodec } from './kind.ts'

/** RFC 4271 section 4.2. */
export interface Open {
  readonly kind: 'open'
  /** The two-byte field: AS_TRANS where the AS number is larger (RFC 6793 section 9). */
  readonly myAs: number
  /** Seconds. */
  readonly holdTime: number
  /** Four bytes written as an IPv4 address. */
  readonly identifier: Address
  readonly capabilities: readonly Capability[]
}

export const VERSION = 4
export const AS_TRANS = 23456

const CAPABILITIES = 2
/** RFC 9072 section 2: in place of the length, and of the type of the first parameter. */
const EXTENDED = 255

export const open: MessageCodec<'open'> = {
  type: 1,
  minLength: 29,
  maxLength: MAX_LENGTH, // RFC 8654 section 4: never longer
  extendedMaxLength: MAX_LENGTH,
  decode: body => {
    try {
      return decodeOpen(new Reader(body))
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      throw new BgpError('MALFORMED_OPEN', `OPEN: ${error.message}`)
    }
  },
  encode: ({ myAs, holdTime, identifier, capabilities }, body) => {
    body.u8(VERSION).u16(myAs).u16(holdTime).put(addressBytes(identifier))
    encodeParameters(capabilities, body)
  },
}

function decodeOpen(reader: Reader): Open {
  const version = reader.u8()
  if (version !== VERSION)
    throw new BgpError('UNSUPPORTED_VERSION', `version ${version}, want ${VERSION}`, Uint8Array.of(0, VERSION))
  const [myAs, holdTime] = [reader.u16(), reader.u16()]
  const identifier = addressFromBytes(reader.take(4))!
  return { kind: 'open', myAs, holdTime, identifier, capabilities: decodeParameters(reader) }
}

function decodeParameters(reader: Reader): Capability[] {
  const short = reader.u8()
  const extended = short === EXTENDED && reader.remaining > 0 && reader.bytes[reader.offset] === EXTENDED
  if (extended) reader.skip(1)
  const length = extended ? reader.u16() : short
  if (length !== reader.remaining)
    throw new BgpError('MALFORMED_OPEN', `parameters of ${length} bytes, but ${reader.remaining} are there`)
  const capabilities: Capability[] = []
  while (reader.remaining > 0) {
    const type = reader.u8()
    const value = new Reader(reader.take(extended ? reader.u16() : reader.u8()))
    if (type !== CAPABILITIES) throw new BgpError('UNSUPPORTED_OPTIONAL_PARAMETER', `optional parameter type ${type}`)
    while (value.remaining > 0) capabilities.push(decodeCapability(value))
  }
  return capabilities
}

/** All capabilities in one parameter; in the format of RFC 9072 where the short one has no room. */
function encodeParameters(capabilities: readonly Capability[], body: Writer): void {
  const value = new Writer()
  for (const capability of capabilities) value.put(encodeCapability(capability))
  if (value.length === 0) body.u8(0)
  else if (value.length + 2 < EXTENDED)
    body
      .u8(value.length + 2)
      .u8(CAPABILITIES)
      .u8(value.length)
  else
    body
      .u8(EXTENDED)
      .u8(EXTENDED)
      .u16(value.length + 3)
      .u8(CAPABILITIES)
      .u16(value.length)
  body.put(value.finish())
}

/** The sender's AS number: from capability 65, else from the field (RFC 6793 section 4.1). */
export function asnOf({ myAs, capabilities }: Open): number {
  for (const capability of capabilities) if (capability.kind === 'four-octet AS') return capability.asn
  return myAs
}
