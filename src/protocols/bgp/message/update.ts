import type { Family } from '../../../core/ip/index.ts'
import { DecodeError, Reader, Writer } from '../../bytes/index.ts'
import {
  type Attribute,
  type AttributeKind,
  decodeAttributes,
  encodeAttributes,
  typeOf,
  type UpdateFault,
} from '../attribute/index.ts'
import { BgpError } from '../errors.ts'
import { decodeNlri, encodeNlri, type Nlri } from '../nlri.ts'
import type { Wire } from '../wire.ts'
import { EXTENDED_MAX_LENGTH, MAX_LENGTH, type MessageCodec } from './kind.ts'

/** RFC 4271 section 4.3. IPv4 prefixes are in the fields of the message, or like all others in attributes. */
export interface Update {
  readonly kind: 'update'
  readonly withdrawn: readonly Nlri[]
  readonly attributes: readonly Attribute[]
  readonly nlri: readonly Nlri[]
  /** What RFC 7606 forgave in reading it, in order; absent where nothing was wrong. Not sent. */
  readonly faults?: readonly UpdateFault[]
}

export const update: MessageCodec<'update'> = {
  type: 2,
  minLength: 23,
  maxLength: MAX_LENGTH,
  extendedMaxLength: EXTENDED_MAX_LENGTH,
  decode: decodeUpdate,
  encode: ({ withdrawn, attributes, nlri }, body, wire) => {
    const addPath = wire.addPath.includes('ipv4')
    putWithLength(body, field => encodeNlri(field, withdrawn, addPath))
    putWithLength(body, field => encodeAttributes(attributes, field, wire))
    encodeNlri(body, nlri, addPath)
  },
}

function putWithLength(body: Writer, fill: (field: Writer) => void): void {
  const field = new Writer(256)
  fill(field)
  body.u16(field.length).put(field.finish())
}

function decodeUpdate(body: Uint8Array, wire: Wire): Update {
  const [withdrawnBytes, attributeBytes, nlriBytes] = fieldsOf(body)
  const addPath = wire.addPath.includes('ipv4')
  const withdrawn = decodeNlri(withdrawnBytes, 'ipv4', addPath)
  const nlri = decodeNlri(nlriBytes, 'ipv4', addPath)
  const faults: UpdateFault[] = []
  const attributes = decodeAttributes(attributeBytes, wire, faults)
  faults.push(...missing(attributes, nlri.length > 0, wire, faults))
  const update: Update = { kind: 'update', withdrawn, attributes, nlri }
  if (faults.length === 0) return update
  return { ...(faults.some(fault => fault.approach === 'treat as withdraw') ? asWithdrawal(update) : update), faults }
}

/** Lengths that overrun the message leave no way to find the prefixes (RFC 4271 section 6.3). */
function fieldsOf(body: Uint8Array): [withdrawn: Uint8Array, attributes: Uint8Array, nlri: Uint8Array] {
  const reader = new Reader(body)
  try {
    return [reader.take(reader.u16()), reader.take(reader.u16()), reader.rest()]
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new BgpError('MALFORMED_ATTRIBUTE_LIST', `UPDATE: ${error.message}`)
  }
}

/** RFC 7606 section 3 (d): well-known attributes that announced routes must have. */
function missing(
  attributes: readonly Attribute[],
  inNlri: boolean,
  { internal }: Wire,
  faults: readonly UpdateFault[],
): UpdateFault[] {
  const has = (kind: AttributeKind) => attributes.some(attribute => attribute.kind === kind)
  if (!inNlri && !has('mp reach')) return []
  const wanted: Exclude<AttributeKind, 'unknown'>[] = ['origin', 'as path']
  if (inNlri) wanted.push('next hop')
  if (internal) wanted.push('local pref')
  const isBroken = (type: number) => faults.some(fault => fault.type === type)
  const lacking = wanted.filter(kind => !has(kind) && !isBroken(typeOf(kind)))
  return lacking.map(kind => ({
    approach: 'treat as withdraw',
    code: 'MISSING_WELL_KNOWN_ATTRIBUTE',
    message: `no ${kind} attribute`,
  }))
}

/** RFC 7606 section 2: the message as if all its routes were withdrawn. */
function asWithdrawal({ withdrawn, attributes, nlri }: Update): Update {
  const families = new Map<Family, Nlri[]>()
  for (const attribute of attributes)
    if (attribute.kind === 'mp reach' || attribute.kind === 'mp unreach')
      families.set(attribute.family, [...(families.get(attribute.family) ?? []), ...attribute.nlri])
  return {
    kind: 'update',
    withdrawn: [...withdrawn, ...nlri],
    attributes: Array.from(families, ([family, prefixes]) => ({ kind: 'mp unreach', family, nlri: prefixes })),
    nlri: [],
  }
}

/** How many prefixes the message announces and withdraws. */
export function prefixCount({ withdrawn, attributes, nlri }: Update): { announced: number; withdrawn: number } {
  const count = { announced: nlri.length, withdrawn: withdrawn.length }
  for (const attribute of attributes)
    if (attribute.kind === 'mp reach') count.announced += attribute.nlri.length
    else if (attribute.kind === 'mp unreach') count.withdrawn += attribute.nlri.length
  return count
}

/** What says that the initial routes of the family are complete (RFC 4724 section 2). */
export function endOfRibUpdate(family: Family): Update {
  const attributes: Attribute[] = family === 'ipv4' ? [] : [{ kind: 'mp unreach', family, nlri: [] }]
  return { kind: 'update', withdrawn: [], attributes, nlri: [] }
}
