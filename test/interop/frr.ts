/** FRR in a network namespace, without systemd and without touching /etc/frr. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, run } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'

export const BGPD = '/usr/lib/frr/bgpd'
const ZEBRA = '/usr/lib/frr/zebra'

export interface FrrOptions {
  readonly netns: string
  /** Of bgpd. */
  readonly config: string
  /** Also zebra, which puts routes into the kernel. */
  readonly forwards?: boolean
}

export class Frr {
  readonly #netns: string
  readonly #dir: string
  readonly #config: string
  readonly #forwards: boolean
  #children: ChildProcess[] = []

  constructor({ netns, config, forwards = false }: FrrOptions) {
    this.#netns = netns
    this.#config = config
    this.#forwards = forwards
    this.#dir = mkdtempSync('/tmp/metallb-frr-')
  }

  /** Rejects where it does not answer in time. */
  async start(): Promise<void> {
    writeFileSync(join(this.#dir, 'bgpd.conf'), this.#config)
    writeFileSync(join(this.#dir, 'zebra.conf'), 'hostname router\n')
    await must(['chown', '-R', 'frr:frr', this.#dir]) // zebra gives up root
    if (this.#forwards) {
      this.#spawn(ZEBRA, 'zebra')
      await this.#answers('zebra')
    }
    this.#spawn(BGPD, 'bgpd', ...(this.#forwards ? [] : ['-Z', '-n']))
    await this.#answers('bgpd')
  }

  /** Ends it by SIGKILL: the kernel closes its connections. */
  async kill(): Promise<void> {
    const ended = this.#children.map(child => child.exitCode ?? child.signalCode ?? once(child, 'exit'))
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all(ended)
    this.#children = []
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** What vtysh prints; the lines after the first are typed one after the other. */
  async ask(...commands: string[]): Promise<string> {
    const args = commands.flatMap(command => ['-c', command])
    const { stdout } = await run(['ip', 'netns', 'exec', this.#netns, 'vtysh', '--vty_socket', this.#dir, ...args])
    return stdout
  }

  async json<T>(command: string): Promise<T> {
    return JSON.parse((await this.ask(`${command} json`)) || '{}') as T
  }

  /** Prefixes of the family by prefix, each with its paths. */
  async table(family: 'ipv4' | 'ipv6'): Promise<Record<string, FrrPath[]>> {
    const { routes = {} } = await this.json<{ routes?: Record<string, FrrPath[]> }>(`show bgp ${family} unicast`)
    return routes
  }

  async isEstablished(neighbor: string): Promise<boolean> {
    const known = await this.json<Record<string, { bgpState?: string }>>(`show bgp neighbors ${neighbor}`)
    return known[neighbor]?.bgpState === 'Established'
  }

  #spawn(program: string, name: string, ...flags: string[]): void {
    const dir = this.#dir
    const files = ['-f', `${dir}/${name}.conf`, '-i', `${dir}/${name}.pid`, '--vty_socket', dir, '-z', `${dir}/zserv`]
    const args = ['netns', 'exec', this.#netns, 'setpriv', '--pdeathsig', 'KILL', program, ...files]
    this.#children.push(spawn('ip', [...args, '-P', '0', ...flags], { stdio: 'ignore' }))
  }

  async #answers(daemon: string): Promise<void> {
    const up = async () => (await this.ask('show daemons')).includes(daemon)
    await waitFor(up, `${daemon} to answer`)
  }
}

export interface FrrPath {
  readonly valid?: boolean
  readonly multipath?: boolean
  readonly peerId: string
  readonly path: string
  readonly locPrf?: number
  readonly nexthops: readonly { readonly ip: string }[]
}
