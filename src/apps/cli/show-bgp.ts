/** The sessions of speakers as people know them from routers. */
import { type NeighborState, stateWord } from '../../control/bgp/index.ts'
import type { SpeakerSessions } from '../speaker/state.ts'
import { style, table } from './terminal.ts'

export function summaryText({ node, bgp }: SpeakerSessions): string {
  const title = style(`Node ${node}`, 'bold')
  if (bgp.neighbors.length === 0) return `${title}: no BGP peers\n`
  const head = ['Neighbor', 'V', 'AS', 'MsgRcvd', 'MsgSent', 'Up/Down', 'State/PfxRcd', 'PfxSnt', 'Peer']
  return `${title}\n${table([head, ...bgp.neighbors.map(summaryRow)], '  ')}\n`
}

function summaryRow(one: NeighborState): string[] {
  const messages = (counts: NeighborState['sent']) => String(Object.values(counts).reduce((sum, n) => sum + n, 0))
  const up = one.state === 'established'
  return [
    ...[one.address, '4', String(one.remoteAs), messages(one.received), messages(one.sent)],
    up ? duration(one.upMs ?? 0) : one.lastClose === undefined ? 'never' : duration(one.lastClose.agoMs),
    up ? String(one.prefixesReceived) : stateWord(one.state),
    ...[String(one.prefixesTold), one.name],
  ]
}

export function neighborText(one: NeighborState, node: string): string {
  const { sent, received, lastClose } = one
  const lines = [
    `BGP neighbor ${one.linkLocal === undefined ? `is ${one.address}` : `on ${one.address}: ${one.linkLocal}`}, remote AS ${one.remoteAs}, local AS ${one.localAsn} (BGPPeer ${one.name}, node ${node})`,
    `  BGP state = ${stateWord(one.state)}${one.upMs === undefined ? '' : `, up for ${duration(one.upMs)}`}`,
    ...(one.missing === undefined ? [] : [`  No session: ${one.missing}`]),
    ...(one.peerHostname ? [`  Hostname: ${one.peerHostname}`] : []),
    ...(one.peerRouterId ? [`  Remote router ID ${one.peerRouterId}, local address ${one.localAddress}`] : []),
    ...(one.holdMs === undefined
      ? []
      : [
          `  Hold time is ${one.holdMs / 1000} seconds, keepalive interval is ${(one.keepaliveMs ?? 0) / 1000} seconds`,
        ]),
    ...(one.families ? [`  Address families: ${one.families.join(', ')}`] : []),
    ...(one.addPath ? [`  Add-path: ${addPathText(one.addPath, one.config.maxPaths)}`] : []),
    '  Message statistics:',
    table(
      [['', 'Sent', 'Rcvd'], ...kinds(sent).map(kind => [stateWord(kind), String(sent[kind]), String(received[kind])])],
      '    ',
    ),
    `  Prefixes: ${one.prefixesTold} sent of ${one.prefixesWanted}, ${one.prefixesReceived} received (none is used)`,
    ...one.routes.flatMap(({ prefix, notSent }) => (notSent ? [`    ${prefix} is not sent: ${notSent}`] : [])),
    `  Connections established ${one.establishedCount}`,
    `  Last reset ${lastClose === undefined ? 'never' : `${duration(lastClose.agoMs)} ago: ${lastClose.reason}`}`,
  ]
  return `${lines.join('\n')}\n`
}

function addPathText(families: readonly string[], maxPaths = 1): string {
  if (families.length === 0) return 'offered, and the peer does not receive it'
  return `up to ${maxPaths} copies of a path in ${families.join(', ')}`
}

/** Prefixes of the family, to whom they are told, and why not to others. */
export function routesText({ node, bgp }: SpeakerSessions, family: 'ipv4' | 'ipv6'): string {
  const rows = bgp.neighbors.flatMap(({ address, routes }) =>
    routes
      .filter(({ prefix }) => prefix.includes(':') === (family === 'ipv6'))
      .map(({ prefix, communities, localPref, paths, notSent }) => [
        ...[prefix, address, localPref === undefined ? '-' : String(localPref), communities.join(' ') || '-'],
        notSent === undefined ? `sent${paths === undefined ? '' : ` ${paths} times`}` : `not sent: ${notSent}`,
      ]),
  )
  const title = style(`Node ${node}`, 'bold')
  if (rows.length === 0) return `${title}: no ${family} prefixes\n`
  return `${title}\n${table([['Network', 'Neighbor', 'LocPrf', 'Communities', ''], ...rows], '  ')}\n`
}

/** `00:05:09`, `3d04h07m`, as routers print it. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days}d${two(hours)}h${two(minutes)}m`
  return `${two(hours)}:${two(minutes)}:${two(seconds % 60)}`
}

function kinds(counts: NeighborState['sent']): (keyof NeighborState['sent'])[] {
  return Object.keys(counts) as (keyof NeighborState['sent'])[]
}
