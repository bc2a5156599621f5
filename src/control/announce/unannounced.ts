/** Why assigned Services are not announced here (chapter 05 section 7.9). */
import type { Announcement, Refusal } from '../../core/plan/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { Gauge, Metrics } from '../../ports/index.ts'

/** What came of one look at a Service, by protocol. */
export type Outcomes = readonly (readonly [protocol: string, outcome: Announcement | Refusal])[]

/** Another node answers: that is no trouble, and there would be a series for nearly every Service on every node. */
const ORDINARY = 'electionLost'

/**
 * The gauge `metallb_speaker_service_not_announced`: at most one series a Service and protocol. A protocol that no
 * advertisement asks for is left out, unless none is asked for at all.
 */
export class Unannounced {
  readonly #gauge: Gauge
  readonly #node: string
  /** Causes by protocol and Service. */
  readonly #shown = new Map<string, Map<string, string>>()
  /** Services whose users know that labels keep every node from announcing them. */
  readonly #told = new Set<string>()

  constructor(metrics: Metrics, node: string) {
    this.#node = node
    this.#gauge = metrics.gauge({
      name: 'metallb_speaker_service_not_announced',
      help: '1 while a service that has an address is not announced from this node for the reason',
      labels: ['service', 'protocol', 'node', 'reason'],
    })
  }

  /**
   * Answers what the user should be told now, because it was not so before: that labels keep every node from announcing
   * it. The label of another node may be the last of them: then nothing has changed here.
   */
  show(service: string, outcomes: Outcomes): Reason | undefined {
    const causes = new Map(outcomes.map(([protocol, outcome]) => [protocol, causeOf(outcome)]))
    const asked = [...causes].filter(([, cause]) => cause !== 'notAdvertised')
    for (const [protocol, cause] of causes) {
      const left = cause === ORDINARY || (cause === 'notAdvertised' && asked.length > 0)
      this.#set(protocol, service, left ? undefined : cause)
    }
    const skipped = asked.every(([, cause]) => cause === 'nodeLabeledExcludeBalancers')
      ? this.#skipped(outcomes.filter(([protocol]) => causes.get(protocol) !== 'notAdvertised'))
      : undefined
    const known = this.#told.has(service)
    if (skipped === undefined) this.#told.delete(service)
    else this.#told.add(service)
    return known ? undefined : skipped
  }

  /** The Service cannot be announced by any protocol; `cause` is absent where it has no address either. */
  refuse(service: string, protocols: readonly string[], cause?: string): void {
    for (const protocol of protocols) this.#set(protocol, service, cause)
    this.#told.delete(service)
  }

  /** Every protocol that should announce it says so, and this node is the one that says it. */
  #skipped(outcomes: Outcomes): Reason | undefined {
    const said = outcomes.map(([, outcome]) =>
      'addresses' in outcome ? undefined : outcome.reasons().find(({ code }) => code === 'announceSkipped'),
    )
    const [first] = said
    return said.every(reason => reason !== undefined) && first?.object?.name === this.#node ? first : undefined
  }

  #set(protocol: string, service: string, cause: string | undefined): void {
    const shown = this.#shown.get(protocol) ?? new Map<string, string>()
    this.#shown.set(protocol, shown)
    const before = shown.get(service)
    if (before === cause) return
    if (before !== undefined) this.#gauge.remove(this.#labels(service, protocol, before))
    if (cause === undefined) shown.delete(service)
    else {
      shown.set(service, cause)
      this.#gauge.set(1, this.#labels(service, protocol, cause))
    }
  }

  #labels(service: string, protocol: string, reason: string) {
    return { service, protocol, node: this.#node, reason }
  }
}

/** Undefined where an address is announced. */
function causeOf(outcome: Announcement | Refusal): string | undefined {
  if (!('addresses' in outcome)) return outcome.cause()
  const [first] = outcome.addresses
  return outcome.addresses.every(({ failure }) => failure !== undefined) ? first?.failure?.code : undefined
}
