/** The control packet, RFC 5880 section 4.1. Without authentication: 24 bytes. */
import type { LivenessState } from '../../ports/index.ts'
import { BfdError } from './errors.ts'

export interface ControlPacket {
  /** 0 to 31; those above 8 are reserved and kept as they are. */
  readonly diagnostic: number
  readonly state: LivenessState
  readonly poll: boolean
  readonly final: boolean
  /** The sender's BFD survives its control plane. */
  readonly controlPlaneIndependent: boolean
  readonly demand: boolean
  /** 1 to 255. */
  readonly detectMultiplier: number
  /** Not 0. */
  readonly myDiscriminator: number
  /** 0 where the sender does not know it. */
  readonly yourDiscriminator: number
  /** Microseconds, as all three. */
  readonly desiredMinTx: number
  /** 0: send me no periodic packets. */
  readonly requiredMinRx: number
  /** 0: I do not send echo packets back. */
  readonly requiredMinEchoRx: number
}

export const CONTROL_BYTES = 24
const AUTHENTICATED_BYTES = 26
const VERSION = 1
/** The place is the number on the wire. */
const STATES: readonly LivenessState[] = ['adminDown', 'down', 'init', 'up']

const POLL = 0x20
const FINAL = 0x10
const CONTROL_PLANE_INDEPENDENT = 0x08
const AUTHENTICATION = 0x04
const DEMAND = 0x02
const MULTIPOINT = 0x01

export function encodeControl(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(CONTROL_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = (VERSION << 5) | packet.diagnostic
  bytes[1] = (STATES.indexOf(packet.state) << 6) | flagsOf(packet)
  bytes[2] = packet.detectMultiplier
  bytes[3] = CONTROL_BYTES
  view.setUint32(4, packet.myDiscriminator)
  view.setUint32(8, packet.yourDiscriminator)
  view.setUint32(12, packet.desiredMinTx)
  view.setUint32(16, packet.requiredMinRx)
  view.setUint32(20, packet.requiredMinEchoRx)
  return bytes
}

function flagsOf({ poll, final, controlPlaneIndependent, demand }: ControlPacket): number {
  return (
    (poll ? POLL : 0) |
    (final ? FINAL : 0) |
    (controlPlaneIndependent ? CONTROL_PLANE_INDEPENDENT : 0) |
    (demand ? DEMAND : 0)
  )
}

/** The checks of RFC 5880 section 6.8.6 that need no session, in its order. @throws BfdError */
export function decodeControl(bytes: Uint8Array): ControlPacket {
  if (bytes.length < CONTROL_BYTES) throw new BfdError('TRUNCATED', `${bytes.length} bytes are no control packet`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const flags = bytes[1]!
  check(bytes, flags)
  const packet = {
    diagnostic: bytes[0]! & 0x1f,
    state: STATES[flags >> 6]!,
    poll: (flags & POLL) !== 0,
    final: (flags & FINAL) !== 0,
    controlPlaneIndependent: (flags & CONTROL_PLANE_INDEPENDENT) !== 0,
    demand: (flags & DEMAND) !== 0,
    detectMultiplier: bytes[2]!,
    myDiscriminator: view.getUint32(4),
    yourDiscriminator: view.getUint32(8),
    desiredMinTx: view.getUint32(12),
    requiredMinRx: view.getUint32(16),
    requiredMinEchoRx: view.getUint32(20),
  }
  checkDiscriminators(packet)
  if ((flags & AUTHENTICATION) !== 0)
    throw new BfdError('AUTHENTICATED', 'authenticated, but no authentication is configured here')
  return packet
}

function check(bytes: Uint8Array, flags: number): void {
  const version = bytes[0]! >> 5
  if (version !== VERSION) throw new BfdError('VERSION', `version ${version}, expected ${VERSION}`)
  const length = bytes[3]!
  const least = (flags & AUTHENTICATION) !== 0 ? AUTHENTICATED_BYTES : CONTROL_BYTES
  if (length < least) throw new BfdError('LENGTH', `length ${length} is less than ${least}`)
  if (length > bytes.length) throw new BfdError('TRUNCATED', `length ${length}, but ${bytes.length} bytes came`)
  if (bytes[2] === 0) throw new BfdError('DETECT_MULTIPLIER', 'the detection multiplier is 0')
  if ((flags & MULTIPOINT) !== 0) throw new BfdError('MULTIPOINT', 'the multipoint bit is set')
}

function checkDiscriminators({ myDiscriminator, yourDiscriminator, state }: ControlPacket): void {
  if (myDiscriminator === 0) throw new BfdError('MY_DISCRIMINATOR', "the sender's discriminator is 0")
  if (yourDiscriminator === 0 && state !== 'down' && state !== 'adminDown')
    throw new BfdError('YOUR_DISCRIMINATOR', `our discriminator is 0 in state ${state}`)
}
