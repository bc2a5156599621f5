/**
 * Whether a received frame is answered, and with what (chapter 03 section 2.4). Runs once a packet, so it reads and
 * writes bytes in place and allocates nothing; the test holds it against the codec of `packet.ts`.
 *
 * The packet type (IMP-12: only HOST and BROADCAST) is the one condition that is not in the bytes; the kernel filter of
 * the packet socket checks it.
 */
import { type Mac, macFromBytes } from '../../core/ip/index.ts'
import {
  type Claim,
  ETHERTYPE_ARP,
  HEADER_LENGTH,
  MINIMUM_FRAME,
  matches,
  payloadOffset,
  type Responder,
} from '../ethernet/index.ts'
import { PACKET_LENGTH, REPLY, REQUEST } from './packet.ts'

/** Keys are addresses as signed 32-bit numbers: those never need memory of their own. */
export type Claims = ReadonlyMap<number, Claim>

export type DropReason =
  /** Too short, or not IPv4 over Ethernet: code 2 of the reference. */
  | 'malformed'
  /** Code 3. */
  | 'notRequest'
  /** Neither broadcast nor this interface's MAC: code 6. */
  | 'ethernetDestination'
  /** Nobody announces the address here: code 7. */
  | 'announceIP'
  /** Announced, but not on this interface: code 8. */
  | 'notMatchInterface'

const FIXED = Uint8Array.of(8, 6, 0, 1, 8, 0, 6, 4)
const SENDER_MAC = 8
const SENDER_IP = 14
const TARGET_MAC = 18
const TARGET_IP = 24

/** Fills `reply` (60 bytes) where the verdict is 'answer'. Bytes of `frame` behind `length` are not looked at. */
export function answer(
  frame: Uint8Array,
  length: number,
  responder: Responder,
  claims: Claims,
  reply: Uint8Array,
): 'answer' | DropReason {
  const at = arpOffset(frame, length)
  if (at < 0) return 'malformed'
  if (frame[at + 6] !== 0 || frame[at + 7] !== REQUEST) return 'notRequest'
  if (!isBroadcast(frame) && !sameMac(frame, 0, responder.mac)) return 'ethernetDestination'
  const claim = claims.get(int32(frame, at + TARGET_IP))
  if (claim === undefined) return 'announceIP'
  if (!matches(claim, responder.name)) return 'notMatchInterface'
  writeReply(frame, at, responder.mac, reply)
  return 'answer'
}

/**
 * The announced address, on this interface, that the sender of the frame says is its own; undefined where it says no
 * such thing. Whoever calls knows whether the sender is itself. RFC 5227 section 2.4.
 */
export function claimed(frame: Uint8Array, length: number, responder: Responder, claims: Claims): number | undefined {
  const at = arpOffset(frame, length)
  if (at < 0) return undefined
  const sender = int32(frame, at + SENDER_IP)
  const claim = claims.get(sender)
  return claim !== undefined && matches(claim, responder.name) ? sender : undefined
}

/** Who replies, and for which address; undefined for other frames. */
export function answererOf(frame: Uint8Array, length: number): { target: number; mac: Mac } | undefined {
  const at = arpOffset(frame, length)
  if (at < 0 || frame[at + 6] !== 0 || frame[at + 7] !== REPLY) return undefined
  return { target: int32(frame, at + SENDER_IP), mac: macFromBytes(frame, at + SENDER_MAC) }
}

/** The address a reply written by `answer` speaks for. */
export function answeredIp(reply: Uint8Array): number {
  return int32(reply, HEADER_LENGTH + SENDER_IP)
}

/** A broadcast that tells the segment who has the address (section 2.6); fills 60 bytes. */
export function writeGratuitous(operation: number, mac: Uint8Array, ip: number, into: Uint8Array): void {
  into.fill(0xff, 0, 6)
  writeHeader(mac, operation, into)
  writeInt32(into, HEADER_LENGTH + SENDER_IP, ip)
  into.fill(0xff, HEADER_LENGTH + TARGET_MAC, HEADER_LENGTH + TARGET_IP)
  writeInt32(into, HEADER_LENGTH + TARGET_IP, ip)
}

/** "MH" before four bytes: where the target's hardware address would be. */
const MARK = 0x4d48

/** A packet of a hand-over to one host; fills 60 bytes. */
export function writeMarked(
  operation: number,
  to: Uint8Array,
  mac: Uint8Array,
  sender: number,
  target: number,
  mark: number,
  into: Uint8Array,
): void {
  into.set(to)
  writeHeader(mac, operation, into)
  writeInt32(into, HEADER_LENGTH + SENDER_IP, sender)
  into[HEADER_LENGTH + TARGET_MAC] = MARK >> 8
  into[HEADER_LENGTH + TARGET_MAC + 1] = MARK & 255
  writeInt32(into, HEADER_LENGTH + TARGET_MAC + 2, mark)
  writeInt32(into, HEADER_LENGTH + TARGET_IP, target)
}

/** What such a packet says, and where its sender's hardware address is; undefined for other frames. */
export function readMarked(
  frame: Uint8Array,
  length: number,
  operation: number,
): { mark: number; target: number; at: number } | undefined {
  const at = arpOffset(frame, length)
  if (at < 0 || frame[at + 7] !== operation || frame[at + 6] !== 0) return undefined
  if (((frame[at + TARGET_MAC]! << 8) | frame[at + TARGET_MAC + 1]!) !== MARK) return undefined
  return { mark: int32(frame, at + TARGET_MAC + 2), target: int32(frame, at + TARGET_IP), at: at + SENDER_MAC }
}

/** Of the sender's addresses, 1 to 2^24 - 1 (FNV-1a). */
export function fingerprint(frame: Uint8Array, length: number): number {
  const at = arpOffset(frame, length)
  let hash = 0x811c9dc5
  for (let index = at + SENDER_MAC; index < at + TARGET_MAC; index++) hash = Math.imul(hash ^ frame[index]!, 0x01000193)
  return ((hash >>> 8) ^ (hash & 0xff)) & 0xffffff || 1
}

/** To the hardware address the ARP packet names, which need not be the frame's source. */
function writeReply(frame: Uint8Array, at: number, mac: Uint8Array, reply: Uint8Array): void {
  for (let index = 0; index < 6; index++) reply[index] = frame[at + SENDER_MAC + index]!
  writeHeader(mac, REPLY, reply)
  for (let index = 0; index < 4; index++) reply[HEADER_LENGTH + SENDER_IP + index] = frame[at + TARGET_IP + index]!
  for (let index = 0; index < 10; index++) reply[HEADER_LENGTH + TARGET_MAC + index] = frame[at + SENDER_MAC + index]!
}

/** Source, type, fixed fields, operation, sender MAC and the padding. */
function writeHeader(mac: Uint8Array, operation: number, into: Uint8Array): void {
  for (let index = 0; index < 6; index++) into[6 + index] = into[HEADER_LENGTH + SENDER_MAC + index] = mac[index]!
  for (let index = 0; index < 8; index++) into[12 + index] = FIXED[index]!
  into[20] = 0
  into[21] = operation
  into.fill(0, HEADER_LENGTH + PACKET_LENGTH, MINIMUM_FRAME)
}

/** Where the ARP packet begins; -1 where the frame holds none for IPv4 over Ethernet. */
function arpOffset(frame: Uint8Array, length: number): number {
  const at = payloadOffset(frame, length, ETHERTYPE_ARP)
  if (at < 0 || length < at + PACKET_LENGTH) return -1
  const hardware = frame[at + 1]
  if (frame[at] !== 0 || (hardware !== 1 && hardware !== 6)) return -1
  return frame[at + 2] === 8 && frame[at + 3] === 0 && frame[at + 4] === 6 && frame[at + 5] === 4 ? at : -1
}

function isBroadcast(frame: Uint8Array): boolean {
  for (let index = 0; index < 6; index++) if (frame[index] !== 0xff) return false
  return true
}

function sameMac(frame: Uint8Array, at: number, mac: Uint8Array): boolean {
  for (let index = 0; index < 6; index++) if (frame[at + index] !== mac[index]) return false
  return true
}

function int32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  for (let index = 0; index < 4; index++) bytes[at + index] = value >>> (24 - 8 * index)
}
