/** The BFD sessions of a speaker's peers, in the words of `show bfd peers`. */
import type { BfdState, NeighborState } from '../../control/bgp/index.ts'
import { describeDiagnostic } from '../../protocols/bfd/index.ts'
import type { SpeakerSessions } from '../speaker/state.ts'
import { style } from './terminal.ts'

export function bfdText({ node, bgp }: SpeakerSessions): string {
  const title = style(`Node ${node}`, 'bold')
  const peers = bgp.neighbors.flatMap(neighbor => (neighbor.bfd ? [peerText(neighbor, neighbor.bfd)] : []))
  return peers.length === 0 ? `${title}: no BFD peers\n` : `${title}\nBFD Peers:\n${peers.join('')}`
}

function peerText({ address, localAddress, vrf, name }: NeighborState, { profile, state, session }: BfdState): string {
  const hops = session?.multihop ? ' multihop' : ''
  const head = `  peer ${address}${localAddress ? ` local-address ${localAddress}` : ''}${hops}${vrf ? ` vrf ${vrf}` : ''}`
  const lines = [`Peer: ${name}, profile ${profile.name}`, `Status: ${state === 'adminDown' ? 'shutdown' : state}`]
  if (session === undefined) lines.push('Not started: it begins with the BGP session')
  else lines.push(...sessionLines(session))
  return `${[head, ...lines.map(line => `    ${line}`)].join('\n')}\n`
}

function sessionLines(session: NonNullable<BfdState['session']>): string[] {
  const { echoIntervalMs } = session
  return [
    `ID: ${session.discriminator}`,
    `Remote ID: ${session.remoteDiscriminator}`,
    `Remote status: ${session.remoteState}`,
    `Diagnostics: ${describeDiagnostic(session.diagnostic)}`,
    `Remote diagnostics: ${describeDiagnostic(session.remoteDiagnostic)}`,
    `Transmission interval: ${session.transmitIntervalMs}ms`,
    `Detection timeout: ${session.detectionTimeMs}ms`,
    `Echo transmission interval: ${echoIntervalMs === 'off' ? 'disabled' : `${echoIntervalMs}ms`}`,
    `Control packet input: ${session.controlInput} packets`,
    `Control packet output: ${session.controlOutput} packets`,
    `Echo packet input: ${session.echoInput} packets`,
    `Echo packet output: ${session.echoOutput} packets`,
    `Session up events: ${session.upEvents}`,
    `Session down events: ${session.downEvents}`,
  ]
}
