import type { LogFields, Logger } from '../ports/index.ts'

export interface LoggedLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: LogFields
}

/** Keeps every line. */
export class FakeLog implements Logger {
  readonly lines: LoggedLine[]
  readonly #base: LogFields

  constructor(lines: LoggedLine[] = [], base: LogFields = {}) {
    this.lines = lines
    this.#base = base
  }

  debug(fields: LogFields | (() => LogFields)): void {
    this.#add('debug', typeof fields === 'function' ? fields() : fields)
  }

  info(fields: LogFields): void {
    this.#add('info', fields)
  }

  warn(fields: LogFields): void {
    this.#add('warn', fields)
  }

  error(fields: LogFields): void {
    this.#add('error', fields)
  }

  with(fields: LogFields): Logger {
    return new FakeLog(this.lines, { ...this.#base, ...fields })
  }

  #add(level: LoggedLine['level'], fields: LogFields): void {
    this.lines.push({ level, fields: { ...this.#base, ...fields } })
  }
}
