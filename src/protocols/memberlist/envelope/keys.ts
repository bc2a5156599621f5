import type { Aead, Random } from '../../../ports/index.ts'
import { PacketError } from '../errors.ts'

/**
 * The keys of a cluster (IMP-20): all open, the first seals. With `verify` off plain input is taken too, with `seal` off
 * plain output is sent: the two steps of turning encryption on in a running cluster.
 */
export interface Keyring {
  readonly keys: readonly Aead[]
  readonly verifyIncoming: boolean
  readonly sealOutgoing: boolean
}

const NONCE = 12
const TAG = 16
/** Version 1; version 0 pads its plaintext (PKCS #7, blocks of 16). */
const VERSION = 1
/** What sealing adds: version, nonce, tag. */
export const SEAL_OVERHEAD = 1 + NONCE + TAG

/** `version | nonce | ciphertext | tag` */
export function seal({ keys }: Keyring, random: Random, plaintext: Uint8Array, additional: Uint8Array): Uint8Array {
  const nonce = random.bytes(NONCE)
  const sealed = keys[0]!.seal(nonce, plaintext, additional)
  const out = new Uint8Array(1 + NONCE + sealed.length)
  out[0] = VERSION
  out.set(nonce, 1)
  out.set(sealed, 1 + NONCE)
  return out
}

/** @throws PacketError BAD_KEY where no key opens it */
export function unseal({ keys }: Keyring, bytes: Uint8Array, additional: Uint8Array): Uint8Array {
  const version = bytes[0]
  if (version === undefined || bytes.length < SEAL_OVERHEAD)
    throw new PacketError('TRUNCATED', 'too short to be sealed')
  if (version > VERSION) throw new PacketError('BAD_KEY', `encryption version ${version} is unknown`)
  const nonce = bytes.subarray(1, 1 + NONCE)
  for (const key of keys) {
    const plaintext = key.open(nonce, bytes.subarray(1 + NONCE), additional)
    if (plaintext !== undefined) return version === 0 ? unpad(plaintext) : plaintext
  }
  throw new PacketError('BAD_KEY', 'no installed key opens it')
}

function unpad(bytes: Uint8Array): Uint8Array {
  const pad = bytes.at(-1) ?? 0
  if (pad === 0 || pad > 16 || pad > bytes.length) throw new PacketError('MALFORMED', 'wrong padding')
  return bytes.subarray(0, -pad)
}
