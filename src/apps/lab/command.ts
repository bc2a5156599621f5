/** Runs other programs: their output as a value, their failure as one sentence. */
import { spawn } from 'node:child_process'

export interface Output {
  /** Exit code; -1 where a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** After this the program is killed and its code is -1. Default 30 s. */
  readonly timeoutMs?: number
}

/** A program that could not be started or that failed; the message names it and repeats what it said. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Rejects only where the program cannot be started; a failing program is a value. */
export function run([program = '', ...args]: readonly string[], options: RunOptions = {}): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: 'pipe' })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', chunk => out.push(chunk))
    child.stderr.on('data', chunk => err.push(chunk))
    child.on('error', error => reject(new CommandError(`cannot run ${program}: ${error.message}`)))
    const timeout = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 30_000)
    child.on('close', code => {
      clearTimeout(timeout)
      resolve({ code: code ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() })
    })
    child.stdin.on('error', () => {}) // the program may end before it has read everything
    child.stdin.end(options.input ?? '')
  })
}

/** The program's standard output; rejects with a CommandError where it fails. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options)
  if (code !== 0) throw new CommandError(`'${argv.join(' ')}' failed (${code}): ${stderr.trim() || stdout.trim()}`)
  return stdout
}
