/** Real Go peers and nodes of ours in one network namespace, each on an address of its own. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isInstalled, waitFor } from '../../src/apps/lab/index.ts'

const NODE = fileURLToPath(new URL('./memberlist-node.ts', import.meta.url))
const TOOLS = ['ip', 'nft', 'serf', 'prometheus-alertmanager']
export const PORT = 7946
export const KEY = 'AAECAwQFBgcICQoLDA0ODw=='
/** Versions of serf's own protocol on top of memberlist, which it wants to see in its peers. */
const SERF = [2, 5, 4]

/** Why nothing can run here, or undefined. In CI that is an error: nothing is skipped there. */
export function whyNoPeers(): string | undefined {
  const missing = TOOLS.filter(tool => !isInstalled(tool))
  const tools = missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
  const reason = process.getuid?.() === 0 ? tools : 'network namespaces need root'
  if (reason !== undefined && process.env.CI) throw new Error(`in CI nothing is skipped: ${reason}`)
  return reason
}

let count = 0

export class Net {
  readonly #name = `memberlist${process.pid}x${count++}`
  readonly #dir = mkdtempSync(join(tmpdir(), 'memberlist-'))
  readonly #peers: Peer[] = []

  constructor() {
    this.#ip('netns', 'add', this.#name)
    this.#ip('-n', this.#name, 'link', 'set', 'lo', 'up')
  }

  addressOf(number: number): string {
    return `10.77.0.${number}`
  }

  async serf(number: number, options: readonly string[] = []): Promise<Serf> {
    const rpc = `127.0.0.1:${7400 + number}`
    const argv = ['serf', 'agent', `-node=serf-${number}`, `-bind=${this.#take(number)}:${PORT}`, `-rpc-addr=${rpc}`]
    const peer = new Serf(this.#start([...argv, '-log-level=debug', ...options]), this, rpc)
    this.#peers.push(peer)
    await peer.said(/Serf agent running/)
    await waitFor(async () => (await peer.members()).size === 1, `serf-${number} to answer`)
    return peer
  }

  async alertmanager(number: number, join?: number): Promise<Peer> {
    const address = this.#take(number)
    execFileSync('sh', ['-c', `printf 'route: {receiver: a}\\nreceivers: [{name: a}]\\n' > ${this.#dir}/am.yml`])
    const flags = [
      ...[`--config.file=${this.#dir}/am.yml`, `--storage.path=${this.#dir}/am${number}`, '--log.level=debug'],
      ...[`--web.listen-address=${address}:9093`, `--cluster.listen-address=${address}:${PORT}`],
      ...[`--cluster.advertise-address=${address}:${PORT}`, '--cluster.settle-timeout=1s'],
      ...(join === undefined ? [] : [`--cluster.peer=${this.addressOf(join)}:${PORT}`]),
    ]
    const peer = new Peer(this.#start(['prometheus-alertmanager', ...flags]))
    this.#peers.push(peer)
    await peer.said(/Listening|listening|Completed loading/i)
    return peer
  }

  async ours(number: number, settings: { key?: string; serf?: boolean; config?: object } = {}): Promise<Ours> {
    const { serf = true, ...rest } = settings
    const versions = serf ? { delegateVersions: SERF } : {}
    const all = { name: `ours-${number}`, address: this.#take(number), port: PORT, ...versions, ...rest }
    const peer = new Ours(this.#start([process.execPath, NODE, JSON.stringify(all)]))
    this.#peers.push(peer)
    await peer.said(/"started"/)
    return peer
  }

  /** Packets that fit any of the nft expressions are dropped; none heals. */
  drop(...matches: string[]): void {
    const rules = matches.map(match => `${match} drop`).join('\n')
    const table = `table ip cut\ndelete table ip cut\ntable ip cut {\nchain in {\ntype filter hook input priority 0\n${rules}\n}\n}\n`
    execFileSync('ip', ['netns', 'exec', this.#name, 'nft', '-f', '-'], { input: table })
  }

  /** Runs to its end in the namespace; meanwhile the peers' output is read, or they would block on it. */
  async exec(argv: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', this.#name, ...argv], { timeout: 15_000 })
    return stdout
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map(peer => peer.kill()))
    this.#ip('netns', 'del', this.#name)
    rmSync(this.#dir, { recursive: true })
  }

  #take(number: number): string {
    const address = this.addressOf(number)
    this.#ip('-n', this.#name, 'addr', 'replace', `${address}/32`, 'dev', 'lo')
    return address
  }

  #start(argv: readonly string[]): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.#name, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  #ip(...argv: string[]): void {
    execFileSync('ip', argv)
  }
}

/** A process whose lines are kept with the time they came. */
export class Peer {
  readonly lines: { readonly at: number; readonly text: string }[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = new Promise(resolve => child.once('exit', () => resolve()))
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', text => this.lines.push({ at: Date.now(), text }))
  }

  /** The first line that fits and came since. */
  find(pattern: RegExp, since = 0) {
    return this.lines.find(({ at, text }) => at >= since && pattern.test(text))
  }

  async said(pattern: RegExp, since = 0, withinMs = 20_000): Promise<{ at: number; text: string }> {
    const tail = () =>
      this.lines
        .slice(-8)
        .map(({ text }) => text)
        .join('\n  ')
    return await waitFor(() => this.find(pattern, since), `${pattern} in the log`, withinMs).catch(error => {
      throw new Error(`${(error as Error).message}; it said:\n  ${tail()}`)
    })
  }

  write(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

export class Serf extends Peer {
  readonly #net: Net
  readonly #rpc: string

  constructor(child: ChildProcess, net: Net, rpc: string) {
    super(child)
    this.#net = net
    this.#rpc = rpc
  }

  /** Names and states, as `serf members` tells. */
  async members(): Promise<Map<string, string>> {
    try {
      const output = await this.#net.exec(['serf', 'members', `-rpc-addr=${this.#rpc}`])
      const lines = output.trim().split('\n')
      return new Map(lines.map(line => line.trim().split(/\s+/)).map(([name, , state]) => [name!, state!]))
    } catch {
      return new Map() // not there yet
    }
  }

  async join(address: string): Promise<void> {
    await this.#net.exec(['serf', 'join', `-rpc-addr=${this.#rpc}`, `${address}:${PORT}`])
  }
}

export class Ours extends Peer {
  async join(address: string): Promise<{ joined: boolean; error?: string }> {
    return await this.#ask(`join ${address} ${PORT}`, /"joined"/)
  }

  async members(): Promise<Map<string, string>> {
    const { members } = await this.#ask<{ members: { name: string; state: string }[] }>('members', /"members"/)
    return new Map(members.map(({ name, state }) => [name, state]))
  }

  async leave(): Promise<void> {
    await this.#ask('leave', /"left"/)
  }

  async #ask<T>(line: string, answer: RegExp): Promise<T> {
    const before = this.lines.length
    this.write(line)
    const found = await waitFor(
      () => this.lines.slice(before).find(({ text }) => answer.test(text)),
      `an answer to ${line}`,
    )
    return JSON.parse(found.text)
  }
}
