import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { POOL_ANNOTATION, type Service } from '../service.ts'
import { shows } from './ingress.ts'
import type { Outcome, ServiceEvent, ServiceLog, Verdict } from './outcome.ts'
import type { Need, Refusal } from './refusal.ts'

/** What one run of `converge` has to say of a Service, gathered step by step, until `close` makes the outcome of it. */
export class Account {
  /** Replaces what the condition says by default, that it has its address. */
  verdict: Omit<Verdict, 'allocated'> | undefined
  readonly reasons: Reason[] = []
  readonly #service: Service
  readonly #events: ServiceEvent[] = []
  readonly #logs: ServiceLog[] = []
  readonly #needs: Need[] = []

  constructor(service: Service) {
    this.#service = service
  }

  event(event: ServiceEvent): void {
    this.#events.push(event)
  }

  log(level: ServiceLog['level'], fields: ServiceLog['fields']): void {
    this.#logs.push({ level, fields })
  }

  /** Why it lacks something, for the condition, and what would cure that. */
  lacks(reason: string, { wholeText, reasons, needs }: Refusal): void {
    this.verdict = { reason, message: wholeText }
    this.reasons.push(...reasons)
    this.#needs.push(...needs)
  }

  /** Step 14: `addresses` from `pool` are what the Service should show. */
  close(addresses: readonly Address[], pool: string | undefined, result: Outcome['result']): Outcome {
    const changed = pool !== this.#service.annotations[POOL_ANNOTATION] || !shows(this.#service, addresses)
    if (changed) this.#warnDeprecated()
    const [events, logs, reasons, needs] = [this.#events, this.#logs, this.reasons, this.#needs]
    return { addresses, pool, changed, verdict: this.#verdictOn(addresses, pool), events, logs, reasons, needs, result }
  }

  #verdictOn(addresses: readonly Address[], pool: string | undefined): Verdict | undefined {
    if (this.#service.type !== 'LoadBalancer') return undefined
    const message = `holds ${addresses.map(formatAddress).join(', ')} from pool ${pool}`
    return { allocated: addresses.length > 0, ...(this.verdict ?? { reason: 'Allocated', message }) }
  }

  /** Section 1.10: said whenever the Service is about to be changed. */
  #warnDeprecated(): void {
    const msg = 'The used annotation is deprecated. Support might get removed in future versions'
    for (const annotation of Object.keys(this.#service.annotations)) {
      if (!annotation.startsWith('metallb.universe.tf')) continue
      this.log('warn', { event: 'deprecatedAnnotation', annotation, msg })
      const message = `Service uses deprecated annotation ${annotation}`
      this.event({ type: 'Warning', reason: 'deprecatedAnnotation', message })
    }
  }
}
