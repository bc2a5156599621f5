/** Chapter 05 section 1.13: `all` is `debug`, `none` says nothing. */
export const LOG_LEVELS = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Throws the error whose text chapter 05 section 1.12 fixes. */
export function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find(known => known === text)
  if (level === undefined) throw new Error(`failed to parse log level: ${text}`)
  return level
}

/** Whether lines of this level are printed under the filter. */
export function isEnabled(filter: LogLevel, level: Exclude<LogLevel, 'all' | 'none'>): boolean {
  return LOG_LEVELS.indexOf(level) >= Math.max(1, LOG_LEVELS.indexOf(filter))
}
