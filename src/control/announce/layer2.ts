import type { Config } from '../../core/config/index.ts'
import { type Address, compareAddresses, formatAddress } from '../../core/ip/index.ts'
import { Listeners } from '../../core/listeners.ts'
import {
  type Announcement,
  announceOn,
  Layer2Planner,
  type LocalInterface,
  liveAddresses,
  namedInterfaces,
  presentInterfaces,
  type World,
} from '../../core/plan/index.ts'
import type { AnnouncedAddress, Interfaces, Layer2Responder, Membership, NetworkInterface } from '../../ports/index.ts'
import { arpIneligible } from '../../protocols/ethernet/index.ts'
import type { AnnouncePlanner, AnnounceProtocol } from './protocol.ts'
import type { Takeovers } from './takeovers.ts'

export interface Layer2Options {
  readonly node: string
  readonly responder: Layer2Responder
  readonly interfaces: Interfaces
  /** Interfaces that are never announced on (`excludel2.yaml`). Default none. */
  readonly excludes?: (name: string) => boolean
  /** Is told which interfaces can be used here, of those that advertisements select (IMP-25). */
  readonly membership?: Pick<Membership, 'publish'>
  /** Keeps takeovers quiet while the former node forwards. Without it every takeover is told at once. */
  readonly takeovers?: Takeovers
}

/** Layer 2: the table of the responder follows the Services; one address may serve several of them. */
export class Layer2Protocol implements AnnounceProtocol {
  readonly name = 'layer2'
  readonly #options: Layer2Options
  readonly #announced = new Map<string, Announcement>()
  readonly #listeners = new Listeners<string>()
  /** Interfaces that advertisements select, here or elsewhere. */
  #named: readonly string[] = []
  #dirty = false
  #left: Promise<void> | undefined

  constructor(options: Layer2Options) {
    this.#options = options
  }

  prepare({ l2Advertisements }: Config): void {
    this.#named = namedInterfaces(l2Advertisements)
    this.#publish()
  }

  planner(world: World): AnnouncePlanner {
    const planner = new Layer2Planner(world)
    const local = this.#local()
    const { node, takeovers } = this.#options
    const review = takeovers?.review(world)
    return {
      shouldAnnounce: admitted => {
        const decision = planner.decide(admitted, node)
        const { addresses, pool, service } = admitted
        if (!decision.announces) {
          review?.refuses(service.key)
          return decision
        }
        if (review?.announces(admitted, !this.#announced.has(service.key))) this.#dirty = true
        return { pool: pool.name, addresses: announceOn(addresses, decision.interfaces, local, node) }
      },
    }
  }

  setBalancer(service: string, announcement: Announcement): void {
    this.#announced.set(service, announcement)
    this.#dirty = true
    this.#listeners.tell(service)
  }

  deleteBalancer(service: string): void {
    this.#options.takeovers?.forget(service)
    if (!this.#announced.delete(service)) return
    this.#dirty = true
    this.#listeners.tell(service)
  }

  async commit(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    try {
      const { responder, takeovers } = this.#options
      await responder.update(this.#table(), takeovers?.predecessors())
      takeovers?.report()
    } catch (error) {
      this.#dirty = true
      throw error
    }
  }

  /** Tells when interfaces came, went or changed their state, and some announcement may depend on them; and when quiet is over. */
  subscribe(listener: () => void): () => void {
    let known = JSON.stringify(this.#local())
    const unsubscribe = this.#options.takeovers?.subscribe(listener)
    const unfollow = this.#options.interfaces.subscribe(() => {
      const now = JSON.stringify(this.#local())
      if (now === known) return
      known = now
      this.#publish() // others need not wait for this node to decide
      listener()
      for (const [service, announcement] of this.#announced)
        if (announcement.addresses.some(({ interfaces }) => interfaces !== 'all')) this.#listeners.tell(service)
    })
    return () => {
      unfollow()
      unsubscribe?.()
    }
  }

  /** Announced until now, and until a successor has it: the others may be told that this speaker leaves. */
  async leave(): Promise<void> {
    const { over } = (await this.#options.responder.leave?.()) ?? {}
    this.#left = over
  }

  async stop(): Promise<void> {
    await this.#left
    this.#announced.clear()
    await this.#options.responder.update([])
  }

  /** Interfaces the Service is announced on, names sorted; undefined where it is not announced. */
  announcedOn(service: string): readonly string[] | 'all' | undefined {
    const [first] = liveAddresses(this.#announced.get(service))
    if (first === undefined) return undefined
    return first.interfaces === 'all' ? 'all' : presentInterfaces(first.interfaces, this.#local())
  }

  /** Addresses the Service is announced with. */
  addressesOf(service: string): Address[] {
    return liveAddresses(this.#announced.get(service)).map(({ address }) => address)
  }

  /** Called with each Service announced now, and with each whose announcement changes later. */
  onChange(listener: (service: string) => void): () => void {
    for (const service of this.#announced.keys()) listener(service)
    return this.#listeners.add(listener)
  }

  /** One row an address, with the interfaces of every Service that holds it. */
  #table(): AnnouncedAddress[] {
    const rows = new Map<string, AnnouncedAddress>()
    for (const [service, announcement] of this.#announced) {
      const after = this.#options.takeovers?.after(service) ?? []
      for (const { address, interfaces } of liveAddresses(announcement)) {
        const text = formatAddress(address)
        rows.set(text, merge({ address, interfaces, after }, rows.get(text)))
      }
    }
    return [...rows.values()].sort((a, b) => compareAddresses(a.address, b.address))
  }

  #publish(): void {
    const usable = new Set(this.#local().flatMap(({ name, usable }) => (usable ? name : [])))
    this.#options.membership?.publish(this.#named.filter(name => usable.has(name)))
  }

  #local(): LocalInterface[] {
    const { interfaces, excludes = () => false } = this.#options
    return interfaces
      .current()
      .filter(({ name }) => !excludes(name))
      .map(one => ({ name: one.name, usable: isUsable(one) }))
  }
}

/** What the responder answers on, and with a link that carries packets. */
function isUsable(link: NetworkInterface): boolean {
  return link.carrier && arpIneligible(link, () => false) === undefined
}

/** Answered on the interfaces of both, and quiet where both are. */
function merge(row: AnnouncedAddress, other: AnnouncedAddress | undefined): AnnouncedAddress {
  if (other === undefined) return row
  const all = row.interfaces === 'all' || other.interfaces === 'all'
  return {
    address: row.address,
    interfaces: all ? 'all' : new Set([...row.interfaces, ...other.interfaces]),
    after: (row.after ?? []).filter(node => other.after?.includes(node)),
  }
}
