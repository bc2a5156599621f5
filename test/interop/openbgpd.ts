import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/apps/lab/index.ts'
import { Daemons } from './daemon.ts'
import { OURS, type Router, type RouterConfig, THEIRS } from './router.ts'

export const OPENBGPD = '/usr/sbin/bgpd'
/** Where its processes lock themselves in; Debian leaves it to systemd. */
const JAIL = '/run/openbgpd'

/** OpenBGPD, one neighbor, both families. */
export class OpenBgpd extends Daemons implements Router {
  readonly #config: RouterConfig

  constructor(config: RouterConfig) {
    super(config.netns)
    this.#config = config
  }

  async start(): Promise<void> {
    const file = join(this.dir, 'bgpd.conf')
    mkdirSync(JAIL, { recursive: true })
    writeFileSync(file, textOf(this.#config, this.#socket), { mode: 0o600 }) // it refuses what others may read
    this.spawn([OPENBGPD, '-d', '-f', file])
    await waitFor(async () => (await this.ask('show', 'neighbor')).includes('BGP neighbor is'), 'bgpd to answer')
  }

  async prefixes(family: 'ipv4' | 'ipv6'): Promise<string[]> {
    const text = await this.ask('-j', 'show', 'rib', family === 'ipv4' ? 'inet' : 'inet6')
    const { rib = [] } = JSON.parse(text || '{}') as { rib?: { prefix: string; valid: boolean }[] }
    return rib.filter(({ valid }) => valid).map(({ prefix }) => prefix)
  }

  /** What bgpctl prints. */
  ask(...words: string[]): Promise<string> {
    return this.output(['bgpctl', '-s', this.#socket, ...words])
  }

  get #socket(): string {
    return join(this.dir, 'bgpd.sock')
  }
}

function textOf({ over, ourAsn, asn, password, gtsm, dials }: RouterConfig, socket: string): string {
  return `AS ${asn}
router-id 10.20.0.2
listen on ${THEIRS[over]}
socket "${socket}"
fib-update no
neighbor ${OURS[over]} {
  remote-as ${ourAsn}
  announce IPv4 unicast
  announce IPv6 unicast
  ${dials ? '' : 'passive'}
  ${password ? `tcp md5sig password ${password}` : ''}
  ${gtsm ? 'ttl-security yes' : ''}
}
allow from any
`
}
