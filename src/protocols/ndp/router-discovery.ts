/** Who else on a link says that it is a router, and that we are there: how unnumbered BGP peers meet. */
import type { Mac } from '../../core/ip/index.ts'
import { DecodeError } from '../bytes/index.ts'
import { decodeFrame, ETHERTYPE_IPV6, encodeFrame } from '../ethernet/index.ts'
import { ALL_NODES, groupMac } from './address.ts'
import { decodeRouterPacket, encodeRouterPacket, type RouterPacket } from './router-message.ts'

/** FRR's rhythm: at once, four times after a second, then every ten (chapter 04 section 6.13). */
const FIRST = 5
const FIRST_EVERY_MS = 1000
const EVERY_MS = 10_000
/** Who asks is answered at once, but no more often than this (RFC 4861 section 6.2.6 asks for three seconds). */
const ANSWER_EVERY_MS = 500
/** A router that has not been heard for three of its rounds and some is forgotten. */
const FORGET_MS = 35_000
/** Where another is heard too, the one that stopped has probably come back with another address. */
const REPLACED_MS = 12_000
/** More routers than two are as wrong as two. */
const MOST = 8

/** ff02::2 */
const ALL_ROUTERS = (0xff02n << 112n) | 2n

/** One interface, as it is now. */
export interface Attachment {
  readonly mac: Mac
  /** Its link-local address. */
  readonly address: bigint
}

export class RouterDiscovery {
  readonly #self: Attachment
  readonly #heard = new Map<bigint, number>()
  #sent = 0
  #dueMs: number
  #sentMs = Number.NEGATIVE_INFINITY

  constructor(self: Attachment, nowMs: number) {
    this.#self = self
    this.#dueMs = nowMs
  }

  /** Link-local addresses of the routers heard, ascending. */
  get routers(): bigint[] {
    return [...this.#heard.keys()].sort((a, b) => (a < b ? -1 : 1))
  }

  /** Frames that are due. */
  tick(nowMs: number): Uint8Array[] {
    const limitMs = this.#heard.size > 1 ? REPLACED_MS : FORGET_MS
    for (const [address, heardMs] of this.#heard) if (nowMs - heardMs >= limitMs) this.#heard.delete(address)
    if (nowMs < this.#dueMs) return []
    const isFirst = this.#sent === 0
    this.#sent++
    this.#sentMs = nowMs
    this.#dueMs = nowMs + (this.#sent < FIRST ? FIRST_EVERY_MS : EVERY_MS)
    return [...(isFirst ? [this.#solicitation()] : []), this.#advertisement()]
  }

  /** @throws DecodeError for what RFC 4861 discards */
  receive(frame: Uint8Array, nowMs: number): void {
    const { etherType, payload } = decodeFrame(frame)
    if (etherType !== ETHERTYPE_IPV6) throw new DecodeError('MALFORMED', `type ${etherType}`, 12)
    const { source, message } = decodeRouterPacket(payload)
    if (source === this.#self.address) return
    if (message.kind === 'router solicitation')
      this.#dueMs = Math.min(this.#dueMs, Math.max(nowMs, this.#sentMs + ANSWER_EVERY_MS))
    else if (this.#heard.has(source) || this.#heard.size < MOST) this.#heard.set(source, nowMs)
  }

  #solicitation(): Uint8Array {
    const { mac } = this.#self
    return this.#frame(ALL_ROUTERS, { kind: 'router solicitation', linkLayer: mac })
  }

  /** Its lifetime of 0 keeps hosts from taking this node for a way out. */
  #advertisement(): Uint8Array {
    const { mac } = this.#self
    return this.#frame(ALL_NODES, { kind: 'router advertisement', hopLimit: 64, lifetime: 0, linkLayer: mac })
  }

  #frame(destination: bigint, message: RouterPacket['message']): Uint8Array {
    const { mac, address } = this.#self
    const payload = encodeRouterPacket({ source: address, destination, message })
    return encodeFrame({ destination: groupMac(destination), source: mac, etherType: ETHERTYPE_IPV6, payload })
  }
}
