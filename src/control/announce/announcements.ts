import { type Address, formatAddress } from '../../core/ip/index.ts'
import {
  type Admitted,
  type Announcement,
  diffAnnouncement,
  liveAddresses,
  type Refusal,
  type Step,
  sameAddresses,
} from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Service } from '../../core/service.ts'
import type { AnnouncePlanner, AnnounceProtocol } from './protocol.ts'
import type { Report } from './report.ts'

/** What this node announces now, by protocol and Service; performs the steps to what it should announce. */
export class Announcements {
  readonly #protocols: readonly { protocol: AnnounceProtocol; current: Map<string, Announcement> }[]
  readonly #report: Report

  constructor(protocols: readonly AnnounceProtocol[], report: Report) {
    this.#protocols = protocols.map(protocol => ({ protocol, current: new Map<string, Announcement>() }))
    this.#report = report
  }

  /** Services that are announced, or should be and cannot, by any protocol. */
  keys(): Set<string> {
    return new Set(this.#protocols.flatMap(({ current }) => [...current.keys()]))
  }

  /** The addresses announced for a Service; empty where it is not announced. */
  addressesOf(service: string): Address[] {
    for (const { current } of this.#protocols) {
      const live = liveAddresses(current.get(service))
      if (live.length > 0) return live.map(({ address }) => address)
    }
    return []
  }

  /** Addresses that the protocol announces for a Service, as text. */
  liveBy(name: AnnounceProtocol['name'], service: string): string[] {
    return liveAddresses(this.#currentOf(name, service)).map(({ address }) => formatAddress(address))
  }

  /** Why addresses of a Service are not announced although this node was chosen. */
  failuresBy(name: AnnounceProtocol['name'], service: string): Reason[] {
    const addresses = this.#currentOf(name, service)?.addresses ?? []
    return addresses.flatMap(({ failure }) => failure ?? [])
  }

  announce(admitted: Admitted, planners: ReadonlyMap<AnnounceProtocol, AnnouncePlanner>): void {
    const { service, addresses } = admitted
    for (const known of this.#knownAddresses(service.key)) {
      if (sameAddresses(known, addresses)) continue
      this.withdraw(service.key, { code: 'loadBalancerIPChanged', message: 'the addresses of the service changed' })
      break
    }
    const outcomes: [string, Announcement | Refusal][] = []
    for (const { protocol, current } of this.#protocols) {
      const wish = planners.get(protocol)!.shouldAnnounce(admitted)
      outcomes.push([protocol.name, wish])
      const steps = diffAnnouncement(current.get(service.key), wish)
      if ('addresses' in wish) current.set(service.key, wish)
      else {
        current.delete(service.key)
        this.#report.notAnnounced(service.key, protocol.name, wish)
      }
      for (const step of steps) this.#perform(service, protocol, step)
    }
    this.#report.decided(service, outcomes)
  }

  /** The Service has nothing to announce, whatever the protocol. */
  refuse(service: string, reason: Reason): void {
    this.withdraw(service, reason)
    const protocols = this.#protocols.map(({ protocol }) => protocol.name)
    this.#report.nothingToAnnounce(service, protocols, reason)
  }

  /** Ends the announcement by every protocol. */
  withdraw(service: string, reason: Reason): void {
    for (const { protocol, current } of this.#protocols) {
      const before = current.get(service)
      current.delete(service)
      if (liveAddresses(before).length > 0) this.#stop(service, protocol, before!, reason)
    }
  }

  #perform(service: Service, protocol: AnnounceProtocol, step: Step): void {
    if (step.kind === 'fail') this.#report.failed(service, protocol.name, step)
    else if (step.kind === 'stop') this.#stop(service.key, protocol, step.before, step.reason)
    else {
      protocol.setBalancer(service.key, step.announcement)
      if (step.kind === 'change') this.#report.gone(service.key, protocol.name, step.before, step.announcement)
      this.#report.announced(service, protocol.name, step)
    }
  }

  #stop(service: string, protocol: AnnounceProtocol, before: Announcement, reason: Reason): void {
    protocol.deleteBalancer(service)
    this.#report.gone(service, protocol.name, before)
    if (this.addressesOf(service).length === 0) this.#report.withdrawn(service, protocol.name, before, reason)
  }

  #currentOf(name: AnnounceProtocol['name'], service: string): Announcement | undefined {
    return this.#protocols.find(({ protocol }) => protocol.name === name)?.current.get(service)
  }

  #knownAddresses(service: string): Address[][] {
    const known = this.#protocols.flatMap(({ current }) => current.get(service) ?? [])
    return known.map(({ addresses }) => addresses.map(({ address }) => address))
  }
}
