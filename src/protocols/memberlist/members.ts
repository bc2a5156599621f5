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
  readonly hears: (name: string) => boolean
  readonly broadcast: (subject: string, message: Message, finished?: () => void) => void
  readonly event: (kind: MemberEvent['kind'], member: Member) => void
  /** A record is another, also where that is no event, as with a suspicion. */
  readonly changed?: () => void
}

/** Records kept at most; unknown nodes beyond are not believed. */
export const MAX_MEMBERS = 4096
const MAX_META = 512
const MAX_INCARNATION = 0xffffffff

/** Who is there: applies news about nodes as section 4.9 of chapter 03 says, and refutes what is said wrongly of this one. */
export class Members {
  readonly #options: MembersOptions
  readonly #records = new Map<string, Member>()
  #version = 0
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

  /** Another number whenever a record is another. */
  get version(): number {
    return this.#version
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
    const isSelf = news.node === this.#options.name
    if ((isSelf && this.#leaving) || !this.#isPlausible(news)) return
    const next = this.#record(news)
    const known = this.#records.get(news.node) ?? this.#unknown(next)
    if (known === undefined) return
    const moves = !isAt(known, next)
    // A dead node keeps its address until it is forgotten: DeadNodeReclaimTime is 0.
    if (moves && known.state !== 'left') this.#conflict(known, next)
    else if (isSelf ? next.incarnation < known.incarnation : next.incarnation <= known.incarnation && !moves) return
    else if (isSelf && !own) this.#refuteAlive(known, next)
    else this.#accept(known, next, news)
  }

  suspect(news: Suspect): void {
    const known = this.#records.get(news.node)
    if (known === undefined || this.#isOld(news, known)) return
    const running = this.#suspicions.get(news.node)
    if (running?.confirm(news.from)) this.#options.broadcast(news.node, news)
    if (running !== undefined || known.state !== 'alive') return
    if (news.node === this.#options.name) {
      this.#refute(news.incarnation, `Refuting a suspect message (from: ${news.from})`)
      return
    }
    this.#options.broadcast(news.node, news)
    this.#become(known, 'suspect', news.incarnation)
    this.#startSuspicion(this.#records.get(news.node)!, news.from)
  }

  dead(news: Dead, finished?: () => void): void {
    const known = this.#records.get(news.node)
    if (known === undefined || this.#isOld(news, known)) return
    // Whoever says so did not reach it, as after a partition; it is heard here, and refutes. A leave it says itself.
    if (news.node !== news.from && !isGone(known) && this.#options.hears(news.node)) {
      this.suspect({ ...news, kind: 'suspect' })
      return
    }
    this.#endSuspicion(news.node)
    if (isGone(known)) return
    if (news.node === this.#options.name && !this.#leaving) {
      this.#refute(news.incarnation, `Refuting a dead message (from: ${news.from})`)
      return
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
      if (isGone(member) && member.sinceMs < before && name !== this.#options.name) this.#forget(name)
  }

  state(): NodeState[] {
    return this.all().map(({ name, addr, port, incarnation, meta, state, vsn }) => ({
      ...{ name, addr, port, incarnation, state, vsn },
      ...(meta.length > 0 ? { meta } : {}),
    }))
  }

  #keep(member: Member): void {
    this.#version++
    this.#records.set(member.name, member)
    this.#options.changed?.()
  }

  #forget(name: string): void {
    this.#version++
    this.#records.delete(name)
    this.#options.changed?.()
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
    const wrong = `protocol version(s) are wrong: [${vsn.join(' ')}]`
    this.#options.log.warn({ msg: `memberlist: Ignoring an alive message for '${node}' because ${wrong}` })
    return false
  }

  #record({ node: name, addr, port, incarnation, meta = EMPTY, vsn }: Alive): Member {
    const where = { address: addressOf(addr)!, addr, port: port || this.#options.port }
    return { name, ...where, incarnation, meta, vsn, state: 'alive', sinceMs: this.#options.clock.monotonic() }
  }

  /** A node never heard of is held for dead until the news is applied; undefined where there is no room. */
  #unknown(next: Member): Member | undefined {
    if (this.#records.size < MAX_MEMBERS) return { ...next, incarnation: 0, state: 'dead' }
    this.#options.log.warn({ msg: `memberlist: Too many nodes, ignoring ${next.name}` })
    return undefined
  }

  #conflict(known: Member, next: Member): void {
    const theirs = `Mine: ${placeOf(known)} Theirs: ${placeOf(next)} Old state: ${known.state}`
    this.#options.log.error({ msg: `memberlist: Conflicting address for ${known.name}. ${theirs}` })
  }

  /** Somebody repeats what this node said in an earlier life, or never said. */
  #refuteAlive(known: Member, next: Member): void {
    const same = sameBytes(next.meta, known.meta) && sameBytes(next.vsn, known.vsn)
    if (next.incarnation === known.incarnation && same) return
    this.#refute(next.incarnation, `Refuting an alive message for '${next.name}' (${placeOf(next)})`)
  }

  #accept(known: Member, next: Member, news: Alive): void {
    this.#endSuspicion(next.name)
    this.#options.broadcast(next.name, news)
    const addr = isAt(known, next) ? known.addr : next.addr
    const sinceMs = known.state === 'alive' ? known.sinceMs : next.sinceMs
    const vsn = next.vsn.length === 0 ? known.vsn : next.vsn
    this.#keep({ ...next, addr, vsn, sinceMs })
    if (isGone(known)) this.#tell('NodeJoin', next.name)
    else if (!sameBytes(known.meta, next.meta)) this.#tell('NodeUpdate', next.name)
  }

  #become(member: Member, state: Member['state'], incarnation: number): void {
    const sinceMs = this.#options.clock.monotonic()
    this.#keep({ ...member, state, incarnation, sinceMs })
  }

  #startSuspicion(member: Member, from: string): void {
    const { clock, name: self, hears } = this.#options
    const since = member.sinceMs
    const fire = (confirmations: number) => {
      const current = this.#records.get(member.name)
      if (current?.state !== 'suspect' || current.sinceMs !== since) return
      if (hears(member.name)) return this.#startSuspicion(current, from) // it lives, and will refute
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

  /**
   * An accusation that was answered already. Of this node it shows that the answer did not arrive, as when nobody could hear
   * it for a while: it is said again, or the suspicion would end with a death that nothing stands for any more.
   */
  #isOld({ node, incarnation }: Suspect | Dead, known: Member): boolean {
    if (incarnation >= known.incarnation) return false
    if (node === this.#options.name && !this.#leaving) this.#sayAlive()
    return true
  }

  #refute(accused: number, msg: string): void {
    this.#options.log.warn({ msg: `memberlist: ${msg}` })
    this.#incarnation = Math.min(Math.max(this.#incarnation + 1, accused + 1), MAX_INCARNATION)
    this.changeHealth(1)
    this.#keep({ ...this.self, incarnation: this.#incarnation })
    this.#sayAlive()
  }

  #sayAlive(): void {
    const { name: node, addr, port, meta, vsn, incarnation } = this.self
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
}

const EMPTY = new Uint8Array()

const placeOf = ({ address, port }: Member) => `${formatAddress(address)}:${port}`

function isAt(left: Member, { address, port }: Member): boolean {
  return left.address.family === address.family && left.address.value === address.value && left.port === port
}
