import type { Pool } from '../config/index.ts'
import type { Family } from '../ip/index.ts'
import { formatReason, type Reason } from '../reason.ts'

/**
 * What would cure a refusal when it becomes free: an address of any pool, of one pool, or this very one. `both`: only
 * together with one of the other family from the same pool.
 */
export type Need =
  | { readonly kind: 'auto'; readonly family: Family; readonly both?: boolean }
  | { readonly kind: 'pool'; readonly pool: string; readonly family: Family; readonly both?: boolean }
  | { readonly kind: 'address'; readonly family: Family; readonly value: bigint }

/** Why no address, or not this one: one sentence with the text of chapter 02 section 1.12, and every reason behind it. */
export class Refusal {
  readonly message: string
  readonly reasons: readonly Reason[]
  /** Empty where only a new configuration or an edit of the Service can help. */
  readonly needs: readonly Need[]

  constructor(message: string, reasons: readonly Reason[], needs: readonly Need[] = []) {
    this.message = message
    this.reasons = reasons
    this.needs = needs
  }

  /** The message, and after it what the message does not say already (D19), as much as an event holds. */
  get text(): string {
    return this.#withDetails(EVENT_LENGTH)
  }

  /** As `text`, with all reasons: for logs and conditions. */
  get wholeText(): string {
    return this.#withDetails(CONDITION_LENGTH)
  }

  #withDetails(limit: number): string {
    const details = this.reasons.map(formatReason).filter(detail => detail !== this.message)
    if (details.length === 0) return this.message
    let shown = ''
    for (const [index, detail] of details.entries()) {
      const next = index === 0 ? detail : `${shown}; ${detail}`
      if (index > 0 && next.length > limit) return `${this.message} (${shown}; and ${details.length - index} more)`
      shown = next
    }
    return `${this.message} (${shown})`
  }
}

/** Event messages end at 1024 bytes, what stands before this text included. */
const EVENT_LENGTH = 600
/** Conditions end at 32 KiB. */
const CONDITION_LENGTH = 16_384

/** A refusal whose only reason is its message. */
export function refuse(code: string, message: string, needs: readonly Need[] = []): Refusal {
  return new Refusal(message, [{ code, message }], needs)
}

export function poolReason(pool: Pool, code: string, message: string, field?: string): Reason {
  return { code, message, object: { kind: 'IPAddressPool', namespace: pool.namespace, name: pool.name }, field }
}
