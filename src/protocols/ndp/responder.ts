/** Whether a received frame is answered, and with what (chapter 03 sections 3.2, 3.4 and 3.5, with IMP-16 and IMP-17). */
import { type Mac, macFromBytes } from '../../core/ip/index.ts'
import {
  type Claim,
  decodeFrame,
  ETHERTYPE_IPV6,
  encodeFrame,
  type Frame,
  matches,
  type Responder,
} from '../ethernet/index.ts'
import { ALL_NODES, groupMac, solicitedNode, UNSPECIFIED } from './address.ts'
import { type InvalidReason, reasonOf } from './errors.ts'
import { decodePacket, encodePacket, type NdpPacket } from './packet.ts'

export type NdpClaims = ReadonlyMap<bigint, Claim>

export type NdpDropReason =
  /** Not a valid neighbor message: code 2 of the reference, which checks less. */
  | InvalidReason
  /** Code 4. */
  | 'notSolicitation'
  /** To a group, from an address, and without saying where that is (RFC 4861 section 7.2.2): code 5. */
  | 'noSourceLinkLayer'
  /** Neither a group nor this interface's MAC. */
  | 'ethernetDestination'
  /** Nobody announces the address here: code 7. */
  | 'announceIP'
  /** Announced, but not on this interface: code 8. */
  | 'notMatchInterface'

export interface Received {
  readonly frame: Frame
  readonly packet: NdpPacket
}

/** Undefined where it is no valid neighbor message in a frame. */
export function readFrame(bytes: Uint8Array): Received | undefined {
  const received = receivedOrWhyNot(bytes)
  return typeof received === 'string' ? undefined : received
}

function receivedOrWhyNot(bytes: Uint8Array): Received | InvalidReason {
  try {
    const frame = decodeFrame(bytes)
    return frame.etherType === ETHERTYPE_IPV6 ? { frame, packet: decodePacket(frame.payload) } : 'malformed'
  } catch (error) {
    return reasonOf(error)
  }
}

export function answerNdp(bytes: Uint8Array, on: Responder, claims: NdpClaims): Uint8Array | NdpDropReason {
  const received = receivedOrWhyNot(bytes)
  if (typeof received === 'string') return received
  const { frame, packet } = received
  const { source, destination, message } = packet
  if (message.kind !== 'solicitation') return 'notSolicitation'
  if (!frame.destination.startsWith('33:33:') && frame.destination !== macFromBytes(on.mac))
    return 'ethernetDestination'
  const claim = claims.get(message.target)
  if (claim === undefined) return 'announceIP'
  if (!matches(claim, on.name)) return 'notMatchInterface'
  // Duplicate address detection is told, with everybody else, that the address is taken (RFC 4862 section 5.4.3).
  if (source === UNSPECIFIED) return isProbe(packet) ? gratuitousNdp(message.target, on) : 'invalidProbe'
  const toGroup = destination >> 120n === 0xffn
  if (toGroup && message.linkLayer === undefined) return 'noSourceLinkLayer'
  const flags = { solicited: true, override: true } // without override a cached MAC stays: RFC 4861 section 7.2.5, IMP-16
  return advertisement(message.target, flags, source, message.linkLayer ?? frame.source, on)
}

/** Tells the segment who has the address (section 3.4). */
export function gratuitousNdp(target: bigint, on: Responder): Uint8Array {
  return advertisement(target, { solicited: false, override: true }, ALL_NODES, groupMac(ALL_NODES), on)
}

/** Asks the host at `to`, or whoever listens for the target, whether it is there (RFC 4861 sections 7.2.2 and 7.3.3). */
export function questionNdp(target: bigint, on: Responder, to?: Mac): Uint8Array {
  const mac = macFromBytes(on.mac)
  const destination = to === undefined ? solicitedNode(target) : target
  const message = { kind: 'solicitation', target, linkLayer: mac } as const
  const payload = encodePacket({ source: on.linkLocal!, destination, message })
  return encodeFrame({ destination: to ?? groupMac(destination), source: mac, etherType: ETHERTYPE_IPV6, payload })
}

function advertisement(
  target: bigint,
  flags: { solicited: boolean; override: boolean },
  to: bigint,
  toMac: Mac,
  on: Responder,
): Uint8Array {
  const mac = macFromBytes(on.mac)
  const message = { kind: 'advertisement', target, router: false, ...flags, linkLayer: mac } as const
  const payload = encodePacket({ source: on.linkLocal!, destination: to, message })
  return encodeFrame({ destination: toMac, source: mac, etherType: ETHERTYPE_IPV6, payload })
}

/** The announced address, on this interface, that the sender advertises as its own or is about to take for its own. */
export function claimedNdp(bytes: Uint8Array, on: Responder, claims: NdpClaims): bigint | undefined {
  const packet = readFrame(bytes)?.packet
  if (packet === undefined || !(packet.message.kind === 'advertisement' || isProbe(packet))) return undefined
  const { target } = packet.message
  const claim = claims.get(target)
  return claim !== undefined && matches(claim, on.name) ? target : undefined
}

/** Duplicate address detection: somebody has the address configured (RFC 4862 section 5.4.3). RFC 4861 section 7.1.1. */
function isProbe({ source, destination, message }: NdpPacket): boolean {
  const { kind, target, linkLayer } = message
  if (kind !== 'solicitation' || source !== UNSPECIFIED) return false
  return destination === solicitedNode(target) && linkLayer === undefined
}

/** Who speaks: the option where there is one. */
export function speaker({ frame, packet }: Received): Mac {
  return packet.message.linkLayer ?? frame.source
}
