/** The surroundings of one speaker, for tests: who is a member, what is on the wire, which interfaces exist. */
import { type Address, formatAddress } from '../core/ip/index.ts'
import { Listeners } from '../core/listeners.ts'
import type {
  AddressClaim,
  AddressClaims,
  AnnouncedAddress,
  Interfaces,
  Layer2Responder,
  MemberEvent,
  Membership,
  NetworkInterface,
  Predecessor,
} from '../ports/index.ts'

export class FakeResponder implements Layer2Responder {
  /** `address` or `address eth0,eth1`, and `after node-b` where it is quiet, as of the last update. */
  table: string[] = []
  predecessors: string[] = []
  updates = 0
  /** Set to make updates fail. */
  fail = false

  async update(table: readonly AnnouncedAddress[], predecessors: readonly Predecessor[] = []): Promise<void> {
    this.updates++
    if (this.fail) throw new Error('the responder is gone')
    this.predecessors = predecessors.map(({ node, addresses }) => `${node} ${addresses.map(formatAddress).join(',')}`)
    this.table = table.map(({ address, interfaces, after = [] }) => {
      const names = interfaces === 'all' ? '' : ` ${[...interfaces].sort().join(',')}`
      return `${formatAddress(address)}${names}${after.length > 0 ? ` after ${after.join(',')}` : ''}`
    })
  }
}

export class FakeMembership implements Membership {
  joined = true
  activated = false
  rejoins = 0
  /** What this speaker published last. */
  published: readonly string[] | undefined
  retirements = new Map<string, number>()
  #members: Set<string> | undefined
  readonly #listeners = new Listeners<MemberEvent>()
  #waiting: (() => void)[] = []
  #interfaces = new Map<string, ReadonlySet<string>>()

  readonly #self: string

  constructor(members: string[] | undefined, self = 'node-a') {
    this.#self = self
    this.#members = members && new Set(members)
  }

  members(): ReadonlySet<string> | undefined {
    return this.#members
  }

  retired(): ReadonlyMap<string, number> {
    return this.retirements
  }

  set(...members: string[]): void {
    const gone = [...(this.#members ?? [])].filter(node => !members.includes(node))
    const come = members.filter(node => !this.#members?.has(node))
    this.#members = new Set(members)
    for (const node of gone) this.#listeners.tell({ kind: 'NodeLeave', node, address: '' })
    for (const node of come) this.#listeners.tell({ kind: 'NodeJoin', node, address: '' })
  }

  join(): void {
    this.joined = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async whenJoined(): Promise<void> {
    if (!this.joined) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  rejoin(): void {
    this.rejoins++
  }

  activate(): void {
    this.activated = true
  }

  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#interfaces
  }

  publish(interfaces: readonly string[]): void {
    this.published = interfaces
    this.#interfaces.set(this.#self, new Set(interfaces))
  }

  /** A member publishes interfaces, or nothing any more. */
  setInterfaces(node: string, interfaces: readonly string[] | undefined): void {
    if (interfaces === undefined) this.#interfaces.delete(node)
    else this.#interfaces.set(node, new Set(interfaces))
    this.#listeners.tell({ kind: 'NodeUpdate', node, address: '' })
  }
}

export class FakeInterfaces implements Interfaces {
  #current: NetworkInterface[]
  readonly #listeners = new Listeners()

  constructor(...names: string[]) {
    this.#current = names.map((name, index) => anInterface(name, { index: index + 1 }))
  }

  current(): readonly NetworkInterface[] {
    return this.#current
  }

  set(...interfaces: NetworkInterface[]): void {
    this.#current = interfaces
    this.#listeners.tell()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }
}

export function anInterface(name: string, change: Partial<NetworkInterface> = {}): NetworkInterface {
  const mac = '02:00:00:00:00:01' as NetworkInterface['mac']
  return { index: 1, name, mac, up: true, carrier: true, broadcast: true, noArp: false, addresses: [], ...change }
}

/** What is said on the wire is what the test says. */
export class FakeClaims implements AddressClaims {
  readonly reannounced: string[] = []
  #listener: ((claim: AddressClaim) => void) | undefined

  onClaim(listener: (claim: AddressClaim) => void): () => void {
    this.#listener = listener
    return () => {
      this.#listener = undefined
    }
  }

  reannounce(address: Address): void {
    this.reannounced.push(formatAddress(address))
  }

  hear(claim: AddressClaim): void {
    this.#listener?.(claim)
  }
}
