import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '../../src/apps/lab/index.ts'
import { Daemons } from './daemon.ts'
import { OURS, type Router, type RouterConfig, THEIRS } from './router.ts'

export const BIRD = '/usr/sbin/bird'

/** BIRD 2 in a network namespace. */
export class Bird extends Daemons implements Router {
  readonly #config: string

  constructor({ netns, config }: { readonly netns: string; readonly config: string }) {
    super(netns)
    this.#config = config
  }

  async start(): Promise<void> {
    const { dir } = this
    writeFileSync(join(dir, 'bird.conf'), this.#config)
    this.spawn([BIRD, '-f', '-c', `${dir}/bird.conf`, '-s', `${dir}/bird.ctl`, '-P', `${dir}/bird.pid`])
    await waitFor(async () => (await this.ask('show', 'status')).includes('up and running'), 'bird to answer')
  }

  async prefixes(family: 'ipv4' | 'ipv6'): Promise<string[]> {
    const text = await this.ask(
      'show',
      'route',
      'protocol',
      'speaker',
      'table',
      family === 'ipv4' ? 'master4' : 'master6',
    )
    return [...text.matchAll(/^(\S+\/\d+) +unicast/gm)].map(([, prefix]) => prefix!)
  }

  /** Asks us for all routes again (RFC 2918). */
  refresh(): Promise<string> {
    return this.ask('reload', 'in', 'speaker')
  }

  /** What birdc prints. */
  ask(...words: string[]): Promise<string> {
    return this.output(['birdc', '-s', `${this.dir}/bird.ctl`, ...words])
  }
}

/** One neighbor, both families. */
export function birdRouter(router: RouterConfig): Bird {
  const { netns, over, ourAsn, asn, password, gtsm, hops = 1, dials, bfd, addPath } = router
  const { us, them } = router.between ?? { us: OURS[over], them: THEIRS[over] }
  const config = `router id 10.20.0.2;
protocol device {}
${bfd ? 'protocol bfd { interface "eth0" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }; }' : ''}
${router.via ? `protocol static { ipv4; route 0.0.0.0/0 via ${router.via}; }` : ''}
protocol bgp speaker {
  local ${them} as ${asn};
  neighbor ${us} as ${ourAsn};
  ${hops > 1 ? `multihop ${hops};` : 'direct;'}
  error wait time 1, 2;
  ${bfd ? 'bfd on;' : ''}
  ${dials ? 'connect delay time 1; connect retry time 1;' : 'passive on;'}
  ${password ? `password "${password}";` : ''}
  ${gtsm ? 'ttl security on;' : ''}
  ipv4 { import all; export none; extended next hop on; ${addPath ? 'add paths rx;' : ''} };
  ipv6 { import all; export none; ${addPath ? 'add paths rx;' : ''} };
}
`
  return new Bird({ netns, config })
}
