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

  /** The message, and after it what the message does not say already (D19). */
  get text(): string {
    const details = this.reasons.map(formatReason).filter(detail => detail !== this.message)
    if (details.length === 0) return this.message
    const shown = details.slice(0, MAX_DETAILS).join('; ')
    const more = details.length - MAX_DETAILS
    return `${this.message} (${shown}${more > 0 ? `; and ${more} more` : ''})`
  }
}

/** Event messages end at 1024 bytes. */
const MAX_DETAILS = 5

/** A refusal whose only reason is its message. */
export function refuse(code: string, message: string, needs: readonly Need[] = []): Refusal {
  return new Refusal(message, [{ code, message }], needs)
}

export function poolReason(pool: Pool, code: string, message: string, field?: string): Reason {
  return { code, message, object: { kind: 'IPAddressPool', namespace: pool.namespace, name: pool.name }, field }
}
