/** Exit codes of metallbctl (chapter 05 section 7.1). */
export const EXIT = { ok: 0, failed: 1, unknown: 2, usage: 3, unreachable: 4 } as const

/** One command of metallbctl; the answer is the exit code. */
export interface Command {
  /** What follows the command's name, e.g. `service NS/NAME [-f FILE]`. */
  readonly synopsis: string
  readonly summary: string
  run(args: string[]): Promise<number>
}
