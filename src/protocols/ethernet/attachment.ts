/** One open interface, as it is now: it stays the same one while its name, MAC, addresses and carrier change (IMP-11). */
import { macBytes } from '../../core/ip/index.ts'
import type { Link, NetworkInterface } from '../../ports/index.ts'
import type { Responder } from './claim.ts'
import { ipv4Of, linkLocal } from './eligibility.ts'
import type { Ignored } from './voice.ts'

export class Attachment<L extends Link> implements Responder {
  readonly link: L
  name: string
  mac: Uint8Array
  linkLocal: bigint | undefined
  ipv4: number | undefined
  /** Up and with carrier: what is sent arrives. */
  alive: boolean
  /** Frames not answered since last asked, by reason. */
  #ignored = new Map<string, number>()

  /** Of an interface that has a MAC. */
  constructor(state: NetworkInterface, link: L) {
    this.link = link
    this.name = state.name
    this.mac = macBytes(state.mac!)
    this.linkLocal = linkLocal(state)?.value
    this.ipv4 = ipv4Of(state)
    this.alive = state.carrier
  }

  /** Answers whether its name is another, and whether everybody has to learn it anew: by its MAC, or after it had no carrier. */
  follow(state: NetworkInterface): { readonly isRenamed: boolean; readonly isToBeLearned: boolean } {
    const mac = macBytes(state.mac!)
    const isRenamed = this.name !== state.name
    const isToBeLearned = (state.carrier && !this.alive) || mac.some((byte, at) => byte !== this.mac[at])
    this.name = state.name
    this.mac = mac
    this.linkLocal = linkLocal(state)?.value
    this.ipv4 = ipv4Of(state)
    this.alive = state.carrier
    return { isRenamed, isToBeLearned }
  }

  ignore(reason: string): void {
    this.#ignored.set(reason, (this.#ignored.get(reason) ?? 0) + 1)
  }

  /** What was not answered since the last call; undefined where nothing was. */
  takeIgnored(): Ignored | undefined {
    const dropped = this.link.dropped?.() ?? 0
    if (dropped > 0) this.#ignored.set('receiveBufferFull', dropped)
    if (this.#ignored.size === 0) return undefined
    const reasons = this.#ignored
    this.#ignored = new Map()
    return { interface: this.name, reasons }
  }
}
