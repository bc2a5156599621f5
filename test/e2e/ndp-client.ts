// The client of the segment (arp-segment.ts) as it speaks NDP.
import { NdpSocket } from '../../src/adapters/linux/ndp-socket.ts'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { ETHERTYPE_IPV6, encodeFrame, linkLocal } from '../../src/protocols/ethernet/index.ts'
import {
  type Advertisement,
  encodePacket,
  groupMac,
  type NdpMessage,
  readFrame,
  solicitedNode,
  textOf,
} from '../../src/protocols/ndp/index.ts'
import { until } from './arp-segment.ts'

export interface Advertised {
  /** The link-local address it came from. */
  readonly from: string
  readonly mac: Mac
  readonly solicited: boolean
}

export class NdpClient {
  readonly #socket: NdpSocket
  readonly #mac: Mac
  readonly #linkLocal: bigint
  readonly #heard: (Advertised & { readonly target: string })[] = []
  readonly #buffer = new Uint8Array(256)

  private constructor(index: number, mac: Mac, linkLocal: bigint) {
    this.#socket = new NdpSocket(index)
    this.#mac = mac
    this.#linkLocal = linkLocal
  }

  /** Once eth0 has its link-local address. */
  static open(): Promise<NdpClient> {
    return until('the link-local address of the client', () => {
      const reader = new NetlinkReader()
      const eth0 = reader.current().find(({ name }) => name === 'eth0')!
      reader.close()
      const own = linkLocal(eth0)
      return own && new NdpClient(eth0.index, eth0.mac!, own.value)
    })
  }

  ask(text: string): void {
    const target = parseAddress(text)!.value
    const destination = solicitedNode(target)
    const message: NdpMessage = { kind: 'solicitation', target, linkLayer: this.#mac }
    const payload = encodePacket({ source: this.#linkLocal, destination, message })
    const ends = { destination: groupMac(destination), source: this.#mac }
    this.#socket.send(encodeFrame({ ...ends, etherType: ETHERTYPE_IPV6, payload }))
  }

  /** What was said about the address so far. */
  advertised(text: string): readonly Advertised[] {
    for (let length = this.#socket.receive(this.#buffer); length >= 0; length = this.#socket.receive(this.#buffer)) {
      const received = readFrame(this.#buffer.slice(0, length))
      if (received?.packet.message.kind !== 'advertisement') continue
      this.#heard.push(inWords(received.packet.source, received.packet.message))
    }
    return this.#heard.filter(({ target }) => target === text)
  }

  /** Forgets what was heard so far. */
  clear(): void {
    this.advertised('')
    this.#heard.length = 0
  }

  /** Asks again and again until one answers. */
  resolve(text: string): Promise<Advertised> {
    this.clear()
    return until(`an answer for ${text}`, () => {
      this.ask(text)
      return this.advertised(text).find(({ solicited }) => solicited)
    })
  }

  close(): void {
    this.#socket.close()
  }
}

function inWords(source: bigint, { target, linkLayer, solicited }: Advertisement) {
  return { from: textOf(source), mac: linkLayer!, solicited, target: textOf(target) }
}
