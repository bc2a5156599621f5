/**
 * Echo packets on one link (RFC 5881 sections 4 and 5): addressed to ourselves but handed to the neighbor's MAC, so that its
 * forwarding plane sends them back. Both ways past our own IP layer, which would not let them out and drops what comes
 * back as forged. IPv4 only.
 */
import { readFileSync } from 'node:fs'
import { type Address, addressBytes, formatAddress, type Mac, parseMac, sameAddress } from '../../core/ip/index.ts'
import type { LivenessTarget, NetworkInterface } from '../../ports/index.ts'
import { internetChecksum } from '../../protocols/bytes/index.ts'
import { encodeFrame } from '../../protocols/ethernet/index.ts'
import { type Instruction, PACKET_TYPE, PacketSocket } from './packet-socket.ts'

const ETHERTYPE_IPV4 = 0x0800
const UDP = 17
const ECHO_PORT = 3785
const SOURCE_PORT = 49152
const ETHERNET_HEADER = 14
const IP_HEADER = 20
const UDP_HEADER = 8
const TTL = 255

/** Whole UDP datagrams for this host to the echo port. */
const ECHO_PACKETS: readonly Instruction[] = [
  PACKET_TYPE,
  [0x15, 0, 8, 0],
  [0x30, 0, 0, ETHERNET_HEADER + 9], // protocol
  [0x15, 0, 6, UDP],
  [0x28, 0, 0, ETHERNET_HEADER + 6], // fragment offset
  [0x45, 4, 0, 0x1fff],
  [0xb1, 0, 0, ETHERNET_HEADER], // ldx: length of the header
  [0x48, 0, 0, ETHERNET_HEADER + 2], // destination port
  [0x15, 0, 1, ECHO_PORT],
  [0x06, 0, 0, 256],
  [0x06, 0, 0, 0],
]

/** The interface with a subnet that holds the peer, and our address in it. */
export interface EchoPath {
  readonly index: number
  readonly mac: Mac
  readonly local: Address
}

/** Where our address is known it names the interface: the device may be a VRF, which has no addresses of its own. */
export function echoPath(
  interfaces: readonly NetworkInterface[],
  { peer, local, interface: device }: LivenessTarget,
): EchoPath | undefined {
  for (const { name, index, mac, addresses } of interfaces) {
    const isMeant = local === undefined ? device === undefined || name === device : has(addresses, local)
    if (mac === undefined || !isMeant) continue
    const found = addresses.find(({ address, length }) => sameSubnet(address, peer, length))
    if (found !== undefined) return { index, mac, local: found.address }
  }
  return undefined
}

function has(addresses: NetworkInterface['addresses'], wanted: Address): boolean {
  return addresses.some(({ address }) => sameAddress(address, wanted))
}

function sameSubnet(address: Address, peer: Address, length: number): boolean {
  const shift = BigInt(32 - length)
  return peer.family === 'ipv4' && address.family === 'ipv4' && address.value >> shift === peer.value >> shift
}

export class BfdEchoSocket {
  readonly #path: EchoPath
  readonly #socket: PacketSocket
  readonly #buffer = new Uint8Array(256)

  /** @throws SystemError */
  constructor(path: EchoPath) {
    this.#path = path
    this.#socket = new PacketSocket(path.index, ETHERTYPE_IPV4, ECHO_PACKETS)
  }

  get fd(): number {
    return this.#socket.fd
  }

  /** @throws SystemError */
  send(echo: Uint8Array, neighbor: Mac): void {
    const payload = ipv4Packet(this.#path.local, echo)
    const destination = neighbor
    this.#socket.send(encodeFrame({ destination, source: this.#path.mac, etherType: ETHERTYPE_IPV4, payload }))
  }

  /** What came back next, valid until the next call. */
  receive(): Uint8Array | undefined {
    const length = this.#socket.receive(this.#buffer)
    if (length < 0) return undefined
    const header = (this.#buffer[ETHERNET_HEADER]! & 0x0f) * 4
    return this.#buffer.subarray(ETHERNET_HEADER + header + UDP_HEADER, length)
  }

  close(): void {
    this.#socket.close()
  }
}

function ipv4Packet(self: Address, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IP_HEADER + UDP_HEADER + data.length)
  const view = new DataView(bytes.buffer)
  const address = addressBytes(self)
  view.setUint8(0, 0x45)
  view.setUint8(1, 0xc0) // CS6
  view.setUint16(2, bytes.length)
  view.setUint8(8, TTL)
  view.setUint8(9, UDP)
  bytes.set(address, 12)
  bytes.set(address, 16)
  view.setUint16(10, internetChecksum(bytes.subarray(0, IP_HEADER)))
  view.setUint16(IP_HEADER, SOURCE_PORT)
  view.setUint16(IP_HEADER + 2, ECHO_PORT)
  view.setUint16(IP_HEADER + 4, UDP_HEADER + data.length) // and no checksum, as IPv4 allows
  bytes.set(data, IP_HEADER + UDP_HEADER)
  return bytes
}

/** As the kernel resolved it: control packets go to the same neighbor, so the entry stays fresh. */
export function neighborMac(peer: Address): Mac | undefined {
  const text = formatAddress(peer)
  const line = readFileSync('/proc/thread-self/net/arp', 'utf8')
    .split('\n')
    .map(row => row.trim().split(/\s+/))
    .find(([address, , flags]) => address === text && flags !== '0x0')
  return line === undefined ? undefined : parseMac(line[3] ?? '')
}

/** Whether this host sends on what is addressed to others, so that the peer's echo packets find back. */
export function forwards(device: string | undefined): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv4/conf/${device ?? 'all'}/forwarding`, 'utf8').trim() === '1'
  } catch {
    return false
  }
}
