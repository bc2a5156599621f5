/** `metallb speaker`: makes the network send the traffic of service addresses to this node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Exclusions, LinuxLayer2Responder, NO_EXCLUSIONS, parseExclusions } from '../../adapters/linux/index.ts'
import { sha256 } from '../../adapters/system/hash.ts'
import { hmacSha256 } from '../../adapters/system/hmac.ts'
import { openUdp } from '../../adapters/system/udp.ts'
import {
  communities,
  configurationStates,
  endpointSlices,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  nodes,
  pods,
  serviceL2Statuses,
  services,
} from '../../api/index.ts'
import { Layer2Protocol, SpeakerController } from '../../control/announce/index.ts'
import { ConfigLoader } from '../../control/config/index.ts'
import { L2StatusController } from '../../control/l2-status/index.ts'
import { disabledMembership, HeartbeatMembership } from '../../control/membership/index.ts'
import { parseDuration } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { Membership, Task } from '../../ports/index.ts'
import { type Composition, type Daemon, Fatal, type Platform, runDaemon } from '../daemon.ts'
import { type SpeakerFlags, speakerFlags } from './flags.ts'
import { responderWorkerUrl } from './responder-worker-url.ts'

const EXCLUSIONS = '/etc/metallb/excludel2.yaml'
const DEFAULT_ML_PORT = 7946

export const speaker: Daemon<typeof speakerFlags> = {
  name: 'speaker',
  flags: speakerFlags,
  probeHost: '127.0.0.1',
  check(flags) {
    if (flags['node-name'] === '')
      throw new Fatal({ error: 'must specify --node-name or METALLB_NODE_NAME', msg: 'missing configuration' })
    const provided = flags['bgp-debounce-timeout']
    if (!/^[1-9][0-9]*$/.test(provided))
      throw new Fatal({
        op: 'startup',
        msg: 'invalid BGP debounce timeout value, must be a positive integer value',
        provided,
      })
  },
  compose,
}

async function compose(platform: Platform<SpeakerFlags>): Promise<Composition> {
  const { flags, log, metrics, kube, informers, recorder, namespace, pod, clock } = platform
  const node = flags['node-name']
  const exclusions = readExclusions()
  const membership = composeMembership(platform)
  const responder = new LinuxLayer2Responder({
    worker: responderWorkerUrl,
    log,
    metrics,
    clock,
    exclusions,
    debug: log.level === 'debug' || log.level === 'all',
    realtime: true,
    refreshMs: readRefresh(flags['gratuitous-arp-interval']),
  })
  const excludes = (name: string) => exclusions.some(pattern => pattern.test(name))
  const layer2 = new Layer2Protocol({ node, responder, interfaces: responder, excludes })
  const nodeInformer = informers.of(nodes)
  const announcing = new SpeakerController({
    node,
    services: informers.of(services),
    endpointSlices: informers.of(endpointSlices),
    nodes: nodeInformer,
    membership,
    protocols: [layer2],
    plan: { ignoreExcludeLb: flags['ignore-exclude-lb'], lbClass: flags['lb-class'] },
    hash: sha256,
    clock,
    log,
    metrics,
    recorder,
  })
  const config = new ConfigLoader({
    kube,
    clock,
    log,
    metrics,
    namespace,
    node,
    pod,
    sources: {
      pools: informers.of(ipAddressPools, { namespace }),
      communities: informers.of(communities, { namespace }),
      namespaces: informers.of(namespaces),
      l2Advertisements: informers.of(l2Advertisements, { namespace }),
      nodes: nodeInformer,
    },
    states: informers.of(configurationStates),
    apply: config => announcing.setConfig(config),
    reprocessAll: () => announcing.reprocessAll(),
  })
  const status = new L2StatusController({
    node,
    namespace,
    owner: { apiVersion: 'v1', kind: 'Pod', ...pod },
    announcements: layer2,
    settled: announcing.whenSettled(),
    kube,
    statuses: informers.of(serviceL2Statuses),
    hash: sha256,
    clock,
    log,
  })
  // Membership stops first: the others take over while this speaker still answers.
  const leaving: Task[] = membership instanceof HeartbeatMembership ? [membership] : []
  return { tasks: [responder, announcing, config, status, ...leaving] }
}

function composeMembership(platform: Platform<SpeakerFlags>): Membership {
  const { flags, log, informers, namespace, clock, random } = platform
  const address = flags['ml-bindaddr']
  const labelSelector = flags['ml-labels']
  if (address === '' || labelSelector === '') return disabledMembership(log)
  const family = parseAddress(address)?.family
  if (family === undefined)
    throw new Fatal({
      op: 'startup',
      error: `ml-bindaddr: "${address}" is no IP address`,
      msg: 'failed to create memberlist',
    })
  const port = readPort(flags['ml-bindport'])
  const key = readSecret(flags['ml-secret-key-path'])
  return new HeartbeatMembership({
    node: flags['node-name'],
    open: () => openUdp({ address, port }),
    port,
    clock,
    random,
    log,
    hmac: key === undefined ? undefined : hmacSha256(key),
    peers: { pods: informers.of(pods, { namespace, labelSelector }), family },
  })
}

function readPort(text: string): number {
  if (text === '') return DEFAULT_ML_PORT
  if (/^[0-9]{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65536) return Number(text)
  throw new Fatal({ op: 'startup', error: 'unable to parse ml-bindport', msg: `"${text}" is no port number` })
}

/** Undefined where nothing is to be authenticated. */
function readSecret(directory: string): Uint8Array | undefined {
  if (directory === '') return undefined
  try {
    const secret = readFileSync(join(directory, 'secretkey'))
    return secret.length === 0 ? undefined : new Uint8Array(secret)
  } catch (error) {
    throw new Fatal({ op: 'startup', error, msg: 'failed to read memberlist secret key file' })
  }
}

function readExclusions(): Exclusions {
  try {
    return parseExclusions(readFileSync(EXCLUSIONS, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NO_EXCLUSIONS
    throw new Fatal({ op: 'startup', error, msg: 'failed to parse announcedInterfacesToExclude from configMap' })
  }
}

/** Milliseconds between refreshing announcements (IMP-14), 0 for none. */
function readRefresh(text: string): number {
  const nanoseconds = parseDuration(text)
  if (nanoseconds !== undefined && nanoseconds >= 0n) return Number(nanoseconds / 1_000_000n)
  throw new Fatal({
    op: 'startup',
    msg: 'invalid gratuitous ARP interval, must be a duration such as 30s',
    provided: text,
  })
}

export const main = (args: readonly string[]) => runDaemon(speaker, args)
