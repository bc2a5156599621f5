/** `metallb speaker`: makes the network send the traffic of service addresses to this node. */
import { readFileSync } from 'node:fs'
import { type Exclusions, LinuxLayer2Responder, NO_EXCLUSIONS, parseExclusions } from '../../adapters/linux/index.ts'
import { sha256 } from '../../adapters/system/hash.ts'
import {
  communities,
  configurationStates,
  endpointSlices,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  nodes,
  serviceBGPStatuses,
  serviceL2Statuses,
  services,
} from '../../api/index.ts'
import { ConflictWatch, Layer2Protocol, SpeakerController, Takeovers } from '../../control/announce/index.ts'
import { SessionStateWriter } from '../../control/bgp/index.ts'
import { ConfigLoader } from '../../control/config/index.ts'
import { bgpStatus, layer2Status, ServiceStatusController } from '../../control/service-status/index.ts'
import type { Task } from '../../ports/index.ts'
import { type Composition, type Daemon, Fatal, type Platform, runDaemon } from '../daemon.ts'
import { checkBgpType, composeBgp } from './bgp.ts'
import { DURATIONS, readDuration, type SpeakerFlags, speakerFlags } from './flags.ts'
import { checkMembership, composeMembership } from './membership.ts'
import { responderWorkerUrl } from './responder-worker-url.ts'
import { STATE_PATH, stateRoute } from './state.ts'

const EXCLUSIONS = '/etc/metallb/excludel2.yaml'

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
    for (const flag of DURATIONS) readDuration(flags, flag)
    checkMembership(flags)
    checkBgpType(flags, process.env.METALLB_BGP_TYPE)
  },
  compose,
}

async function compose(platform: Platform<SpeakerFlags>): Promise<Composition> {
  const { flags, log, metrics, kube, informers, recorder, namespace, pod, clock } = platform
  const node = flags['node-name']
  const exclusions = readExclusions()
  const { membership, tasks: membershipTasks, companion } = composeMembership(platform)
  const responder = new LinuxLayer2Responder({
    worker: responderWorkerUrl,
    ...(companion && { companion }),
    log,
    metrics,
    clock,
    exclusions,
    debug: log.level === 'debug' || log.level === 'all',
    realtime: true,
    refreshMs: readDuration(flags, 'gratuitous-arp-interval'),
  })
  const excludes = (name: string) => exclusions.some(pattern => pattern.test(name))
  const takeovers = new Takeovers({ node, clock, metrics, log, quietMs: readDuration(flags, 'quiet-takeover') })
  const layer2 = new Layer2Protocol({ node, responder, interfaces: responder, excludes, takeovers, membership })
  const { bgp, liveness, sources: bgpSources, parse } = composeBgp(platform, responder)
  const nodeInformer = informers.of(nodes)
  const announcing = new SpeakerController({
    node,
    services: informers.of(services),
    endpointSlices: informers.of(endpointSlices),
    nodes: nodeInformer,
    membership,
    protocols: [bgp, layer2],
    plan: {
      ignoreExcludeLb: flags['ignore-exclude-lb'],
      lbClass: flags['lb-class'],
      balanced: flags['balanced-placement'],
      drainCordoned: flags['drain-cordoned'],
    },
    hash: sha256,
    clock,
    log,
    metrics,
    recorder,
  })
  const reporting = { recorder, metrics, clock, log }
  const conflicts = new ConflictWatch({
    ...{ ...reporting, node, layer2, claims: responder, services: informers.of(services) },
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
      ...bgpSources,
    },
    parse,
    states: informers.of(configurationStates),
    apply: config => {
      const result = announcing.setConfig(config)
      if (result !== 'error' && config.bgp !== undefined) bgp.setPeers(config.bgp)
      return result
    },
    reprocessAll: () => announcing.reprocessAll(),
  })
  void announcing.whenSettled().then(() => bgp.complete())
  const statusOptions = {
    node,
    namespace,
    owner: { apiVersion: 'v1', kind: 'Pod', ...pod },
    settled: announcing.whenSettled(),
    kube,
    hash: sha256,
    clock,
    log,
  }
  const statuses = [
    new ServiceStatusController(layer2Status(layer2), { ...statusOptions, statuses: informers.of(serviceL2Statuses) }),
    new ServiceStatusController(bgpStatus(bgp), {
      ...statusOptions,
      statuses: informers.of(serviceBGPStatuses, { namespace }),
    }),
    new SessionStateWriter({ ...statusOptions, sessions: () => bgp.seen() }),
  ]
  const leaving: Task = { name: 'layer 2 leave', start: () => {}, stop: () => layer2.leave(), ready: () => true }
  return {
    routes: { [STATE_PATH]: stateRoute({ node, announcing, config, bgp }) },
    // Stopped from the end: addresses may be handed over, the others are told, and each is answered until it is taken over.
    tasks: [responder, liveness, announcing, conflicts, config, ...statuses, ...membershipTasks, leaving],
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

export const main = (args: readonly string[]) => runDaemon(speaker, args)
