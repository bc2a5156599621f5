/** What is wrong in a configuration, and where. One value feeds logs, ConfigurationState, webhooks and the linter. */

export interface Problem {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  /** Field path inside the object, e.g. `spec.addresses[1]`; empty for the object as a whole. */
  readonly path: string
  /** What is wrong; keeps the words of chapter 01 section 2 that people grep for. */
  readonly message: string
  /** How to mend it. */
  readonly hint?: string
  readonly severity: 'error' | 'warning'
  /** A missing object may still appear (chapter 01 section 2.11). */
  readonly transient?: boolean
}

/** What a rule found in one field; whoever asked adds the object and the path of the field. */
export interface Finding {
  /** Relative to the field that was looked at, e.g. `[1].matchExpressions[0].operator`. */
  readonly path: string
  readonly message: string
  readonly hint?: string
  readonly transient?: boolean
}

/** `IPAddressPool metallb-system/blue spec.addresses[0]: invalid CIDR "10.0.0.1" in pool "blue" …` */
export function formatProblem({ kind, namespace, name, path, message }: Problem): string {
  return `${kind} ${namespace ? `${namespace}/` : ''}${name}${path ? ` ${path}` : ''}: ${message}`
}
