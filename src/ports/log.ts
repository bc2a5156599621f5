/** Structured log lines. The adapter adds `ts`, `level` and `caller` and sorts the keys (chapter 05 section 1.13). */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  /** A function is called only where the level is enabled: costly dumps are built lazily. */
  debug(fields: LogFields | (() => LogFields)): void
  info(fields: LogFields): void
  warn(fields: LogFields): void
  error(fields: LogFields): void
  /** A logger that adds these fields to every line. */
  with(fields: LogFields): Logger
}

/** Says nothing: the default of tests. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
