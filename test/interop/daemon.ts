import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { run } from '../../src/apps/lab/command.ts'

/** Programs in a namespace that die with this process, and a directory for their files. */
export class Daemons {
  readonly netns: string
  readonly dir: string
  #children: ChildProcess[] = []

  constructor(netns: string) {
    this.netns = netns
    this.dir = mkdtempSync('/tmp/metallb-interop-')
  }

  spawn(argv: readonly string[]): void {
    const args = ['netns', 'exec', this.netns, 'setpriv', '--pdeathsig', 'KILL', ...argv]
    this.#children.push(spawn('ip', args, { stdio: 'ignore' }))
  }

  /** Standard output; empty where it fails. */
  async output(argv: readonly string[]): Promise<string> {
    const { stdout } = await run(['ip', 'netns', 'exec', this.netns, ...argv])
    return stdout
  }

  /** SIGSTOP: it neither reads nor writes, and its kernel goes on. */
  freeze(): void {
    for (const child of this.#children) child.kill('SIGSTOP')
  }

  thaw(): void {
    for (const child of this.#children) child.kill('SIGCONT')
  }

  /** By SIGKILL; they can be started again. */
  async kill(): Promise<void> {
    const ended = this.#children.map(child => child.exitCode ?? child.signalCode ?? once(child, 'exit'))
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(ended)
    this.#children = []
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
