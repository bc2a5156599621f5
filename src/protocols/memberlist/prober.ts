import { formatAddress } from '../../core/ip/index.ts'
import type { Clock, Logger, Random, Timer } from '../../ports/index.ts'
import type { MemberlistConfig, ProbeTiming } from './config.ts'
import { deadline } from './deadline.ts'
import { isGone, type Member, maxVersion, SPEAKS } from './member.ts'
import type { Members } from './members.ts'
import type { IndirectPing, Message, Ping, Source } from './message/index.ts'
import { shuffled } from './sample.ts'

export interface ProberOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly config: MemberlistConfig
  readonly members: Members
  readonly timingOf: (member: Member) => ProbeTiming
  readonly hears: (name: string) => boolean
  readonly source: Source
  /** Messages in one packet, with news where there is room. */
  readonly send: (to: Pick<Member, 'address' | 'port'>, messages: readonly Message[]) => void
  /** A ping over TCP; the callback tells whether it was answered. */
  readonly pingStream: (member: Member, ping: Ping, withinMs: number, done: (answered: boolean) => void) => void
}

interface Pending {
  readonly ack: () => void
  readonly nack: () => void
}

/** Numbers asked and not answered yet, at most: requests of others for indirect pings count too. */
const MAX_PENDING = 4096
/** A helper says "no answer" after this share of its probe timeout: in time for the one who asked (section 6.6). */
const NACK_SHARE = 0.8

/** Asks one node after the other whether it lives (section 4.9 of chapter 03). */
export class Prober {
  readonly #options: ProberOptions
  readonly #pending = new Map<number, Pending>()
  readonly #timers = new Set<Timer>()
  #order: string[] = []
  #sequence = 0
  #busy = false
  #owed = false
  #stopped = false

  constructor(options: ProberOptions) {
    this.#options = options
  }

  start(): void {
    const { config } = this.#options
    this.#every(config.fast?.probeIntervalMs ?? config.probeIntervalMs, () => this.#tick())
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#pending.clear()
  }

  ack(sequence: number): void {
    const pending = this.#pending.get(sequence)
    this.#pending.delete(sequence)
    pending?.ack()
  }

  nack(sequence: number): void {
    this.#pending.get(sequence)?.nack()
  }

  /** Somebody else cannot reach the target: ask it from here, and pass the answer on. */
  help(request: IndirectPing, target: Pick<Member, 'address' | 'port'>, asker: Pick<Member, 'address' | 'port'>): void {
    if (this.#pending.size >= MAX_PENDING) return
    const { source, send, members, config, timingOf } = this.#options
    const { seqNo, node } = request
    const member = members.get(node)
    const { probeTimeoutMs } = member ? timingOf(member) : config
    const own = this.#next()
    let over = false
    const finish = (): void => {
      over = true
      this.#pending.delete(own)
      late.cancel()
    }
    const late = this.#within(probeTimeoutMs * NACK_SHARE, () => {
      if (request.nack && !over) send(asker, [{ kind: 'nack', seqNo }])
    })
    const end = this.#within(probeTimeoutMs, finish)
    const ack = () => {
      end.cancel()
      finish()
      send(asker, [{ kind: 'ack', seqNo }])
    }
    this.#pending.set(own, { ack, nack: () => {} })
    send(target, [{ kind: 'ping', seqNo: own, node, ...source }])
  }

  #tick(): void {
    if (this.#busy) {
      this.#owed = true
      return
    }
    const target = this.#choose()
    if (target !== undefined) this.#probe(target)
  }

  /** The next of a shuffled list; at its end the gone are forgotten and the list is made anew. */
  #choose(): Member | undefined {
    const { members, random } = this.#options
    for (let round = 0; round < 2; round++) {
      for (;;) {
        const name = this.#order.pop()
        if (name === undefined) break
        const member = members.get(name)
        if (member !== undefined && !isGone(member) && member !== members.self) return member
      }
      members.reap()
      this.#order = shuffled(members.all(), random).map(({ name }) => name)
    }
    return undefined
  }

  #probe(target: Member): void {
    const { members, timingOf, source, send, log } = this.#options
    const { probeIntervalMs, probeTimeoutMs } = timingOf(target)
    const intervalMs = probeIntervalMs * (members.health + 1)
    const ping: Ping = { kind: 'ping', seqNo: this.#next(), node: target.name, ...source }
    let nacksDue = 0
    let nacks = 0
    let overTcp = false
    const indirect = this.#within(probeTimeoutMs, () => {
      log.debug({ msg: `memberlist: Failed UDP ping: ${target.name} (timeout reached)` })
      const leftMs = intervalMs - probeTimeoutMs
      nacksDue = this.#askOthers(target, ping, leftMs)
      if (maxVersion(target) >= SPEAKS.tcpPing && !this.#options.config.disableTcpPings)
        this.#options.pingStream(target, ping, leftMs, answered => {
          overTcp = answered
        })
    })
    const end = this.#within(intervalMs, () => {
      if (overTcp) this.#onlyOverTcp(target)
      else this.#failed(target, nacks, nacksDue)
      finish()
    })
    const finish = (): void => {
      this.#pending.delete(ping.seqNo)
      for (const timer of [indirect, end]) timer.cancel()
      this.#idle()
    }
    const ack = () => {
      members.changeHealth(-1)
      finish()
    }
    this.#busy = true
    this.#pending.set(ping.seqNo, { ack, nack: () => nacks++ })
    const { name: node, incarnation } = target
    const accusation: Message = { kind: 'suspect', incarnation, node, from: members.self.name }
    // A suspect hears of it at once, so that it can refute.
    send(target, target.state === 'suspect' ? [ping, accusation] : [ping])
  }

  #idle(): void {
    this.#busy = false
    if (!this.#owed || this.#stopped) return
    this.#owed = false
    this.#within(0, () => {
      if (!this.#busy) this.#tick()
    })
  }

  /** Answers from how many a nack is due in time. */
  #askOthers(target: Member, { seqNo }: Ping, leftMs: number): number {
    const { members, config, random, source, send } = this.#options
    const others = members.all().filter(member => member.state === 'alive' && member !== members.self)
    const helpers = shuffled(
      others.filter(({ name }) => name !== target.name),
      random,
    ).slice(0, config.indirectChecks)
    for (const helper of helpers) {
      const nack = maxVersion(helper) >= SPEAKS.nack
      const where = { target: target.addr, port: target.port, node: target.name }
      send(helper, [{ kind: 'indirectPing', seqNo, ...where, nack, ...source }])
    }
    return helpers.filter(helper => maxVersion(helper) >= SPEAKS.nack && this.#nackDelayMs(helper) < leftMs).length
  }

  /** A Go peer answers after its whole timeout, too late for the default timing: its silence proves nothing (section 6.6). */
  #nackDelayMs(helper: Member): number {
    const { config, timingOf } = this.#options
    const { probeTimeoutMs } = timingOf(helper)
    return config.fast !== undefined && probeTimeoutMs === config.fast.probeTimeoutMs
      ? probeTimeoutMs * NACK_SHARE
      : config.probeTimeoutMs
  }

  #onlyOverTcp({ name }: Member): void {
    const text = `Was able to connect to ${name} over TCP but UDP probes failed, network may be misconfigured`
    this.#options.log.warn({ msg: `memberlist: ${text}` })
  }

  #failed({ name, incarnation, address }: Member, nacks: number, nacksDue: number): void {
    const { members, log, hears } = this.#options
    if (hears(name)) {
      log.debug({ msg: `memberlist: ${name} answers no probe, but it is heard in another way` })
      return
    }
    members.changeHealth(nacksDue > 0 ? Math.max(0, nacksDue - nacks) : 1)
    log.info({ msg: `memberlist: Suspect ${name} has failed, no acks received`, address: formatAddress(address) })
    members.suspect({ kind: 'suspect', incarnation, node: name, from: members.self.name })
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) >>> 0
    return this.#sequence
  }

  #within(ms: number, callback: () => void): Timer {
    const timer = deadline(this.#options.clock, ms, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
    const cancel = () => {
      this.#timers.delete(timer)
      timer.cancel()
    }
    return { cancel }
  }

  #every(ms: number, callback: () => void): void {
    const timer = this.#options.clock.after(ms, () => {
      this.#timers.delete(timer)
      this.#every(ms, callback)
      callback()
    })
    this.#timers.add(timer)
  }
}
