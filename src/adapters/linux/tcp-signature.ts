/**
 * Keys that the kernel signs and checks segments with: TCP MD5 (RFC 2385, tcp(7)) and TCP-AO (RFC 5925, struct tcp_ao_add
 * and its like in linux/tcp.h since Linux 6.7).
 */
import { endianness } from 'node:os'
import type { TcpAoKey } from '../../core/config/index.ts'
import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { PeerSecrets } from '../../ports/index.ts'
import { SystemError } from './ffi.ts'
import { socketAddress } from './socket-options.ts'

export const TCP_MD5SIG = 14
export const TCP_AO_ADD_KEY = 38
export const TCP_AO_DEL_KEY = 39
export const TCP_AO_INFO = 40

const SET_CURRENT = 1
const SET_RNEXT = 2
const LITTLE = endianness() === 'LE'
const ALGORITHMS = { 'hmac-sha-1-96': 'hmac(sha1)', 'aes-128-cmac-96': 'cmac(aes128)' } as const
const MAC_LENGTH = 12
/** Of struct sockaddr_storage, which all of them begin with. */
const STORAGE = 128

/** A socket option at level IPPROTO_TCP. @throws SystemError */
export type SetOption = (name: number, value: Uint8Array) => void

/** The keys of one socket, and the steps from those it has to others. */
export class Signatures {
  readonly #set: SetOption
  readonly #listens: boolean
  readonly #installed: Map<string, PeerSecrets>

  /** `listens`: connections choose their current key themselves. `inherited`: what the socket has already. */
  constructor(set: SetOption, listens: boolean, inherited: Iterable<PeerSecrets> = []) {
    this.#set = set
    this.#listens = listens
    this.#installed = new Map(Array.from(inherited, one => [formatAddress(one.address), one]))
  }

  /** What is installed for the peer. */
  of(peer: Address): PeerSecrets | undefined {
    return this.#installed.get(formatAddress(peer))
  }

  /** Makes the keys these. What fails for one peer does not keep the others from theirs: the sentences say what. */
  replace(wanted: readonly PeerSecrets[]): string[] {
    const kept = new Set(wanted.map(({ address }) => formatAddress(address)))
    const gone = [...this.#installed.values()].filter(({ address }) => !kept.has(formatAddress(address)))
    const problems: string[] = []
    for (const one of [...gone.map(({ address }) => ({ address })), ...wanted])
      try {
        this.change(one)
      } catch (error) {
        problems.push(`keys of ${formatAddress(one.address)}: ${(error as Error).message}`)
      }
    return problems
  }

  /** @throws SystemError EINVAL for a key of no or more than 80 bytes; Error where the kernel cannot */
  change(wanted: PeerSecrets): void {
    const key = formatAddress(wanted.address)
    const before = this.#installed.get(key)
    if (wanted.md5Password !== before?.md5Password) this.#setMd5(wanted)
    if (wanted.aoKeys !== undefined || before?.aoKeys !== undefined) this.#setAo(wanted, before?.aoKeys ?? [])
    if (wanted.md5Password === undefined && wanted.aoKeys === undefined) this.#installed.delete(key)
    else this.#installed.set(key, wanted)
  }

  #setMd5({ address, md5Password = '' }: PeerSecrets): void {
    known('TCP MD5 signatures (CONFIG_TCP_MD5SIG)', () => this.#set(TCP_MD5SIG, encodeMd5(address, md5Password)))
  }

  /** New ones first and old ones last: at every moment there is one that both ends know. */
  #setAo({ address, aoKeys = [] }: PeerSecrets, before: readonly TcpAoKey[]): void {
    const set = (name: number, value: Uint8Array) =>
      known('TCP-AO (Linux 6.7 with CONFIG_TCP_AO)', () => this.#set(name, value))
    for (const key of before)
      if (aoKeys.some(other => clashes(key, other))) set(TCP_AO_DEL_KEY, encodeAoDelete(address, key))
    for (const [index, key] of aoKeys.entries())
      if (!before.some(other => isSame(key, other)))
        set(TCP_AO_ADD_KEY, encodeAoAdd(address, key, index === 0 && !this.#listens))
    const [first] = aoKeys
    if (first !== undefined && !this.#listens && before.some(other => isSame(first, other)))
      set(TCP_AO_INFO, encodeAoCurrent(first))
    for (const key of before)
      if (!aoKeys.some(other => isSame(key, other) || clashes(key, other)))
        set(TCP_AO_DEL_KEY, encodeAoDelete(address, key))
  }
}

function isSame(a: TcpAoKey, b: TcpAoKey): boolean {
  return hasSameIds(a, b) && a.algorithm === b.algorithm && a.secret === b.secret
}

/** Another key under the same numbers: the old one has to go first. */
function clashes(a: TcpAoKey, b: TcpAoKey): boolean {
  return hasSameIds(a, b) && !isSame(a, b)
}

function hasSameIds(a: TcpAoKey, b: TcpAoKey): boolean {
  return a.sendId === b.sendId && a.receiveId === b.receiveId
}

/** "Protocol not available" tells nobody what to do. */
function known(feature: string, run: () => void): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOPROTOOPT') throw error
    throw new Error(`the kernel has no ${feature}`)
  }
}

/**
 * struct tcp_md5sig {sockaddr_storage; u8 flags, prefixlen; u16 keylen; int ifindex; u8 key[80]}; an empty key removes
 * that of the peer.
 */
export function encodeMd5(peer: Address, md5Password: string): Uint8Array {
  const key = Buffer.from(md5Password)
  const { bytes, view } = structFor(216, peer)
  view.setUint16(130, key.length, LITTLE)
  key.copy(bytes, 136)
  return bytes
}

/** struct tcp_ao_add. `current`: it signs from now on, and the peer is asked to sign with it. */
export function encodeAoAdd(peer: Address, key: TcpAoKey, current: boolean): Uint8Array {
  const secret = Buffer.from(key.secret)
  const { bytes, view } = structFor(288, peer)
  bytes.write(ALGORITHMS[key.algorithm], STORAGE, 'latin1')
  view.setUint32(196, current ? flags(SET_CURRENT | SET_RNEXT) : 0, LITTLE)
  bytes.set([prefixOf(peer), key.sendId, key.receiveId, MAC_LENGTH, 0, secret.length], 202)
  secret.copy(bytes, 208)
  return bytes
}

/** struct tcp_ao_del */
export function encodeAoDelete(peer: Address, { sendId, receiveId }: TcpAoKey): Uint8Array {
  const { bytes } = structFor(144, peer)
  bytes.set([prefixOf(peer), sendId, receiveId], 138)
  return bytes
}

/** struct tcp_ao_info_opt: signs with the key from now on, and asks the peer to do so. */
export function encodeAoCurrent({ sendId, receiveId }: TcpAoKey): Uint8Array {
  const bytes = Buffer.alloc(48)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint32(0, flags(SET_CURRENT | SET_RNEXT), LITTLE)
  bytes.set([sendId, receiveId], 6)
  return bytes
}

function structFor(length: number, peer: Address): { bytes: Buffer; view: DataView } {
  const bytes = Buffer.alloc(length)
  bytes.set(socketAddress(peer, 0))
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset) }
}

function prefixOf({ family }: Address): number {
  return family === 'ipv4' ? 32 : 128
}

/** Bit fields of C start at the lowest bit on little-endian machines and at the highest on others. */
function flags(bits: number): number {
  if (LITTLE) return bits
  let mirrored = 0
  for (let bit = 0; bit < 32; bit++) if (bits & (1 << bit)) mirrored |= 1 << (31 - bit)
  return mirrored >>> 0
}
