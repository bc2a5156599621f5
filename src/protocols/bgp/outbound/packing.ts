import type { Family } from '../../../core/ip/index.ts'
import type { Attribute } from '../attribute/index.ts'
import { encodeMessage, type Update } from '../message/index.ts'
import { type Nlri, nlriSize } from '../nlri.ts'
import type { Wire } from '../wire.ts'
import type { NextHopChoice } from './next-hop.ts'

type Usable = Exclude<NextHopChoice, { kind: 'none' }>

/** A message makes one statement only: it withdraws, or announces, prefixes of one family. */
export function withdrawal(family: Family, prefixes: readonly Nlri[], hop: NextHopChoice): Update {
  const classic = family === 'ipv4' && hop.kind !== 'mp reach'
  return {
    kind: 'update',
    withdrawn: classic ? prefixes : [],
    attributes: classic ? [] : [{ kind: 'mp unreach', family, nlri: prefixes }],
    nlri: [],
  }
}

/** MP_REACH_NLRI comes first (RFC 7606 section 5.1), NEXT_HOP in its place by type. */
export function announcement(
  family: Family,
  prefixes: readonly Nlri[],
  hop: Usable,
  path: readonly Attribute[],
): Update {
  if (hop.kind === 'next hop') {
    const attributes = [...path.slice(0, 2), hop, ...path.slice(2)]
    return { kind: 'update', withdrawn: [], attributes, nlri: prefixes }
  }
  return { kind: 'update', withdrawn: [], attributes: [{ ...hop, family, nlri: prefixes }, ...path], nlri: [] }
}

/**
 * The prefixes cut so that each part fits into a message of `maxLength` bytes; undefined where not even one does.
 * `message` makes the message for a part.
 */
export function split<P extends Nlri>(
  prefixes: readonly P[],
  maxLength: number,
  wire: Wire,
  message: (part: readonly P[]) => Update,
): P[][] | undefined {
  const room = maxLength - encodeMessage(message([]), wire).length - LONGER_LENGTH
  const parts: P[][] = []
  let left = 0
  for (const prefix of prefixes) {
    const size = nlriSize(prefix, wire.addPath.includes(prefix.family))
    if (size > room) return undefined
    if (size > left) {
      parts.push([])
      left = room
    }
    parts.at(-1)!.push(prefix)
    left -= size
  }
  return parts
}

/** An attribute that grows beyond 255 bytes has a length of two bytes. */
const LONGER_LENGTH = 1
