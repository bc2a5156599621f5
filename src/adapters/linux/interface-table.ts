import { type Address, sameAddress } from '../../core/ip/index.ts'
import type { NetworkInterface } from '../../ports/index.ts'
import type { LinkRecord, NetlinkMessage } from './netlink-message.ts'

type Assigned = { readonly address: Address; readonly length: number }

/** Links and their addresses, built from netlink messages. Addresses of a link not heard of yet are kept. */
export class InterfaceTable {
  readonly #links = new Map<number, LinkRecord>()
  readonly #addresses = new Map<number, Assigned[]>()

  apply(message: NetlinkMessage): void {
    switch (message.kind) {
      case 'link':
        this.#links.set(message.link.index, message.link)
        break
      case 'link gone':
        this.#links.delete(message.index)
        this.#addresses.delete(message.index)
        break
      case 'address': {
        const { index, address, length } = message
        const assigned = this.#addresses.get(index) ?? []
        // One told of again, e.g. with other lifetimes, keeps its place: the first of a kind is the one we speak from.
        if (!assigned.some(other => same(other, message)))
          this.#addresses.set(index, [...assigned, { address, length }])
        break
      }
      case 'address gone':
        this.#addresses.set(message.index, this.#without(message))
    }
  }

  /** By index. */
  list(): NetworkInterface[] {
    const links = [...this.#links.values()].sort((a, b) => a.index - b.index)
    return links.map(link => ({ ...link, addresses: this.#addresses.get(link.index) ?? [] }))
  }

  #without(gone: { index: number } & Assigned): Assigned[] {
    return (this.#addresses.get(gone.index) ?? []).filter(other => !same(other, gone))
  }
}

function same(a: Assigned, b: Assigned): boolean {
  return a.length === b.length && sameAddress(a.address, b.address)
}
