/** FRR in a network namespace, without systemd and without touching /etc/frr. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { Daemons } from './daemon.ts'
import { OURS, type Router, type RouterConfig } from './router.ts'

export const BGPD = '/usr/lib/frr/bgpd'
const ZEBRA = '/usr/lib/frr/zebra'
const BFDD = '/usr/lib/frr/bfdd'
/** For `neighbor X bfd profile fast`. */
const fastProfile = (ms: number) =>
  `bfd\n profile fast\n  receive-interval ${ms}\n  transmit-interval ${ms}\n  detect-multiplier 3\n`

export interface FrrOptions {
  readonly netns: string
  /** Of bgpd. */
  readonly config: string
  /** Also zebra, which puts routes into the kernel, and bfdd. */
  readonly forwards?: boolean
  /** Of the BFD profile `fast`, times three. Default 50. */
  readonly bfdIntervalMs?: number
  /** Lines of zebra's configuration. */
  readonly zebra?: string
}

export interface FrrPath {
  readonly valid?: boolean
  readonly multipath?: boolean
  readonly peerId: string
  readonly path: string
  readonly metric?: number
  readonly nexthops: readonly { readonly ip: string }[]
}

export class Frr extends Daemons implements Router {
  readonly #config: string
  readonly #forwards: boolean
  readonly #bfd: string
  readonly #zebra: string

  constructor({ netns, config, forwards = false, bfdIntervalMs = 50, zebra = '' }: FrrOptions) {
    super(netns)
    this.#config = config
    this.#forwards = forwards
    this.#bfd = fastProfile(bfdIntervalMs)
    this.#zebra = `hostname router\n${zebra}\n`
  }

  /** Rejects where it does not answer in time. */
  async start(): Promise<void> {
    const { dir } = this
    writeFileSync(join(dir, 'bgpd.conf'), this.#config)
    writeFileSync(join(dir, 'zebra.conf'), this.#zebra)
    writeFileSync(join(dir, 'bfdd.conf'), this.#bfd)
    await must(['chown', '-R', 'frr:frr', dir]) // zebra gives up root
    if (this.#forwards) {
      await this.#run(ZEBRA, 'zebra')
      await this.#run(BFDD, 'bfdd', '--bfdctl', `${dir}/bfdd.sock`)
    }
    await this.#run(BGPD, 'bgpd', ...(this.#forwards ? [] : ['-Z', '-n']))
  }

  /** Asks us for all IPv4 routes again (RFC 2918). */
  refresh(): Promise<string> {
    return this.ask('clear bgp ipv4 unicast * soft in')
  }

  /** What vtysh prints; the lines after the first are typed one after the other. */
  ask(...commands: string[]): Promise<string> {
    const args = commands.flatMap(command => ['-c', command])
    return this.output(['vtysh', '--vty_socket', this.dir, ...args])
  }

  /** vtysh may find bgpd too busy to let it in, and says so in a warning: then it is asked again. */
  async json<T>(command: string): Promise<T> {
    for (let tries = 0; ; tries++) {
      const text = (await this.ask(`${command} json`)) || '{}'
      const start = text.search(/^[{[]/m)
      if (start >= 0) return JSON.parse(text.slice(start)) as T
      if (tries === 20) throw new Error(`vtysh: ${text}`)
    }
  }

  /** Paths by prefix. */
  async table(family: 'ipv4' | 'ipv6'): Promise<Record<string, FrrPath[]>> {
    const { routes = {} } = await this.json<{ routes?: Record<string, FrrPath[]> }>(`show bgp ${family} unicast`)
    return routes
  }

  async prefixes(family: 'ipv4' | 'ipv6'): Promise<string[]> {
    const entries = Object.entries(await this.table(family))
    return entries.filter(([, paths]) => paths.some(({ valid }) => valid)).map(([prefix]) => prefix)
  }

  async #run(program: string, name: string, ...flags: string[]): Promise<void> {
    const { dir } = this
    const files = ['-f', `${dir}/${name}.conf`, '-i', `${dir}/${name}.pid`, '--vty_socket', dir, '-z', `${dir}/zserv`]
    this.spawn([program, ...files, '-P', '0', ...flags])
    await waitFor(async () => (await this.ask('show daemons')).includes(name), `${name} to answer`)
  }
}

/** One neighbor, both families. */
export function frrRouter(router: RouterConfig): Frr {
  const { netns, over, ourAsn, asn, password, gtsm, hops = 1, dials, extendedNextHop, bfd = false } = router
  const us = router.between?.us ?? OURS[over]
  const families = ['ipv4', 'ipv6'].map(
    family => ` address-family ${family} unicast\n  neighbor ${us} activate\n exit-address-family`,
  )
  const config = `router bgp ${asn}
 bgp router-id 10.20.0.2
 no bgp ebgp-requires-policy
 neighbor ${us} remote-as ${ourAsn}
${dials ? '' : ` neighbor ${us} passive`}
 neighbor ${us} timers connect 1
${bfd ? ` neighbor ${us} bfd\n neighbor ${us} bfd profile fast` : ''}
${password ? ` neighbor ${us} password ${password}` : ''}
${gtsm ? ` neighbor ${us} ttl-security hops ${hops}` : hops > 1 ? ` neighbor ${us} ebgp-multihop ${hops}` : ''}
${extendedNextHop ? ` neighbor ${us} capability extended-nexthop` : ''}
${families.join('\n')}
`
  return new Frr({ netns, config, forwards: bfd })
}
