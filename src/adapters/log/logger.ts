/** JSON lines: one object a line, keys sorted, no HTML escaping (chapter 05 section 1.13). */
import type { LogFields, Logger } from '../../ports/index.ts'
import { isEnabled, type LogLevel } from './level.ts'
import { type IsSecret, isSecretKey, plainValue, REDACTED } from './value.ts'

type LineLevel = Exclude<LogLevel, 'all' | 'none'>

export interface LoggerOptions {
  readonly level: LogLevel
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Takes one line with its end. Default: standard output. */
  readonly write?: (line: string) => void
  /** Which fields are withheld, at any depth. */
  readonly isSecret?: IsSecret
}

/** What all loggers of one process share. */
interface Sink {
  level: LogLevel
  readonly now: () => number
  readonly write: (line: string) => void
  readonly isSecret: IsSecret
}

export class JsonLogger implements Logger {
  readonly #sink: Sink
  readonly #base: LogFields

  private constructor(sink: Sink, base: LogFields) {
    this.#sink = sink
    this.#base = base
  }

  static open({ level, now, write = writeToStdout(), isSecret = isSecretKey }: LoggerOptions): JsonLogger {
    return new JsonLogger({ level, now, write, isSecret }, {})
  }

  get level(): LogLevel {
    return this.#sink.level
  }

  /** For this logger and all that came from the same `open`. */
  setLevel(level: LogLevel): void {
    this.#sink.level = level
  }

  debug(fields: LogFields | (() => LogFields)): void {
    if (isEnabled(this.#sink.level, 'debug')) this.#print('debug', typeof fields === 'function' ? fields() : fields)
  }

  info(fields: LogFields): void {
    if (isEnabled(this.#sink.level, 'info')) this.#print('info', fields)
  }

  warn(fields: LogFields): void {
    if (isEnabled(this.#sink.level, 'warn')) this.#print('warn', fields)
  }

  error(fields: LogFields): void {
    if (isEnabled(this.#sink.level, 'error')) this.#print('error', fields)
  }

  with(fields: LogFields): JsonLogger {
    return new JsonLogger(this.#sink, { ...this.#base, ...fields })
  }

  #print(level: LineLevel, fields: LogFields): void {
    const { now, write, isSecret } = this.#sink
    const ts = `${new Date(now()).toISOString().slice(0, 19)}Z`
    const caller = callerOf(JsonLogger.prototype[level])
    write(`${formatLine({ caller, ...this.#base, ...fields, level, ts }, isSecret)}\n`)
  }
}

function formatLine(fields: LogFields, isSecret: IsSecret): string {
  const sorted: Record<string, unknown> = {}
  for (const key of Object.keys(fields).sort()) sorted[key] = isSecret(key) ? REDACTED : readable(fields[key], isSecret)
  return JSON.stringify(sorted)
}

/** A getter that throws costs its own value, not the line. */
function readable(value: unknown, isSecret: IsSecret): unknown {
  try {
    return plainValue(value, isSecret)
  } catch (error) {
    return `[unreadable: ${(error as Error).message}]`
  }
}

/** `file.ts:12`: who called the given function. */
function callerOf(logged: (...args: never[]) => void): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 1
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, logged)
  Error.stackTraceLimit = limit
  return /([^/\\( ]+:\d+):\d+\)?$/.exec(holder.stack ?? '')?.[1] ?? ''
}

/** A reader that went away must not end a process that announces addresses. */
function writeToStdout(): (line: string) => void {
  process.stdout.on('error', () => {})
  return line => void process.stdout.write(line)
}
