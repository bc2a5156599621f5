/** The processes of a lab: started inside their namespace, logged to files, ended by pid and with their parent. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside } from './network.ts'
import { type ProcessRecord, recordOf } from './state.ts'

export interface ProcessSpec {
  /** Also the name of its log file, e.g. `speaker-node1`. */
  readonly name: string
  readonly netns: string
  /** The node it runs on and dies with. */
  readonly node?: string
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The only capabilities it keeps, as setpriv spells them (`+net_raw`); everything where absent. */
  readonly capabilities?: readonly string[]
  /** Opens a channel for messages and handles (`send`). */
  readonly ipc?: boolean
}

interface Running {
  readonly spec: ProcessSpec
  readonly child: ChildProcess
  readonly record: ProcessRecord
}

export class Processes {
  readonly #dir: string
  readonly #changed: () => void
  readonly #running = new Map<string, Running>()

  /** `changed` is called whenever the set of running processes did. */
  constructor(dir: string, changed: () => void) {
    this.#dir = dir
    this.#changed = changed
  }

  get records(): ProcessRecord[] {
    return [...this.#running.values()].map(({ record }) => record)
  }

  pid(name: string): number | undefined {
    return this.#running.get(name)?.record.pid
  }

  /** Rejects with a sentence where it cannot be started. Does not wait until it is ready. */
  async start(spec: ProcessSpec): Promise<ChildProcess> {
    const { name, netns, argv, env, capabilities, ipc } = spec
    if (this.#running.has(name)) throw new Error(`${name} is already running`)
    const log = openSync(this.logFile(name), 'a', 0o600)
    const [program = '', ...args] = [...inside(netns), ...privileges(capabilities), ...argv]
    const stdio = ['ignore' as const, log, log, ...(ipc ? ['ipc' as const] : [])]
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio })
    closeSync(log)
    await once(child, 'spawn')
    this.#running.set(name, { spec, child, record: recordOf(name, child.pid!) })
    child.on('exit', () => this.#forget(name, child))
    this.#changed()
    return child
  }

  /** Sends the signal to those that run and match, without waiting. */
  signal(matches: (spec: ProcessSpec) => boolean, signal: NodeJS.Signals): void {
    for (const { spec, child } of this.#running.values()) if (matches(spec)) child.kill(signal)
  }

  /** SIGTERM, and SIGKILL after `graceMs`; resolves when those that match have ended. */
  async stop(matches: (spec: ProcessSpec) => boolean, graceMs = 2000): Promise<void> {
    const ending = [...this.#running.values()].filter(({ spec }) => matches(spec))
    await Promise.all(ending.map(({ child }) => end(child, graceMs)))
  }

  /** Everything it printed since the lab's start, also under a former pid. */
  log(name: string): string {
    return readFileSync(this.logFile(name), 'utf8')
  }

  logFile(name: string): string {
    return join(this.#dir, 'logs', `${name}.log`)
  }

  #forget(name: string, child: ChildProcess): void {
    if (this.#running.get(name)?.child !== child) return
    this.#running.delete(name)
    this.#changed()
  }
}

/** Dies with its parent, whatever becomes of that; and keeps no capability but these. */
function privileges(capabilities: readonly string[] | undefined): string[] {
  const bounding = capabilities === undefined ? [] : ['--bounding-set', ['-all', ...capabilities].join(',')]
  return ['setpriv', '--pdeathsig', 'KILL', ...bounding]
}

async function end(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGCONT') // a frozen process would not see the next signal
  child.kill('SIGTERM')
  const timeout = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await ended
  clearTimeout(timeout)
}
