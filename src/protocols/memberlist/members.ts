import { formatAddress } from '../../core/ip/index.ts'
import type { Clock, Logger, MemberEvent } from '../../ports/index.ts'
import { healthAfter, type SuspicionBounds, suspicionBounds } from './arithmetic.ts'
import type { MemberlistConfig, ProbeTiming } from './config.ts'
import { addressOf, isGone, type Member, sameBytes, textOf } from './member.ts'
import type { Alive, Dead, Message, NodeState, Suspect } from './message/index.ts'
import { Suspicion } from './suspicion.ts'

export interface MembersOptions {
  /** Own name. */
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  readonly config: MemberlistConfig
  /** Stands for port 0. */
  readonly port: number
  /** How this member is to be probed and suspected. */
  readonly timingOf: (member: Member) => ProbeTiming
  readonly acceptsName: (name: string) => boolean
  readonly broadcast: (subject: string, message: Message, finished?: () => void) => void
  readonly event: (kind: MemberEvent['kind'], member: Member) => void
}

/** Records kept at most; unknown nodes beyond are not believed. */
export const MAX_MEMBERS = 4096
const MAX_META = 512
const MAX_INCARNATION = 0xffffffff

/** Who is there: applies news about nodes as section 4.9 of chapter 03 says, and refutes what is said wrongly of this one. */
export class Members {
  readonly #options: MembersOptions
  readonly #records = new Map<string, Member>()
  readonly #suspicions = new Map<string, Suspicion>()
  #incarnation = 0
  #leaving = false
  #health = 0

  constructor(options: MembersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#records.size
  }

  /** 0 is well; each point slows the probes of this node by one interval (Lifeguard's awareness). */
  get health(): number {
    return this.#health
  }

  get self(): Member {
    return this.#records.get(this.#options.name)!
  }

  get(name: string): Member | undefined {
    return this.#records.get(name)
  }

  all(): Member[] {
    return [...this.#records.values()]
  }

  changeHealth(by: number): void {
    this.#health = healthAfter(this.#health, by, this.#options.config.awarenessMaxMultiplier)
  }

  /** This node says (again) that it lives, with these properties. */
  announce({ addr, port, meta, vsn }: Pick<Alive, 'addr' | 'port' | 'meta' | 'vsn'>): void {
    const { name } = this.#options
    const incarnation = ++this.#incarnation
    this.alive({ kind: 'alive', incarnation, node: name, addr, port, vsn, ...(meta && { meta }) }, true)
  }

  /** Others are told; `finished` is called when that was said often enough. */
  leave(finished: () => void): void {
    const { name } = this.#options
    this.#leaving = true
    const incarnation = this.self.incarnation
    this.dead({ kind: 'dead', incarnation, node: name, from: name }, finished)
  }

  alive(news: Alive, own = false): void {
    const { name, port: defaultPort } = this.#options
    const isSelf = news.node === name
    if (isSelf && this.#leaving) return
    if (!this.#isPlausible(news)) return
    const address = addressOf(news.addr)!
    const port = news.port || defaultPort
    let known = this.#records.get(news.node)
    let moves = false
    if (known === undefined) {
      if (this.#records.size >= MAX_MEMBERS) return this.#warn(`Too many nodes, ignoring ${news.node}`)
      known = { ...this.#record(news, address, port), incarnation: 0, state: 'dead' }
      this.#records.set(known.name, known)
    } else if (
      known.address.value !== address.value ||
      known.address.family !== address.family ||
      known.port !== port
    ) {
      // A dead node keeps its address until it is forgotten: DeadNodeReclaimTime is 0.
      if (known.state !== 'left') {
        const theirs = `Mine: ${formatAddress(known.address)}:${known.port} Theirs: ${formatAddress(address)}:${port}`
        return this.#options.log.error({
          msg: `memberlist: Conflicting address for ${news.node}. ${theirs} Old state: ${known.state}`,
        })
      }
      moves = true
    }
    if (isSelf ? news.incarnation < known.incarnation : news.incarnation <= known.incarnation && !moves) return
    this.#endSuspicion(news.node)
    if (isSelf && !own) {
      const same = sameBytes(news.meta ?? EMPTY, known.meta) && sameBytes(news.vsn, known.vsn)
      if (news.incarnation === known.incarnation && same) return
      this.#warn(`Refuting an alive message for '${name}' (${formatAddress(address)}:${port})`)
      return this.#refute(news.incarnation)
    }
    this.#options.broadcast(news.node, news)
    const next = this.#record(news, address, port)
    const keep = known.address.value === address.value ? { addr: known.addr } : {}
    const sinceMs = known.state === 'alive' ? known.sinceMs : next.sinceMs
    const vsn = news.vsn.length >= 6 ? news.vsn : known.vsn
    this.#records.set(news.node, { ...next, ...keep, vsn, sinceMs })
    if (isGone(known)) this.#tell('NodeJoin', news.node)
    else if (!sameBytes(known.meta, next.meta)) this.#tell('NodeUpdate', news.node)
  }

  suspect(news: Suspect): void {
    const known = this.#records.get(news.node)
    if (known === undefined || news.incarnation < known.incarnation) return
    const running = this.#suspicions.get(news.node)
    if (running !== undefined) {
      if (running.confirm(news.from)) this.#options.broadcast(news.node, news)
      return
    }
    if (known.state !== 'alive') return
    if (news.node === this.#options.name) {
      this.#warn(`Refuting a suspect message (from: ${news.from})`)
      return this.#refute(news.incarnation)
    }
    this.#options.broadcast(news.node, news)
    this.#become(known, 'suspect', news.incarnation)
    this.#startSuspicion(this.#records.get(news.node)!, news.from)
  }

  dead(news: Dead, finished?: () => void): void {
    const known = this.#records.get(news.node)
    if (known === undefined || news.incarnation < known.incarnation) return
    this.#endSuspicion(news.node)
    if (isGone(known)) return
    if (news.node === this.#options.name && !this.#leaving) {
      this.#warn(`Refuting a dead message (from: ${news.from})`)
      return this.#refute(news.incarnation)
    }
    this.#options.broadcast(news.node, news, finished)
    this.#become(known, news.node === news.from ? 'left' : 'dead', news.incarnation)
    this.#tell('NodeLeave', news.node)
  }

  /** What another node holds. Its dead are only suspects here: they may refute. */
  merge(remote: readonly NodeState[]): void {
    for (const { name, state, addr, port, incarnation, meta, vsn } of remote) {
      const { name: self } = this.#options
      if (state === 'alive')
        this.alive({ kind: 'alive', incarnation, node: name, addr, port, vsn, ...(meta && { meta }) })
      else if (state === 'left') this.dead({ kind: 'dead', incarnation, node: name, from: name })
      else this.suspect({ kind: 'suspect', incarnation, node: name, from: self })
    }
  }

  /** Forgets nodes that are gone for longer than others are told about. */
  reap(): void {
    const { clock, config } = this.#options
    const before = clock.monotonic() - config.gossipToTheDeadMs
    for (const [name, member] of this.#records)
      if (isGone(member) && member.sinceMs < before && name !== this.#options.name) this.#records.delete(name)
  }

  state(): NodeState[] {
    return this.all().map(({ name, addr, port, incarnation, meta, state, vsn }) => ({
      ...{ name, addr, port, incarnation, state, vsn },
      ...(meta.length > 0 ? { meta } : {}),
    }))
  }

  stop(): void {
    for (const suspicion of this.#suspicions.values()) suspicion.cancel()
    this.#suspicions.clear()
  }

  #isPlausible({ node, addr, meta, vsn }: Alive): boolean {
    const [lowest = 0, highest = 0] = vsn
    if (!this.#options.acceptsName(node) || addressOf(addr) === undefined || (meta?.length ?? 0) > MAX_META)
      return false
    if (vsn.length === 0 || (vsn.length >= 6 && lowest > 0 && highest > 0 && lowest <= highest)) return true
    this.#warn(`Ignoring an alive message for '${node}' because protocol version(s) are wrong: [${vsn.join(' ')}]`)
    return false
  }

  #record({ node, addr, incarnation, meta = EMPTY, vsn }: Alive, address: Member['address'], port: number): Member {
    const sinceMs = this.#options.clock.monotonic()
    return { name: node, address, addr, port, incarnation, meta, vsn, state: 'alive', sinceMs }
  }

  #become(member: Member, state: Member['state'], incarnation: number): void {
    const sinceMs = this.#options.clock.monotonic()
    this.#records.set(member.name, { ...member, state, incarnation, sinceMs })
  }

  #startSuspicion(member: Member, from: string): void {
    const { clock, name: self } = this.#options
    const since = member.sinceMs
    const fire = (confirmations: number) => {
      const current = this.#records.get(member.name)
      if (current?.state !== 'suspect' || current.sinceMs !== since) return
      this.#options.log.info({
        msg: `memberlist: Marking ${member.name} as failed, suspect timeout reached (${confirmations} peer confirmations)`,
      })
      this.dead({ kind: 'dead', incarnation: current.incarnation, node: member.name, from: self })
    }
    this.#suspicions.set(member.name, new Suspicion(clock, this.#boundsFor(member), from, fire))
  }

  #boundsFor(member: Member): SuspicionBounds {
    const { config, timingOf } = this.#options
    return suspicionBounds(timingOf(member), config.suspicionMaxTimeoutMult, this.#records.size)
  }

  #endSuspicion(name: string): void {
    this.#suspicions.get(name)?.cancel()
    this.#suspicions.delete(name)
  }

  #refute(accused: number): void {
    const { self } = this
    this.#incarnation = Math.min(Math.max(this.#incarnation + 1, accused + 1), MAX_INCARNATION)
    this.changeHealth(1)
    const next = { ...self, incarnation: this.#incarnation }
    this.#records.set(self.name, next)
    const { name: node, addr, port, meta, vsn, incarnation } = next
    this.#options.broadcast(node, {
      kind: 'alive',
      node,
      addr,
      port,
      vsn,
      incarnation,
      ...(meta.length > 0 && { meta }),
    })
  }

  #tell(kind: MemberEvent['kind'], name: string): void {
    const member = this.#records.get(name)!
    const what = { NodeJoin: 'joined', NodeLeave: 'is gone', NodeUpdate: 'changed' }[kind]
    this.#options.log.debug({ msg: `memberlist: ${textOf(member)} ${what}` })
    this.#options.event(kind, member)
  }

  #warn(msg: string): void {
    this.#options.log.warn({ msg: `memberlist: ${msg}` })
  }
}

const EMPTY = new Uint8Array()
