/** What a test can make go wrong: delays, refusals, connections that die. */
import { setTimeout as delay } from 'node:timers/promises'
import { ApiError } from './errors.ts'

/** One request as a fault predicate and the request counter see it. */
export interface SeenRequest {
  readonly verb: string
  /** Plural, with `/subresource` where there is one; the path for requests that are not about objects. */
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly user?: string
}

/** An HTTP status to refuse with, or the connection is reset. */
export type Failure = number | 'reset'
export type FaultRule = (request: SeenRequest) => Failure | undefined

export class Faults {
  readonly #rules = new Set<FaultRule>()
  #latencyMs = 0

  setLatency(ms: number): void {
    this.#latencyMs = ms
  }

  /** Every later request is shown to the rule until the answer is called. */
  failWhen(rule: FaultRule): () => void {
    this.#rules.add(rule)
    return () => void this.#rules.delete(rule)
  }

  failNext(failure: Failure, count = 1): void {
    let left = count
    const stop = this.failWhen(() => {
      left--
      if (left <= 0) stop()
      return failure
    })
  }

  /** Waits, then throws or answers 'reset' where a rule says so. */
  async apply(request: SeenRequest): Promise<'reset' | undefined> {
    if (this.#latencyMs > 0) await delay(this.#latencyMs)
    for (const rule of [...this.#rules]) {
      const failure = rule(request)
      if (failure === 'reset') return 'reset'
      if (failure !== undefined) throw injected(failure)
    }
    return undefined
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

function injected(code: number): ApiError {
  const details = code === 429 || code === 503 ? { retryAfterSeconds: 1 } : {}
  return new ApiError(code, REASONS[code] ?? 'Unknown', `injected failure ${code}`, details)
}
