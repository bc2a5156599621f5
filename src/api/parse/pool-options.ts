/** Options of a pool that are ours: annotations, so that the object stays loadable by the reference. All are off without them. */
import { type Finding, type Pool, parseDuration, type Reservation } from '../../core/config/index.ts'
import { findOverlaps } from '../../core/config/rules/index.ts'
import { parseAddress, parseAddressEntry, type Range, rangeSize } from '../../core/ip/index.ts'
import { type Schema, texts } from '../schema.ts'
import { flagOf } from './annotation-flag.ts'
import type { ObjectReport } from './objects.ts'
import { readShape } from './shape.ts'

const QUARANTINE = 'metallb.io/quarantine'
const RESERVATIONS = 'metallb.io/reservations'
const QUOTAS = 'metallb.io/quotas'
const EXCLUSIVE = 'metallb.io/exclusive'

type Options = Pick<Pool, 'quarantineMs' | 'reservations' | 'quotas' | 'exclusive'>

/** Errors go to `on`, with the path of the annotation; an option that is not right is left out. */
export function parsePoolOptions(
  annotations: Readonly<Record<string, string>>,
  ranges: readonly Range[],
  on: ObjectReport,
): Options {
  const quarantineMs = parseQuarantine(annotations[QUARANTINE], on)
  const reservations = parseReservations(annotations[RESERVATIONS], ranges, on)
  const quotas = parseQuotas(annotations[QUOTAS], on)
  return {
    ...(quarantineMs !== undefined && { quarantineMs }),
    ...(reservations.length > 0 && { reservations }),
    ...(quotas.size > 0 && { quotas }),
    ...(flagOf(annotations, EXCLUSIVE, on) && { exclusive: true as const }),
  }
}

const pathOf = (annotation: string) => `metadata.annotations[${annotation}]`
const DAY_MS = 86_400_000

function parseQuarantine(text: string | undefined, on: ObjectReport): number | undefined {
  if (text === undefined) return undefined
  const duration = parseDuration(text.trim())
  const ms = duration === undefined ? -1 : Number(duration / 1_000_000n)
  if (ms > 0 && ms <= 7 * DAY_MS) return ms
  if (ms === 0) return undefined
  const message = `invalid duration ${JSON.stringify(text)}, must be from 0 to 168h`
  on.error({ path: pathOf(QUARANTINE), message, hint: 'write 10m or 1h30m' })
  return undefined
}

const TEXT: Schema = { type: 'string' }
const RESERVATION_LIST: Schema = {
  type: 'array',
  items: {
    type: 'object',
    properties: { addresses: texts(''), owner: TEXT, note: TEXT },
    required: ['addresses'],
  },
}
const QUOTA_MAP: Schema = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } }

/** The value of an annotation that holds JSON, or nothing where it is absent or not of that shape. */
function readJson(annotation: string, text: string | undefined, schema: Schema, on: ObjectReport): unknown {
  if (text === undefined) return undefined
  const findings: Finding[] = []
  try {
    const value = readShape(schema, JSON.parse(text), pathOf(annotation), findings)
    if (findings.length === 0) return value
  } catch (error) {
    findings.push({ path: pathOf(annotation), message: `not JSON: ${(error as Error).message}` })
  }
  for (const finding of findings) on.error(finding)
  return undefined
}

function parseReservations(text: string | undefined, ranges: readonly Range[], on: ObjectReport): Reservation[] {
  const list = readJson(RESERVATIONS, text, RESERVATION_LIST, on) ?? []
  const read = (list as { addresses: string[]; owner?: string; note?: string }[]).flatMap(
    ({ addresses, owner, note = '' }, index) => {
      const at = `${pathOf(RESERVATIONS)}[${index}]`
      if (owner !== undefined && !/^[^/]+\/[^/]+$/.test(owner))
        on.error({ path: `${at}.owner`, message: `invalid owner ${JSON.stringify(owner)}, must be NAMESPACE/NAME` })
      return addresses.flatMap((text, position) => {
        const path = `${at}.addresses[${position}]`
        const range = reservedRange(text, ranges, finding => on.error(finding), path)
        return range === undefined ? [] : [{ text, path, range, ...(owner !== undefined && { owner }), note }]
      })
    },
  )
  for (const { entry, earlier } of findOverlaps(read.map((one, index) => ({ ...one, pool: '', index }))))
    on.error({
      path: read[entry.index]!.path,
      message: `${entry.text} overlaps with ${earlier.text}, which is reserved already`,
    })
  return read.map(({ text: _, path: __, ...reservation }) => reservation)
}

/** Walking over reserved addresses costs time for each: nobody needs more in one entry. */
const MOST_RESERVED = 65_536n

function reservedRange(text: string, ranges: readonly Range[], error: (finding: Finding) => void, path: string) {
  const single = parseAddress(text)
  const parsed = single ? { range: { ...single, first: single.value, last: single.value } } : parseAddressEntry(text)
  if ('error' in parsed) {
    error({ path, message: `invalid address ${JSON.stringify(text)}: ${parsed.error}` })
    return undefined
  }
  const { family, first, last } = parsed.range
  const range: Range = { family, first, last }
  if (rangeSize(range) > MOST_RESERVED) {
    error({ path, message: `${text} has more than ${MOST_RESERVED} addresses` })
    return undefined
  }
  if (ranges.some(pool => pool.family === family && pool.first <= first && last <= pool.last)) return range
  error({ path, message: `${text} is not within one entry of spec.addresses` })
  return undefined
}

function parseQuotas(text: string | undefined, on: ObjectReport): Map<string, number> {
  return new Map(Object.entries((readJson(QUOTAS, text, QUOTA_MAP, on) ?? {}) as Record<string, number>))
}
