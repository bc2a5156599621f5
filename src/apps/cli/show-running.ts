/** The sessions of a speaker as FRR would be told of them: what network engineers can compare with the other side. */
import type { NeighborConfig, NeighborState, RouteState } from '../../control/bgp/index.ts'
import type { SpeakerSessions } from '../speaker/state.ts'

export function runningText({ node, bgp }: SpeakerSessions): string {
  const routers = groupBy(bgp.neighbors, ({ vrf = '', config: { myAsn } }) => `${myAsn}${vrf && ` vrf ${vrf}`}`)
  const lines = [
    `! speaker on node ${node}`,
    ...bfdLines(bgp.neighbors),
    ...[...routers].flatMap(([router, neighbors]) => routerLines(router, neighbors)),
    ...bgp.neighbors.flatMap(routeMapLines),
  ]
  return `${lines.join('\n')}\n`
}

function bfdLines(neighbors: readonly NeighborState[]): string[] {
  const profiles = new Map(neighbors.flatMap(({ bfd }) => (bfd ? [[bfd.profile.name, bfd.profile]] : [])))
  if (profiles.size === 0) return []
  const lines = [...profiles.values()].flatMap(profile => [
    ` profile ${profile.name}`,
    ...option('  detect-multiplier', profile.detectMultiplier),
    ...option('  receive-interval', profile.receiveIntervalMs),
    ...option('  transmit-interval', profile.transmitIntervalMs),
    ...(profile.echoMode ? ['  echo-mode'] : []),
    ...option('  echo transmit-interval', profile.echoIntervalMs),
    ...option('  echo receive-interval', profile.echoIntervalMs),
    ...(profile.passiveMode ? ['  passive-mode'] : []),
    ...option('  minimum-ttl', profile.minimumTtl),
    ' exit',
    ' !',
  ])
  return ['bfd', ...lines, 'exit', '!']
}

function routerLines(router: string, neighbors: readonly NeighborState[]): string[] {
  const routerId = neighbors.find(({ config }) => config.routerId)?.config.routerId
  const stale = neighbors.find(({ config }) => config.longLivedStaleSeconds)?.config.longLivedStaleSeconds
  return [
    `router bgp ${router}`,
    ...option(' bgp router-id', routerId),
    ...option(' bgp long-lived-graceful-restart stale-time', stale),
    ' no bgp default ipv4-unicast',
    ...neighbors.flatMap(neighborLines),
    ' !',
    ...(['ipv4', 'ipv6'] as const).flatMap(family => familyLines(family, neighbors)),
    'exit',
    '!',
  ]
}

function neighborLines({ name, address, port, config }: NeighborState): string[] {
  const { localAsn, remoteAs, sourceAddress, ttlSecurityHops, bfdProfile } = config
  const said = (words: string) => ` neighbor ${address} ${words}`
  const when = (given: unknown, words: string) => (given ? [said(words)] : [])
  return [
    said(`${config.interface === undefined ? '' : 'interface '}remote-as ${remoteAs}`),
    said(`description ${name}`),
    ...when(localAsn, `local-as ${localAsn} no-prepend replace-as`),
    ...when(port !== 179, `port ${port}`),
    ...when(sourceAddress, `update-source ${sourceAddress}`),
    ...timerWords(config).map(said),
    ...when(config.signed === 'md5', 'password <retracted>'),
    ...when(config.signed === 'tcp-ao', 'tcp-ao <retracted>'),
    ...when(config.passive, 'passive'),
    ...when(config.role, `local-role ${config.role}`),
    ...when(config.ebgpMultiHop && !ttlSecurityHops, 'ebgp-multihop'), // FRR takes one of both
    ...when(ttlSecurityHops, `ttl-security hops ${ttlSecurityHops}`),
    ...when(config.gracefulRestart, 'graceful-restart'),
    ...when(address.includes(':') && config.families.includes('ipv4'), 'capability extended-nexthop'),
    ...when(bfdProfile, 'bfd'),
    ...when(bfdProfile, `bfd profile ${bfdProfile}`),
  ]
}

/** Of two times only one may be configured: the other follows from it (chapter 04 section 1.1). */
function timerWords({ holdMs, keepaliveMs, connectMs }: NeighborConfig): string[] {
  const words: string[] = []
  if (holdMs !== undefined) words.push(`timers ${seconds(keepaliveMs ?? holdMs / 3)} ${seconds(holdMs)}`)
  if (connectMs !== undefined) words.push(`timers connect ${seconds(connectMs)}`)
  return words
}

/** FRR has whole ones. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

function familyLines(family: 'ipv4' | 'ipv6', neighbors: readonly NeighborState[]): string[] {
  const active = neighbors.filter(({ config }) => config.families.includes(family))
  if (active.length === 0) return []
  const prefixes = new Set(active.flatMap(one => one.routes.map(({ prefix }) => prefix).filter(isOf(family))))
  return [
    ` address-family ${family} unicast`,
    ...[...prefixes].map(prefix => `  network ${prefix}`),
    ...active.flatMap(one => [
      `  neighbor ${one.address} activate`,
      ...(one.config.maxPaths === undefined ? [] : [`  neighbor ${one.address} addpath-tx-all-paths`]),
      ...(one.routes.some(({ prefix }) => isOf(family)(prefix))
        ? [`  neighbor ${one.address} route-map ${mapOf(one)} out`]
        : []),
    ]),
    ' exit-address-family',
    ' !',
  ]
}

function isOf(family: 'ipv4' | 'ipv6'): (prefix: string) => boolean {
  return prefix => prefix.includes(':') === (family === 'ipv6')
}

/** One entry for all prefixes of a family that say the same. */
function routeMapLines(neighbor: NeighborState): string[] {
  const meant = neighbor.routes.filter(({ prefix }) => neighbor.config.families.some(family => isOf(family)(prefix)))
  const alike = groupBy(meant, route => [isOf('ipv6')(route.prefix), ...setLines(route)].join('\n'))
  const lists: string[] = []
  const maps: string[] = []
  for (const [index, group] of [...alike.values()].entries()) {
    const [first] = group as [RouteState, ...RouteState[]]
    const ip = isOf('ipv6')(first.prefix) ? 'ipv6' : 'ip'
    const list = `${mapOf(neighbor)}-${index + 1}`
    lists.push(...group.map(({ prefix }, at) => `${ip} prefix-list ${list} seq ${at + 1} permit ${prefix}`))
    maps.push(`route-map ${mapOf(neighbor)} permit ${index + 1}`, ` match ${ip} address prefix-list ${list}`)
    maps.push(...setLines(first), 'exit', '!')
  }
  return lists.length === 0 ? [] : [...lists, '!', ...maps]
}

/** As the FRR mode of the reference names it. */
function mapOf({ address, vrf }: NeighborState): string {
  return `${address}${vrf === undefined ? '' : `-${vrf}`}-out`
}

function setLines({ localPref, med, prepend, linkBandwidth, communities }: RouteState): string[] {
  const large = communities.filter(community => community.split(':').length === 3)
  const standard = communities.filter(community => !large.includes(community))
  return [
    ...option(' set local-preference', localPref),
    ...option(' set metric', med),
    ...option(' set as-path prepend last-as', prepend),
    ...(standard.length > 0 ? [` set community ${standard.join(' ')}`] : []),
    ...(large.length > 0 ? [` set large-community ${large.join(' ')}`] : []),
    ...(linkBandwidth === undefined ? [] : [` set extcommunity bandwidth ${megabits(linkBandwidth)}`]),
  ]
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

/** FRR's unit is Mbit/s. */
function megabits(bytesPerSecond: number): string {
  return String(Number(((bytesPerSecond * 8) / 1e6).toPrecision(6)))
}

function option(words: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${words} ${value}`]
}
