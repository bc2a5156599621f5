/** Which key pair is served, of those that the Secret and the mounted files offer (D 9). */
import type { Certificates, Gauge, KeyPair, Metrics } from '../../ports/index.ts'

/** Where a pair comes from; of two that are equally new the Secret's is served: the files follow it. */
export type Source = 'secret' | 'files'
const SOURCES: readonly Source[] = ['secret', 'files']

export interface ServingPairOptions {
  readonly certificates: Certificates
  readonly metrics: Metrics
  /** Called with each pair to serve from now on. */
  readonly use: (pair: KeyPair) => void
}

export class ServingPair {
  readonly #options: ServingPairOptions
  readonly #offers = new Map<Source, { pair: KeyPair; notBeforeMs: number; notAfterMs: number }>()
  readonly #expiry: Gauge
  #served: KeyPair | undefined

  constructor(options: ServingPairOptions) {
    this.#options = options
    this.#expiry = options.metrics.gauge({
      name: 'metallb_webhook_certificate_expiry_timestamp_seconds',
      help: 'When the certificate of the webhook server expires, in seconds since 1970.',
    })
  }

  get served(): KeyPair | undefined {
    return this.#served
  }

  /** Replaces what the source offered before. A pair that cannot be used is ignored. */
  offer(source: Source, pair: KeyPair): void {
    const facts = this.#options.certificates.inspect(pair)
    if (facts === undefined) return
    this.#offers.set(source, { pair, ...facts })
    const offers = SOURCES.map(name => this.#offers.get(name)).filter(offer => offer !== undefined)
    const newest = offers.reduce((best, other) => (other.notBeforeMs > best.notBeforeMs ? other : best))
    this.#expiry.set(Math.floor(newest.notAfterMs / 1000))
    if (newest.pair.cert === this.#served?.cert && newest.pair.key === this.#served.key) return
    this.#served = newest.pair
    this.#options.use(newest.pair)
  }
}
