/** Routers that advertise themselves on the links of unnumbered peers: when a link is used, looked at, and tried again. */
import type { Address, Mac } from '../../core/ip/index.ts'
import type { Clock, Interfaces, Link, NetworkInterface, OpenRouterLink, Timer } from '../../ports/index.ts'
import { DecodeError } from '../../protocols/bytes/index.ts'
import { RouterDiscovery } from '../../protocols/ndp/index.ts'

const MOST_BYTES = 512

/** Nobody tells when a frame has come: links are looked at so often, until a router is known and after. */
const SEEKING_MS = 50
const WATCHING_MS = 250
/** Frames taken at a time, so that a flood cannot hold up the rest. */
const AT_ONCE = 64
/** What could not be opened is tried again. */
const RETRY_MS = 5000

export interface Routers {
  /**
   * Advertises this node on the interface, and calls when what is known changes; the first time before it returns.
   * The answer ends it.
   */
  watch(interfaceName: string, listener: (known: KnownRouters) => void): () => void
}

export interface KnownRouters {
  /** Link-local addresses of the routers heard lately, ascending. */
  readonly routers: readonly Address[]
  /** Why nobody can be heard: the interface is missing, down or without an address, or may not be used. */
  readonly problem?: string
}

export interface LinkRoutersOptions {
  readonly interfaces: Interfaces
  readonly clock: Clock
  readonly open: OpenRouterLink
}

export class LinkRouters implements Routers {
  readonly #options: LinkRoutersOptions

  constructor(options: LinkRoutersOptions) {
    this.#options = options
  }

  watch(interfaceName: string, listener: (known: KnownRouters) => void): () => void {
    const watch = new Watch(interfaceName, listener, this.#options)
    return () => watch.close()
  }
}

class Watch {
  readonly #name: string
  readonly #listener: (known: KnownRouters) => void
  readonly #options: LinkRoutersOptions
  readonly #frame = new Uint8Array(MOST_BYTES)
  readonly #unsubscribe: () => void
  #attached: { readonly key: string; readonly link: Link; readonly discovery: RouterDiscovery } | undefined
  #problem: string | undefined
  #told: string | undefined
  #timer: Timer | undefined

  constructor(name: string, listener: (known: KnownRouters) => void, options: LinkRoutersOptions) {
    this.#name = name
    this.#listener = listener
    this.#options = options
    this.#unsubscribe = options.interfaces.subscribe(() => this.#attach())
    this.#attach()
  }

  close(): void {
    this.#unsubscribe()
    this.#detach()
  }

  /** The interface came, went or changed. */
  #attach(): void {
    const { interfaces, clock, open } = this.#options
    const found = interfaces.current().find(({ name }) => name === this.#name)
    const self = attachmentOf(found)
    const key = 'problem' in self ? '' : `${self.index} ${self.mac} ${self.address}`
    if (this.#attached !== undefined && this.#attached.key === key) return
    this.#detach()
    if ('problem' in self) this.#problem = `interface ${this.#name} ${self.problem}`
    else {
      try {
        const link = open(self.index)
        this.#attached = { key, link, discovery: new RouterDiscovery(self, clock.monotonic()) }
        this.#problem = undefined
      } catch (error) {
        this.#problem = `interface ${this.#name}: ${(error as Error).message}`
        this.#timer = clock.after(RETRY_MS, () => this.#attach())
      }
    }
    if (this.#attached === undefined) this.#tell()
    else this.#look()
  }

  #detach(): void {
    this.#timer?.cancel()
    this.#attached?.link.close()
    this.#attached = undefined
  }

  #look(): void {
    const { clock } = this.#options
    const { link, discovery } = this.#attached!
    const nowMs = clock.monotonic()
    for (let taken = 0; taken < AT_ONCE; taken++) {
      const length = link.receive(this.#frame)
      if (length < 0) break
      this.#receive(discovery, this.#frame.slice(0, length), nowMs)
    }
    for (const frame of discovery.tick(nowMs)) this.#send(link, frame)
    this.#timer = clock.after(discovery.routers.length === 1 ? WATCHING_MS : SEEKING_MS, () => this.#look())
    this.#tell()
  }

  #receive(discovery: RouterDiscovery, frame: Uint8Array, nowMs: number): void {
    try {
      discovery.receive(frame, nowMs)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error // what RFC 4861 discards is discarded
    }
  }

  /** The link may have gone a moment ago: netlink will say so. */
  #send(link: Link, frame: Uint8Array): void {
    try {
      link.send(frame)
    } catch {
      // the next one is sent in its time
    }
  }

  #tell(): void {
    const routers = this.#attached?.discovery.routers ?? []
    const text = `${routers.join()} ${this.#problem ?? ''}`
    if (text === this.#told) return
    this.#told = text
    const known: Address[] = routers.map(value => ({ family: 'ipv6', value }))
    this.#listener({ routers: known, ...(this.#problem !== undefined && { problem: this.#problem }) })
  }
}

interface Attachable {
  readonly index: number
  readonly mac: Mac
  readonly address: bigint
}

/** An address that duplicate address detection still looks at is not listed: it is waited for. */
function attachmentOf(found: NetworkInterface | undefined): Attachable | { readonly problem: string } {
  if (found === undefined) return { problem: "doesn't exist on this host" }
  const { index, mac, addresses } = found
  if (!found.up || !found.carrier) return { problem: found.up ? 'has no carrier' : 'is down' }
  if (mac === undefined) return { problem: 'is no Ethernet interface' }
  const own = addresses.find(({ address }) => address.family === 'ipv6' && address.value >> 118n === 0x3fan)
  return own ? { index, mac, address: own.address.value } : { problem: 'has no link-local IPv6 address' }
}
