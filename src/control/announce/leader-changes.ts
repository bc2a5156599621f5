import { formatAddress } from '../../core/ip/index.ts'
import { type Announcement, liveAddresses } from '../../core/plan/index.ts'
import type { Counter, Metrics } from '../../ports/index.ts'

/** How often this node began or ended to answer for an address of a Service; the series go with the Service. */
export class LeaderChanges {
  readonly #counter: Counter
  readonly #counted = new Map<string, Set<string>>()

  constructor(metrics: Metrics) {
    this.#counter = metrics.counter({
      name: 'metallb_layer2_leader_changes_total',
      help: 'Number of times this node began or ended to announce a service IP by layer 2',
      labels: ['service', 'ip'],
    })
  }

  count(service: string, before: Announcement | undefined, after: Announcement | undefined): void {
    const [old, now] = [textsOf(before), textsOf(after)]
    for (const ip of [...old, ...now]) {
      if (old.has(ip) && now.has(ip)) continue
      this.#counter.inc({ service, ip })
      this.#counted.set(service, (this.#counted.get(service) ?? new Set<string>()).add(ip))
    }
  }

  forget(service: string): void {
    for (const ip of this.#counted.get(service) ?? []) this.#counter.remove({ service, ip })
    this.#counted.delete(service)
  }
}

function textsOf(announcement: Announcement | undefined): Set<string> {
  return new Set(liveAddresses(announcement).map(({ address }) => formatAddress(address)))
}
