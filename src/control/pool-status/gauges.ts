import type { PoolUsage } from '../../core/allocator/index.ts'
import type { Metrics } from '../../ports/index.ts'

/** Chapter 02 section 3.1: gauges all, whatever their names say; one series for each pool in force. */
const GAUGES: readonly [name: string, help: string, value: (usage: PoolUsage) => bigint | number][] = [
  ['addresses_total', 'Number of usable IP addresses, per pool', usage => usage.total],
  ['ipv4_addresses_total', 'Number of usable IPV4 addresses, per pool', usage => usage.capacity.ipv4],
  ['ipv6_addresses_total', 'Number of usable IPV6 addresses, per pool', usage => usage.capacity.ipv6],
  ['addresses_in_use_total', 'Number of IP addresses in use, per pool', inUse],
  ['ipv4_addresses_in_use_total', 'Number of IPV4 addresses in use, per pool', usage => usage.assigned.ipv4],
  ['ipv6_addresses_in_use_total', 'Number of IPV6 addresses in use, per pool', usage => usage.assigned.ipv6],
  ['services_allocated_total', 'Number of services allocated, per pool', usage => usage.services], // D12
]

function inUse({ assigned }: PoolUsage): bigint {
  return assigned.ipv4 + assigned.ipv6
}

/** The `metallb_allocator_*` series. */
export class PoolGauges {
  readonly #gauges

  constructor(metrics: Metrics) {
    this.#gauges = GAUGES.map(([name, help, value]) => ({
      gauge: metrics.gauge({ name: `metallb_allocator_${name}`, help, labels: ['pool'] }),
      value,
    }))
  }

  /** Without usage the pool's series disappear. */
  show(pool: string, usage: PoolUsage | undefined): void {
    for (const { gauge, value } of this.#gauges) {
      if (usage === undefined) gauge.remove({ pool })
      else gauge.set(Number(value(usage)), { pool })
    }
  }
}
