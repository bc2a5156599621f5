/** `metallb controller`: gives every Service of type LoadBalancer its addresses. */
import { Informers, LeaderElection } from '../../adapters/kube/index.ts'
import {
  type BgpMode,
  bfdProfiles,
  bgpAdvertisements,
  bgpPeers,
  communities,
  configurationStates,
  ipAddressPools,
  l2Advertisements,
  namespaces,
  type ParseOptions,
  services,
} from '../../api/index.ts'
import { ConfigLoader, type ConfigLoaderOptions } from '../../control/config/index.ts'
import { Notices } from '../../control/notices/index.ts'
import { PoolStatusController } from '../../control/pool-status/index.ts'
import { ServiceController } from '../../control/services/index.ts'
import { parseDuration } from '../../core/config/index.ts'
import type { Task } from '../../ports/index.ts'
import type { Composition, Daemon, Platform } from '../daemon.ts'
import { Fatal, runDaemon } from '../daemon.ts'
import { type ControllerFlags, controllerFlags } from './flags.ts'
import { ensureMemberlistSecret } from './memberlist-secret.ts'
import { webhookTasks } from './webhooks.ts'

const WEBHOOK_MODES = ['enabled', 'disabled', 'onlywebhook']

export const controller: Daemon<typeof controllerFlags> = {
  name: 'controller',
  flags: controllerFlags,
  check(flags) {
    const value = flags['webhook-mode']
    if (!WEBHOOK_MODES.includes(value)) throw new Fatal({ error: 'invalid webhookmode value', value })
    readGrace(flags['no-pools-grace'])
  },
  compose,
}

async function compose(platform: Platform<ControllerFlags>): Promise<Composition> {
  await ensureMemberlistSecret(platform)
  const parse = parseOptions(platform.flags, process.env.METALLB_BGP_TYPE)
  // First to start, last to stop: requests are answered as long as possible.
  const webhooks = webhookTasks(platform, parse)
  const only = platform.flags['webhook-mode'] === 'onlywebhook'
  return { tasks: [...webhooks, ...(only ? [configurationReport(platform, parse)] : allocationTasks(platform, parse))] }
}

/** An unknown mode has no rules of its own (chapter 05 section 1.3). */
function parseOptions({ 'strict-native': strictNative }: ControllerFlags, mode = 'native'): ParseOptions {
  const known = BGP_MODES.find(name => name === mode)
  return { strictNative, ...(known ? { mode: known } : {}) }
}

const BGP_MODES: readonly BgpMode[] = ['native', 'frr', 'frr-k8s']

/** Says in the ConfigurationState what is valid, and applies nothing. */
function configurationReport(platform: Platform<ControllerFlags>, parse: ParseOptions): Task {
  return configLoader(platform, parse, () => 'success')
}

function configLoader(
  { log, metrics, kube, informers, namespace, pod, clock }: Platform<ControllerFlags>,
  parse: ParseOptions,
  apply: ConfigLoaderOptions['apply'],
): ConfigLoader {
  return new ConfigLoader({
    ...{ kube, clock, log, metrics, namespace, pod, parse, apply },
    sources: poolSources(informers, namespace),
    states: informers.of(configurationStates),
    reprocessAll: () => {},
  })
}

/** What allocation depends on. */
function poolSources(informers: Informers, namespace: string) {
  return {
    pools: informers.of(ipAddressPools, { namespace }),
    communities: informers.of(communities, { namespace }),
    namespaces: informers.of(namespaces),
  }
}

/**
 * Their caches are no condition of being ready: BGPPeers of an old version are converted by the webhook of a controller
 * that is ready, so that the first one would wait for itself.
 */
function noticesOf(platform: Platform<ControllerFlags>, parse: ParseOptions): { notices: Notices; caches: Task } {
  const { flags, informers, recorder, namespace, kube, clock, random, log } = platform
  const further = new Informers({ client: kube, clock, random, log })
  const sources = {
    ...poolSources(informers, namespace),
    l2Advertisements: further.of(l2Advertisements, { namespace }),
    bgpAdvertisements: further.of(bgpAdvertisements, { namespace }),
    peers: further.of(bgpPeers, { namespace }),
    bfdProfiles: further.of(bfdProfiles, { namespace }),
  }
  const followed = informers.of(services, { whole: true })
  const lbClass = flags['lb-class']
  const notices = new Notices({ sources, services: followed, namespace, parse, lbClass, recorder, clock })
  const [start, stop] = [() => further.start(), () => further.stop()]
  return { notices, caches: { name: 'caches of notices', start, stop, ready: () => true } }
}

function allocationTasks(platform: Platform<ControllerFlags>, parse: ParseOptions): Task[] {
  const { flags, log, metrics, kube, informers, recorder, namespace, pod, clock, random } = platform
  const pools = informers.of(ipAddressPools, { namespace })
  const allocation = new ServiceController({
    services: informers.of(services, { whole: true }), // it is written back
    api: kube,
    recorder,
    log,
    metrics,
    clock,
    lbClass: flags['lb-class'],
    active: false,
    conditions: flags['service-conditions'],
    keepUntilReplaced: flags['keep-until-replaced'],
    noPoolsGraceMs: readGrace(flags['no-pools-grace']),
  })
  const config = configLoader(platform, parse, ({ pools }) => allocation.setPools(pools))
  const status = new PoolStatusController({ pools, api: kube, usage: allocation, metrics, clock, log })
  const { notices, caches } = noticesOf(platform, parse)
  // Last to start, first to stop: another controller must not begin while this one still writes.
  const leadership = new LeaderElection({
    api: kube,
    clock,
    random,
    log,
    lease: { namespace, name: 'metallb-controller' },
    identity: `${pod.name}_${pod.uid}`,
    onStarted: () => {
      allocation.setActive(true)
      notices.setActive(true)
    },
    onStopped: () => {
      allocation.setActive(false)
      notices.setActive(false)
    },
  })
  return [allocation, config, status, caches, notices, leadership]
}

function readGrace(text: string): number {
  const nanoseconds = parseDuration(text)
  if (nanoseconds !== undefined && nanoseconds >= 0n) return Number(nanoseconds / 1_000_000n)
  throw new Fatal({ op: 'startup', msg: 'invalid no-pools-grace, must be a duration such as 5m', provided: text })
}

export const main = (args: readonly string[]) => runDaemon(controller, args)
