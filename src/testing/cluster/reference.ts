import { type PodResource, pods } from '../../api/kubernetes/index.ts'
import { speakerAddresses } from '../../control/membership/index.ts'
import { formatAddress, parseAddress } from '../../core/ip/index.ts'
import { Listeners } from '../../core/listeners.ts'
import type { Clock, Informer, MemberEvent, Membership, Random, Task, Timer } from '../../ports/index.ts'
import { silent } from '../../ports/index.ts'
import { LAN, Memberlist } from '../../protocols/memberlist/index.ts'
import type { FakeKube } from '../fake-kube.ts'
import type { Network } from './network.ts'
import type { Process } from './process.ts'

export interface ReferenceOptions {
  readonly node: string
  readonly address: string
  readonly port: number
  readonly process: Process
  readonly network: Network
  readonly random: Random
  readonly kube: FakeKube
}

const REJOIN_MS = 60_000
const LEAVE_MS = 1000

/**
 * The membership of a reference speaker (chapter 03 section 4): memberlist with LAN timing and no meta, a join each minute.
 * It sends no heartbeats, publishes no interfaces, and knows nothing of who cannot announce yet or is held.
 */
export class ReferenceMembership implements Membership, Task {
  readonly name = 'memberlist'
  readonly #options: ReferenceOptions
  readonly #pods: Informer<PodResource>
  readonly #listeners = new Listeners<MemberEvent>()
  readonly #whenJoined: Promise<void>
  #resolveJoined = () => {}
  #joined = false
  #list: Memberlist | undefined
  #rejoin: Timer | undefined

  constructor(options: ReferenceOptions) {
    this.#options = options
    this.#pods = options.kube.informer(pods)
    this.#whenJoined = new Promise(resolve => {
      this.#resolveJoined = resolve
    })
  }

  async start(): Promise<void> {
    const { node: name, address, port, process, network, random } = this.#options
    const socket = network.open(process, address, port)
    const streams = network.streams(process, address)
    const own = parseAddress(address)!
    const clock: Clock = process
    this.#list = new Memberlist({
      ...{ name, address: own, port, config: LAN, clock, random, log: silent, socket, connect: streams.connect },
      event: event => this.#listeners.tell(event),
    })
    await streams.listen({ address: own, port }, stream => this.#list?.accept(stream))
    this.#list.start()
    void this.#join()
  }

  async stop(): Promise<void> {
    this.#rejoin?.cancel()
    await this.#list?.leave(LEAVE_MS)
    this.#list?.shutdown()
  }

  ready(): true {
    return true
  }

  members(): ReadonlySet<string> {
    const present = this.#list?.present() ?? []
    return new Set([this.#options.node, ...present.map(({ name }) => name)])
  }

  get joined(): boolean {
    return this.#joined
  }

  whenJoined(): Promise<void> {
    return this.#whenJoined
  }

  subscribe(listener: (event: MemberEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  rejoin(): void {}

  activate(): void {}

  interfaces(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map()
  }

  publish(): void {}

  /** One after the other, each for as long as it takes. */
  async #join(): Promise<void> {
    const { node, port, process } = this.#options
    for (const address of speakerAddresses(this.#pods.list(), node, 'ipv4')) {
      const known = this.#list?.present().some(member => formatAddress(member.address) === address)
      if (!known) await this.#list?.join(parseAddress(address)!, port).catch(() => {})
    }
    this.#joined = true
    this.#resolveJoined()
    this.#rejoin = process.after(REJOIN_MS, () => void this.#join())
  }
}
