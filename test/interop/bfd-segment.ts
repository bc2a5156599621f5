// Routers for the BFD tests: FRR's zebra and bfdd in network namespaces, this process as the node beside them.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { enterFreshNetwork } from '../contract/fresh-network.ts'

const GIVE_UP_MS = 30_000
const made: string[] = []
const running: ChildProcess[] = []
const run = promisify(execFile)

export function ip(...words: string[]): void {
  execFileSync('ip', words.join(' ').split(' '), { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Call once, first: the process becomes the node. */
export function becomeNode(): void {
  enterFreshNetwork()
  ip('link set lo up')
}

export function addNamespace(label: string): string {
  const name = `bfd${process.pid}${label}`
  ip('netns add', name)
  made.push(name)
  ip('-n', name, 'link set lo up')
  return name
}

/** A cable from this node to the namespace, or between two; both ends with an address of each family. */
export function cable(name: string, namespace: string, subnet: number, from?: string): void {
  ip(`link add ${name} ${from ? `netns ${from} ` : ''}type veth peer name ${name} netns ${namespace}`)
  for (const [end, host] of [
    [from, 1],
    [namespace, 2],
  ] as const) {
    const at = end === undefined ? '' : `-n ${end} `
    ip(`${at}addr add 10.77.${subnet}.${host}/24 dev ${name}`)
    ip(`${at}addr add fd77:${subnet}::${host}/64 dev ${name} nodad`)
    ip(`${at}link set ${name} up`)
  }
}

/** The lines of tcpdump about packets that pass the filter on eth0, from when this resolves. */
export async function capture(filter: string): Promise<{ readonly lines: string[]; readonly end: () => void }> {
  const tcpdump = spawn('tcpdump', ['-i', 'eth0', '-nnql', '--immediate-mode', filter])
  const lines: string[] = []
  createInterface({ input: tcpdump.stdout }).on('line', line => void lines.push(line))
  let told = ''
  tcpdump.stderr.on('data', text => {
    told += text
  })
  await until('tcpdump to listen', () => told.includes('listening on'))
  return { lines, end: () => void tcpdump.kill('SIGKILL') }
}

export interface FrrPeer {
  readonly peer: string
  readonly status: 'up' | 'down' | 'init' | 'shutdown'
  readonly diagnostic: string
  readonly 'remote-diagnostic': string
  readonly 'remote-receive-interval': number
  readonly 'remote-transmit-interval': number
  readonly 'remote-echo-receive-interval': number
  readonly 'echo-transmit-interval': number
}

export interface FrrCounters {
  readonly peer: string
  readonly 'control-packet-input': number
  readonly 'echo-packet-input': number
  readonly 'session-down': number
}

export class Frr {
  readonly namespace: string
  readonly #directories: string[] = []
  #bfdd: ChildProcess | undefined

  private constructor(namespace: string) {
    this.namespace = namespace
  }

  static async start(namespace: string): Promise<Frr> {
    const frr = new Frr(namespace)
    for (const directory of [`/etc/frr/${namespace}`, `/run/frr/${namespace}`]) {
      mkdirSync(directory, { recursive: true })
      execFileSync('chown', ['frr:frr', directory])
      frr.#directories.push(directory)
    }
    writeFileSync(`/etc/frr/${namespace}/empty.conf`, '')
    frr.#spawn('zebra')
    await until('zebra to answer', () => frr.#answers('zebra'))
    await frr.startBfdd()
    return frr
  }

  async startBfdd(): Promise<void> {
    this.#bfdd = this.#spawn('bfdd')
    await until('bfdd to answer', () => this.#answers('bfdd'))
  }

  /** Without a word to its peers. */
  async killBfdd(): Promise<void> {
    this.#bfdd?.kill('SIGKILL')
    await once(this.#bfdd!, 'exit')
  }

  async configure(...lines: string[]): Promise<void> {
    await this.vtysh('configure terminal', 'bfd', ...lines)
  }

  async vtysh(...commands: string[]): Promise<string> {
    const words = commands.flatMap(command => ['-c', command])
    const { stdout } = await run('ip', ['netns', 'exec', this.namespace, 'vtysh', '-N', this.namespace, ...words])
    return stdout
  }

  async peer(address: string): Promise<FrrPeer | undefined> {
    const peers = JSON.parse(await this.vtysh('show bfd peers json')) as FrrPeer[]
    return peers.find(({ peer }) => peer === address)
  }

  async counters(address: string): Promise<FrrCounters> {
    const peers = JSON.parse(await this.vtysh('show bfd peers counters json')) as FrrCounters[]
    return peers.find(({ peer }) => peer === address)!
  }

  removeFiles(): void {
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true })
  }

  #spawn(daemon: string): ChildProcess {
    const { namespace } = this
    // a router of its own would not wait for our cores
    const words = [
      'chrt',
      '-f',
      '30',
      `/usr/lib/frr/${daemon}`,
      '-N',
      namespace,
      '-f',
      `/etc/frr/${namespace}/empty.conf`,
      '-P',
      '0',
    ]
    const stdio = process.env.FRR_DEBUG ? 'inherit' : 'ignore'
    const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio })
    running.push(child)
    return child
  }

  async #answers(daemon: string): Promise<boolean> {
    try {
      await this.vtysh(`show ${daemon === 'zebra' ? 'interface brief' : 'bfd peers brief'}`)
      return true
    } catch {
      return false
    }
  }
}

const routers: Frr[] = []

export async function router(namespace: string): Promise<Frr> {
  const frr = await Frr.start(namespace)
  routers.push(frr)
  return frr
}

export async function tearDown(): Promise<void> {
  const alive = running.filter(child => child.exitCode === null && child.signalCode === null)
  for (const child of alive) child.kill('SIGKILL')
  await Promise.all(alive.map(child => once(child, 'exit')))
  for (const frr of routers) frr.removeFiles()
  for (const name of made.reverse()) ip('netns del', name)
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (const end = performance.now() + GIVE_UP_MS; ; ) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
