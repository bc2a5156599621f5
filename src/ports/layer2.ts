/** The part that answers ARP and NDP; it runs apart from the control plane, which only hands it the wanted table. */
import type { Address, Mac } from '../core/ip/index.ts'

export interface AnnouncedAddress {
  readonly address: Address
  /** Names of the interfaces to answer on, or every usable one. */
  readonly interfaces: ReadonlySet<string> | 'all'
  /**
   * Names of predecessors, the last one to stop first: it hands the address over, and nobody is told that this node has it
   * while each of them is seen to forward.
   */
  readonly after?: readonly string[]
}

/** A node that had addresses before. Its speaker has stopped; its kernel may go on forwarding, and answers for itself. */
export interface Predecessor {
  readonly node: string
  /** Addresses of its own. */
  readonly addresses: readonly Address[]
}

export interface Layer2Responder {
  /**
   * Replaces the whole table. Addresses that are new, or gained an interface, are announced by gratuitous packets, or
   * once their predecessors do not forward; addresses that are gone are no longer answered once the promise resolves.
   */
  update(table: readonly AnnouncedAddress[], predecessors?: readonly Predecessor[]): Promise<void>
  /**
   * This speaker stops. Resolves when addresses are handed over to whoever asks for them, so that others may be told that
   * it leaves; `over` resolves when each has a successor, at latest after a second. Those without are still answered.
   */
  leave?(): Promise<{ readonly over: Promise<void> }>
}

/** Another host said, on an interface where this node announces the address, that it is its own. */
export interface AddressClaim {
  readonly ip: string
  readonly mac: Mac
  readonly interface: string
  /** How often since it was last told of. */
  readonly count: number
}

export interface AddressClaims {
  /** Called at most once a second for an address and a MAC; the answer ends the subscription. */
  onClaim(listener: (claim: AddressClaim) => void): () => void
  /** Announces one address of the table again. */
  reannounce(address: Address): void
}

/** A network interface as the kernel tells it. */
export interface NetworkInterface {
  readonly index: number
  readonly name: string
  readonly mac?: Mac
  /** IFF_UP: administratively up. */
  readonly up: boolean
  /** IFF_LOWER_UP: the link has carrier. */
  readonly carrier: boolean
  readonly broadcast: boolean
  readonly noArp: boolean
  /** Index of the bridge, bond or VRF it belongs to. */
  readonly master?: number
  readonly addresses: readonly { readonly address: Address; readonly length: number }[]
}

export interface Interfaces {
  current(): readonly NetworkInterface[]
  /** Called after links or addresses changed. */
  subscribe(listener: () => void): () => void
}
