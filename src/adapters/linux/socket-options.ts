/** Socket options of TCP and UDP that Node does not offer: ip(7), ipv6(7), tcp(7), socket(7). */
import { endianness } from 'node:os'
import { type Address, addressBytes, type Family } from '../../core/ip/index.ts'
import type { StreamTraits } from '../../ports/index.ts'
import { AF_INET, AF_INET6, setsockopt } from './ffi.ts'

const SOL_SOCKET = 1
const SO_BINDTODEVICE = 25
const IPPROTO_TCP = 6
const TCP_USER_TIMEOUT = 18

interface Names {
  readonly level: number
  readonly trafficClass: number
  readonly ttl: number
  readonly minTtl: number
}
const NAMES: Readonly<Record<Family, Names>> = {
  ipv4: { level: 0, trafficClass: 1, ttl: 2, minTtl: 21 },
  ipv6: { level: 41, trafficClass: 67, ttl: 16, minTtl: 73 },
}

export function domainOf(family: Family): number {
  return family === 'ipv4' ? AF_INET : AF_INET6
}

/** @throws SystemError ENODEV where the device is absent */
export function applyTraits(fd: number, family: Family, traits: StreamTraits): void {
  const { device, ttl, minTtl, trafficClass, userTimeoutMs } = traits
  const names = NAMES[family]
  if (device !== undefined) setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`))
  if (ttl !== undefined) setsockopt(fd, names.level, names.ttl, int32(ttl))
  if (minTtl !== undefined) setsockopt(fd, names.level, names.minTtl, int32(minTtl))
  if (trafficClass !== undefined) setsockopt(fd, names.level, names.trafficClass, int32(trafficClass))
  if (userTimeoutMs !== undefined) setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, int32(userTimeoutMs))
}

/** struct sockaddr_in or sockaddr_in6. `scope` is the index of the interface of a link-local address. */
export function socketAddress({ family, value }: Address, port: number, scope = 0): Buffer {
  const address = Buffer.alloc(family === 'ipv4' ? 16 : 28)
  const view = new DataView(address.buffer, address.byteOffset)
  view.setUint16(0, domainOf(family), endianness() === 'LE')
  address.writeUInt16BE(port, 2)
  address.set(addressBytes({ family, value }), family === 'ipv4' ? 4 : 8)
  if (family === 'ipv6') view.setUint32(24, scope, endianness() === 'LE')
  return address
}

/** What a new socket has. */
const DEFAULTS = { ttl: -1, minTtl: 0, trafficClass: 0, userTimeoutMs: 0 }

/** Of a socket that may have had other traits before: what is absent becomes the system's own again. @throws SystemError */
export function changeTraits(fd: number, family: Family, traits: Omit<StreamTraits, 'device'>): void {
  const { ttl, minTtl, trafficClass, userTimeoutMs } = { ...DEFAULTS, ...traits }
  applyTraits(fd, family, { ttl, minTtl, trafficClass, userTimeoutMs })
}

export function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer)
}
