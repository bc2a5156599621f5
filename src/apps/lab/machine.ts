import { type ChildProcess, spawn } from 'node:child_process'
import { type Output, type RunOptions, run } from './command.ts'
import { inside } from './network.ts'
import type { Machine } from './topology.ts'

/** A machine of the lab to run commands on. */
export class Host {
  readonly name: string
  readonly netns: string
  readonly address: string
  readonly mac: string

  constructor({ name, netns, address, mac }: Omit<Machine, 'address6'>) {
    this.name = name
    this.netns = netns
    this.address = address
    this.mac = mac
  }

  exec(argv: readonly string[], options?: RunOptions): Promise<Output> {
    return run([...inside(this.netns), ...argv], options)
  }

  /** A command that goes on, with its output piped; ends with this process at the latest. */
  start(argv: readonly string[]): ChildProcess {
    const [program = '', ...args] = [...inside(this.netns), 'setpriv', '--pdeathsig', 'KILL', ...argv]
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  }
}
