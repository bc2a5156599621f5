/** A router for the lab with BGP and BFD to each node, as docs/guide/bgp.md describes it, run by FRR or by BIRD. */

import { existsSync, readFileSync } from 'node:fs'
import type { Lab } from '../../src/apps/lab/index.ts'
import { BGPD } from '../interop/frr.ts'
import { podsReady, podYaml, serviceYaml } from './harness.ts'

/** What the guide shows is what runs here. */
export const BGP_GUIDE = `${readFileSync('docs/guide/bgp.md', 'utf8').match(/```yaml\n([\s\S]*?)```/)?.[1] ?? ''}---`

/** In CI that is an error: nothing is skipped there. */
export function whyNoFrr(): string | undefined {
  if (existsSync(BGPD)) return undefined
  if (process.env.CI) throw new Error('in CI nothing is skipped: FRR is missing')
  return 'FRR is not installed'
}

/** Flows keep their path, and nobody is told of a shorter one. */
export async function prepareRouter({ router }: Lab): Promise<void> {
  const quiet = ['net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.eth0.send_redirects=0']
  await router.exec(['sysctl', '-qw', 'net.ipv4.fib_multipath_hash_policy=1', ...quiet])
}

export function frrConfig(lab: Lab): string {
  const neighbors = lab.plan.nodes.map(
    ({ address }) => ` neighbor ${address} remote-as 64512
 neighbor ${address} passive
 neighbor ${address} password secret
 neighbor ${address} bfd
 neighbor ${address} bfd profile fast`,
  )
  return `router bgp 64513
 bgp router-id 192.168.10.1
 no bgp ebgp-requires-policy
 bgp bestpath as-path multipath-relax
${neighbors.join('\n')}
 address-family ipv4 unicast
  maximum-paths 16
 exit-address-family
`
}

export function birdConfig(lab: Lab): string {
  const neighbors = lab.plan.nodes.map(
    ({ name, address }) => `protocol bgp ${name} {
  local 192.168.10.1 as 64513;
  neighbor ${address} as 64512;
  passive on;
  password "secret";
  bfd on;
  error wait time 1, 2;
  ipv4 { import all; export none; };
}`,
  )
  return `router id 192.168.10.1;
protocol device {}
protocol bfd {
  interface "eth0" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
}
protocol kernel { merge paths on; ipv4 { export all; }; }
${neighbors.join('\n')}
`
}

/** The configuration, and a Service `web` with a Pod on each of the first nodes; until the Pods are ready. */
export async function serveWeb(lab: Lab, configuration: string, names: readonly string[]): Promise<void> {
  const pods = names.map((pod, i) => podYaml(pod, 'web', `node${i + 1}`)).join('')
  await lab.apply(configuration + pods + serviceYaml('web', 'web'))
  await podsReady(lab, names)
}
