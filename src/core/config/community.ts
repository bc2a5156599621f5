/** BGP communities: RFC 1997 (standard) and RFC 8092 (large); their text is that of chapter 01 section 2.8. */

export type Community =
  | { readonly kind: 'standard'; readonly parts: readonly [number, number] }
  | { readonly kind: 'large'; readonly parts: readonly [number, number, number] }

export type ParsedCommunity = { community: Community } | { error: string; unknownFormat: boolean }

const MAX_STANDARD = 0xffff
const MAX_LARGE = 0xffffffff

/** `A:B`, or `large:A:B:C`. `unknownFormat` where the text may still be an alias that is not defined yet. */
export function parseCommunity(text: string): ParsedCommunity {
  const sections = text.split(':')
  if (sections.length === 2) return fromSections('standard', text, sections, MAX_STANDARD)
  if (sections.length !== 4) return { error: `invalid community format: ${text}`, unknownFormat: true }
  if (sections[0] === 'large') return fromSections('large', text, sections.slice(1), MAX_LARGE)
  const wanted = 'expected community to be of format large:<uint32>:<uint32>:<uint32>'
  return {
    error: `invalid community value: invalid marker for large community, ${wanted} but got "${text}" instead`,
    unknownFormat: false,
  }
}

function fromSections(kind: Community['kind'], text: string, sections: string[], max: number): ParsedCommunity {
  const parts: number[] = []
  for (const section of sections) {
    const number = /^[0-9]+$/.test(section) ? Number(section) : undefined
    if (number !== undefined && number <= max) {
      parts.push(number)
      continue
    }
    const why = number === undefined ? 'invalid syntax' : 'value out of range'
    const message = `invalid community value: invalid section "${section}" of community "${text}": ${why}`
    return { error: message, unknownFormat: false }
  }
  return { community: { kind, parts } as unknown as Community }
}

/** `A:B` or `A:B:C`: large communities without their marker. */
export function formatCommunity({ parts }: Community): string {
  return parts.join(':')
}

/** A standard community compares as the large one `(A << 16) + B : 0 : 0`. */
export function compareCommunities(a: Community, b: Community): number {
  const [first, second] = [asLarge(a), asLarge(b)]
  const at = first.findIndex((part, index) => part !== second[index])
  if (at >= 0) return first[at]! - second[at]!
  return a.kind === b.kind ? 0 : a.kind === 'standard' ? -1 : 1
}

function asLarge({ kind, parts }: Community): readonly number[] {
  return kind === 'large' ? parts : [parts[0] * 65536 + parts[1], 0, 0]
}
