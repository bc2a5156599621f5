/**
 * Why a decision came out as it did. Decision functions hand back every reason, in order; logs, events, status,
 * metrics and the command line all print from this one value.
 */
export interface Reason {
  /** Stable word for programs: a value of `reason` in chapter 05 section 1.15, or a finer one of ours. */
  readonly code: string
  /** One sentence for people, without the object and field. */
  readonly message: string
  /** The object that decided, where one did. */
  readonly object?: { readonly kind: string; readonly namespace?: string; readonly name: string }
  /** Path of the deciding field inside that object, e.g. `spec.nodeSelectors`. */
  readonly field?: string
}

/** `IPAddressPool metallb-system/blue spec.autoAssign: not used for automatic assignment` */
export function formatReason({ object, field, message }: Reason): string {
  if (object === undefined) return message
  const name = object.namespace ? `${object.namespace}/${object.name}` : object.name
  return `${object.kind} ${name}${field ? ` ${field}` : ''}: ${message}`
}
