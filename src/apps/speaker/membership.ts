/** The speaker's membership: memberlist and the heartbeats beside it, from flags, files and the platform. */
import { LinuxHeartbeats, type LinuxLayer2Options } from '../../adapters/linux/index.ts'
import { aesGcm } from '../../adapters/system/aead.ts'
import { systemStreams } from '../../adapters/system/tcp.ts'
import { openUdp } from '../../adapters/system/udp.ts'
import { pods } from '../../api/index.ts'
import {
  CombinedMembership,
  disabledMembership,
  followSpeakers,
  Majority,
  MemberlistMembership,
  MemberlistMetrics,
  RefusedPackets,
} from '../../control/membership/index.ts'
import { type Address, parseAddress } from '../../core/ip/index.ts'
import type { Membership, Task } from '../../ports/index.ts'
import { type Keyring, keyOf, type MemberlistConfig } from '../../protocols/memberlist/index.ts'
import { Fatal, type Platform } from '../daemon.ts'
import { readDuration, type SpeakerFlags } from './flags.ts'
import { readMemberlistConfig } from './memberlist-config.ts'
import { KeyReload, readSecrets } from './memberlist-keys.ts'

const DEFAULT_ML_PORT = 7946
/** Heartbeat silence that memberlist contradicts counts at least for so long. */
const TRUST_MS = 10_000

export interface ComposedMembership {
  readonly membership: Membership
  /** In the order of their start. */
  readonly tasks: readonly Task[]
  /** Runs in the thread of the layer 2 responder. */
  readonly companion?: LinuxLayer2Options['companion']
}

const hasMembership = (flags: SpeakerFlags) => flags['ml-bindaddr'] !== '' && flags['ml-labels'] !== ''

/** @throws Fatal where an address or port is none, or something is asked of speakers that do not see one another */
export function checkMembership(flags: SpeakerFlags): void {
  if (hasMembership(flags)) {
    readPlaces(flags)
    return
  }
  const needy = flags['require-majority'] ? 'require-majority' : readDuration(flags, 'hold-down') > 0 && 'hold-down'
  if (!needy) return
  const error = `${needy} needs ml-bindaddr and ml-labels`
  throw new Fatal({ op: 'startup', error, msg: 'without membership no speaker sees another one' })
}

/** @throws Fatal where flags, key or file are wrong */
export function composeMembership(platform: Platform<SpeakerFlags>): ComposedMembership {
  const { flags, log, metrics, informers, namespace, clock, random } = platform
  const labelSelector = flags['ml-labels']
  if (!hasMembership(flags)) return { membership: disabledMembership(log), tasks: [] }
  const { address, port, heartbeatPort } = readPlaces(flags)
  const text = flags['ml-bindaddr']
  const config = readMemberlistConfig(flags, log)
  const directory = flags['ml-secret-key-path']
  const secrets = readSecrets(directory)
  const common = { node: flags['node-name'], clock, random, log }
  const peers = { pods: informers.of(pods, { namespace, labelSelector }), family: address.family }
  const keyring = keyringOf(secrets, config)
  const memberlist = new MemberlistMembership({
    ...{ ...common, address, port, config, peers, metrics, streams: systemStreams, heartbeats: heartbeatPort > 0 },
    open: () => openUdp({ address: text, port }),
    ...(keyring && { keyring }),
  })
  const refused = new RefusedPackets('heartbeat', { clock, log, metrics })
  const heartbeats = new LinuxHeartbeats({
    ...{ node: common.node, address, port: heartbeatPort, secrets, clock },
    follow: found => followSpeakers(peers, common.node, found),
    refused: packets => refused.note(packets),
  })
  const trustMs = Math.max(TRUST_MS, 10 * config.probeIntervalMs)
  const membership = new CombinedMembership({
    ...{ node: common.node, memberlist, trustMs, clock, log },
    retireMs: readDuration(flags, 'quiet-takeover'),
    holdDownMs: readDuration(flags, 'hold-down'),
    ...(flags['require-majority'] && { majority: new Majority(peers.pods) }),
    ...(heartbeatPort > 0 && { heartbeats }),
  })
  const reload = new KeyReload(directory, log, fresh => {
    memberlist.keyring = keyringOf(fresh, config)
    heartbeats.secrets = fresh
  })
  const memberlistMetrics = new MemberlistMetrics(memberlist, metrics, clock)
  return {
    membership,
    tasks: [memberlistMetrics, ...(secrets.length > 0 ? [reload] : []), orFatal(membership)],
    ...(heartbeatPort > 0 && { companion: () => heartbeats.companion() }),
  }
}

/** A port that cannot be had is said to be that, and not a fault of the API. */
function orFatal(membership: CombinedMembership): Task {
  const failed = (error: unknown) => {
    throw new Fatal({ op: 'startup', error, msg: 'failed to create memberlist' })
  }
  const { name } = membership
  const [stop, ready] = [() => membership.stop(), () => membership.ready()]
  return { name, start: () => membership.start().catch(failed), stop, ready }
}

/** Where memberlist and heartbeats are; port 0: no heartbeats. @throws Fatal */
function readPlaces(flags: SpeakerFlags) {
  const address = readAddress(flags['ml-bindaddr'])
  const port = readPort('ml-bindport', flags['ml-bindport'], DEFAULT_ML_PORT)
  const heartbeatPort = readPort('heartbeat-port', flags['heartbeat-port'], port === 65_535 ? port - 1 : port + 1, 0)
  return { address, port, heartbeatPort }
}

function readAddress(text: string): Address {
  const address = parseAddress(text)
  if (address !== undefined && address.value !== 0n) return address
  const error = `ml-bindaddr: "${text}" is no IP address that other speakers can reach`
  throw new Fatal({ op: 'startup', error, msg: 'failed to create memberlist' })
}

function readPort(flag: string, text: string, byDefault: number, min = 1): number {
  if (text === '') return byDefault
  if (/^[0-9]{1,5}$/.test(text) && Number(text) >= min && Number(text) < 65_536) return Number(text)
  throw new Fatal({ op: 'startup', error: `unable to parse ${flag}`, msg: `"${text}" is no port number` })
}

function keyringOf(secrets: readonly Uint8Array[], config: MemberlistConfig): Keyring | undefined {
  if (secrets.length === 0) return undefined
  const { verifyIncoming, sealOutgoing } = config
  return { keys: secrets.map(secret => aesGcm(keyOf(secret))), verifyIncoming, sealOutgoing }
}
