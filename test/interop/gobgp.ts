import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/apps/lab/index.ts'
import { Daemons } from './daemon.ts'
import { OURS, type Router, type RouterConfig, THEIRS } from './router.ts'

export const GOBGPD = '/usr/bin/gobgpd'

/** GoBGP, one neighbor, both families. */
export class GoBgp extends Daemons implements Router {
  readonly #config: RouterConfig

  constructor(config: RouterConfig) {
    super(config.netns)
    this.#config = config
  }

  async start(): Promise<void> {
    const file = join(this.dir, 'gobgp.toml')
    writeFileSync(file, textOf(this.#config))
    this.spawn([GOBGPD, '-f', file, '--api-hosts', '127.0.0.1:50051'])
    await waitFor(async () => (await this.ask('global')).includes('AS:'), 'gobgpd to answer')
  }

  async prefixes(family: 'ipv4' | 'ipv6'): Promise<string[]> {
    return Object.keys(JSON.parse((await this.ask('global', 'rib', '-a', family, '-j')) || '{}'))
  }

  /** What `gobgp` prints. */
  ask(...words: string[]): Promise<string> {
    return this.output(['gobgp', ...words])
  }
}

function textOf(router: RouterConfig): string {
  const { over, ourAsn, asn, password, gtsm, hops = 1, dials, gracefulRestart = false, addPath = false } = router
  const { us, them } = router.between ?? { us: OURS[over], them: THEIRS[over] }
  const families = ['ipv4-unicast', 'ipv6-unicast'].map(
    name => `  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "${name}"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = ${gracefulRestart}`,
  )
  return `[global.config]
  as = ${asn}
  router-id = "10.20.0.2"
  local-address-list = ["${them}"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${us}"
    peer-as = ${ourAsn}
    ${password ? `auth-password = "${password}"` : ''}
  [neighbors.add-paths.config]
    receive = ${addPath}
  [neighbors.transport.config]
    passive-mode = ${!dials}
  [neighbors.graceful-restart.config]
    enabled = ${gracefulRestart}
    helper-only = ${gracefulRestart}
  [neighbors.ttl-security.config]
    enabled = ${gtsm ?? false}
    ttl-min = ${256 - hops}
  [neighbors.ebgp-multihop.config]
    enabled = ${hops > 1 && !gtsm}
    multihop-ttl = ${hops}
${families.join('\n')}
`
}
