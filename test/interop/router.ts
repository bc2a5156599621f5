/** A router in a namespace of its own, one link away from this process, whatever program it runs. */
import { rmSync } from 'node:fs'
import { must, run } from '../../src/apps/lab/command.ts'

export const OURS = { ipv4: '10.20.0.1', ipv6: 'fd20::1' }
export const THEIRS = { ipv4: '10.20.0.2', ipv6: 'fd20::2' }

/** What the scenarios ask of each program. */
export interface Router {
  start(): Promise<void>
  /** Ends it by SIGKILL; it can be started again. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** It stops reading and writing, while its kernel keeps the connections; `thaw` ends that. */
  freeze(): void
  thaw(): void
  /** Prefixes that it would use. */
  prefixes(family: 'ipv4' | 'ipv6'): Promise<string[]>
}

/** What a router is told about us. */
export interface RouterConfig {
  readonly netns: string
  /** Transport. */
  readonly over: 'ipv4' | 'ipv6'
  readonly ourAsn: number
  readonly asn: number
  readonly password?: string
  /** RFC 5082 */
  readonly gtsm?: boolean
  /** Default: the two ends of the link. */
  readonly between?: { readonly us: string; readonly them: string }
  /** BIRD only, which does not ask the kernel: the gateway to where we are. */
  readonly via?: string
  /** How many hops away we are, where that is not 1. */
  readonly hops?: number
  /** Watches us by BFD, 50 ms × 3. GoBGP has none. */
  readonly bfd?: boolean
  /** GoBGP only: keeps routes while we restart, as the others do by themselves. */
  readonly gracefulRestart?: boolean
  /** FRR only: BIRD always does, GoBGP by itself. RFC 8950 */
  readonly extendedNextHop?: boolean
  /** BIRD and GoBGP: takes several paths of a prefix (RFC 7911), as FRR does by itself. */
  readonly addPath?: boolean
  /** It opens the connection too; else it waits for ours. */
  readonly dials?: boolean
}

/** This process has a network of its own already. */
export async function linkTo(netns: string): Promise<void> {
  await run(['ip', 'netns', 'delete', netns])
  await must(['ip', 'netns', 'add', netns])
  // behind others that a test may add: who says no interface gets the first of them
  const link = `link add eth0 index 100 type veth peer name eth0 netns ${netns}`
  const ours = ['link set lo up', link, ...addresses(OURS)]
  await must(['ip', '-batch', '-'], { input: ours.join('\n') })
  await must(['ip', '-n', netns, '-batch', '-'], { input: ['link set lo up', ...addresses(THEIRS)].join('\n') })
}

export async function unlink(netns: string): Promise<void> {
  await must(['ip', 'netns', 'delete', netns])
  rmSync(`/run/netns/${netns}`, { force: true })
}

function addresses({ ipv4, ipv6 }: typeof OURS): string[] {
  return [`addr add ${ipv4}/24 dev eth0`, `addr add ${ipv6}/64 dev eth0 nodad`, 'link set eth0 up']
}
