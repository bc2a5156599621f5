import type { Clock, Counter, Logger, Metrics } from '../../ports/index.ts'

export interface Refused {
  /** In capitals, as the protocols' errors have it. */
  readonly code: string
  /** Of the last of them. */
  readonly from: string
  readonly detail: string
  readonly times: number
}

const METRICS = {
  heartbeat: 'metallb_heartbeat_packets_refused_total',
  memberlist: 'metallb_memberlist_packets_refused_total',
} as const

const COMPLAIN_EVERY_MS = 60_000
/** Ordinary where the network repeats packets or lets them overtake one another. */
const HARMLESS = new Set(['REPLAYED'])

/** Packets that were not believed: counted by reason (IMP-22, IMP-23), and one warning a minute for each reason. */
export class RefusedPackets {
  readonly #protocol: 'heartbeat' | 'memberlist'
  readonly #clock: Clock
  readonly #log: Logger
  readonly #counter: Counter | undefined
  readonly #complained = new Map<string, number>()

  constructor(
    protocol: 'heartbeat' | 'memberlist',
    { clock, log, metrics }: { readonly clock: Clock; readonly log: Logger; readonly metrics?: Metrics },
  ) {
    this.#protocol = protocol
    this.#clock = clock
    this.#log = log
    this.#counter = metrics?.counter({
      name: METRICS[protocol],
      help: `Number of ${protocol} packets that were not believed, by the reason why`,
      labels: ['reason'],
    })
  }

  /** Who refused them says so itself. */
  count(code: string, times = 1): void {
    this.#counter?.inc({ reason: camelCase(code) }, times)
  }

  note({ code, from, detail, times }: Refused): void {
    this.count(code, times)
    const now = this.#clock.monotonic()
    const last = this.#complained.get(code)
    if (HARMLESS.has(code) || (last !== undefined && now - last < COMPLAIN_EVERY_MS)) return
    this.#complained.set(code, now)
    this.#log.warn({ op: 'memberDiscovery', msg: `${this.#protocol} refused`, code, from, error: detail })
  }
}

function camelCase(code: string): string {
  return code.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
