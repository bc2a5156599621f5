/** NOTIFICATIONs in words (chapter 04 section 6.10), and the texts they may carry (RFC 9003). */
import type { Notification } from './message/index.ts'
import { decodeUtf8, printable, truncateUtf8 } from './text.ts'

/** By code and subcode; spelled as people grep for them. Subcode 0 is the code itself. */
const TEXTS: Readonly<Record<number, readonly (string | undefined)[]>> = {
  1: ['Message header error (unspecific)', 'Connection not synchronized', 'Bad message length', 'Bad message type'],
  2: [
    'OPEN message error (unspecific)',
    'Unsupported version number',
    'Bad peer AS',
    'Bad BGP identifier',
    'Unsupported optional parameter',
    'Authentication Failure (deprecated)',
    'Unacceptable hold time',
    'Unsupported capability',
    undefined,
    undefined,
    undefined,
    'Role Mismatch',
  ],
  3: [
    'UPDATE message error (unspecific)',
    'Malformed Attribute List',
    'Unrecognized Well-known Attribute',
    'Missing Well-known Attribute',
    'Attribute Flags Error',
    'Attribute Length Error',
    'Invalid ORIGIN Attribute',
    'AS Routing Loop (deprecated)',
    'Invalid NEXT_HOP Attribute',
    'Optional Attribute Error',
    'Invalid Network Field',
    'Malformed AS_PATH',
  ],
  4: ['Hold Timer Expired (unspecific)'],
  5: [
    'BGP FSM state error (unspecific)',
    'Receive Unexpected Message in OpenSent State',
    'Receive Unexpected Message in OpenConfirm State',
    'Receive Unexpected Message in Established State',
  ],
  6: [
    'Cease (unspecific)',
    'Maximum Number of Prefixes Reached',
    'Administrative Shutdown',
    'Peer De-configured',
    'Administrative Reset',
    'Connection Rejected',
    'Other Configuration Change',
    'Connection Collision Resolution',
    'Out of Resources',
    'Hard Reset',
    'BFD Down',
  ],
  7: ['ROUTE-REFRESH message error (unspecific)', 'Invalid Message Length'],
  8: ['Send Hold Timer Expired'],
}

const CEASE = 6
const HARD_RESET = 9

/** RFC 4486 section 3, RFC 8538 section 3, RFC 9384 section 3. */
export const CEASE_SUBCODES = {
  'maximum prefixes': 1,
  'administrative shutdown': 2,
  'peer de-configured': 3,
  'administrative reset': 4,
  'connection rejected': 5,
  'other configuration change': 6,
  'collision resolution': 7,
  'out of resources': 8,
  'BFD down': 10,
} as const

export type CeaseReason = keyof typeof CEASE_SUBCODES

/** Those that may carry a text. */
const WITH_TEXT: ReadonlySet<number> = new Set([2, 4])
const MAX_TEXT = 255

/** A Cease; the text goes only with a shutdown or reset, cut to 255 bytes (RFC 9003 section 2). */
export function cease(reason: CeaseReason, text = ''): Notification {
  const subcode = CEASE_SUBCODES[reason]
  const bytes = WITH_TEXT.has(subcode) ? truncateUtf8(text, MAX_TEXT) : new Uint8Array()
  const data = bytes.length === 0 ? bytes : Uint8Array.of(bytes.length, ...bytes)
  return { kind: 'notification', code: CEASE, subcode, data }
}

/** Wrapped so that a peer which keeps routes over a NOTIFICATION drops them all the same (RFC 8538 section 3.1). */
export function hardReset({ code, subcode, data }: Notification): Notification {
  return { kind: 'notification', code: CEASE, subcode: HARD_RESET, data: Uint8Array.of(code, subcode, ...data) }
}

export function isHardReset({ code, subcode }: Notification): boolean {
  return code === CEASE && subcode === HARD_RESET
}

/** What a hard reset wraps; undefined where it wraps nothing. */
function wrapped(notification: Notification): Notification | undefined {
  const { data } = notification
  if (!isHardReset(notification) || data.length < 2) return undefined
  return { kind: 'notification', code: data[0]!, subcode: data[1]!, data: data.subarray(2) }
}

/** The peer's own words, safe to print; undefined where it gave none (RFC 9003 section 2). */
export function shutdownCommunication(notification: Notification): string | undefined {
  const inner = wrapped(notification)
  if (inner !== undefined && !isHardReset(inner)) return shutdownCommunication(inner)
  const { code, subcode, data } = notification
  if (code !== CEASE || !WITH_TEXT.has(subcode)) return undefined
  return printable(decodeUtf8(data.subarray(1, 1 + (data[0] ?? 0)))) || undefined
}

/** `Bad peer AS`, or `unknown code`. */
export function notificationText({ code, subcode }: Pick<Notification, 'code' | 'subcode'>): string {
  return TEXTS[code]?.[subcode] ?? 'unknown code'
}

/** `0x0202 (Bad peer AS)`, for a hard reset what it wraps too, and the peer's own words where there are some. */
export function describeNotification(notification: Notification): string {
  const inner = wrapped(notification)
  const wrapping = inner && !isHardReset(inner) ? `, ${codeAndText(inner)}` : ''
  const words = shutdownCommunication(notification)
  return `${codeAndText(notification)}${wrapping}${words === undefined ? '' : `: "${words}"`}`
}

function codeAndText(notification: Pick<Notification, 'code' | 'subcode'>): string {
  const digits = (notification.code * 256 + notification.subcode).toString(16).padStart(4, '0')
  return `0x${digits} (${notificationText(notification)})`
}
