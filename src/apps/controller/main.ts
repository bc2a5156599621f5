/** `metallb controller`: gives every Service of type LoadBalancer its addresses. */
import { LeaderElection } from '../../adapters/kube/index.ts'
import { communities, configurationStates, ipAddressPools, namespaces, services } from '../../api/index.ts'
import { ConfigLoader } from '../../control/config/index.ts'
import { PoolStatusController } from '../../control/pool-status/index.ts'
import { ServiceController } from '../../control/services/index.ts'
import type { Composition, Daemon, Platform } from '../daemon.ts'
import { Fatal, runDaemon } from '../daemon.ts'
import { type ControllerFlags, controllerFlags } from './flags.ts'
import { ensureMemberlistSecret } from './memberlist-secret.ts'

const WEBHOOK_MODES = ['enabled', 'disabled', 'onlywebhook']

export const controller: Daemon<typeof controllerFlags> = {
  name: 'controller',
  flags: controllerFlags,
  check(flags) {
    const value = flags['webhook-mode']
    if (!WEBHOOK_MODES.includes(value)) throw new Fatal({ error: 'invalid webhookmode value', value })
  },
  compose,
}

async function compose(platform: Platform<ControllerFlags>): Promise<Composition> {
  const { flags, log, metrics, kube, informers, recorder, namespace, pod, clock, random } = platform
  await ensureMemberlistSecret(platform)
  const pools = informers.of(ipAddressPools, { namespace })
  const allocation = new ServiceController({
    services: informers.of(services),
    api: kube,
    recorder,
    log,
    metrics,
    clock,
    lbClass: flags['lb-class'],
    active: false,
  })
  const config = new ConfigLoader({
    kube,
    clock,
    log,
    metrics,
    namespace,
    pod,
    sources: { pools, communities: informers.of(communities, { namespace }), namespaces: informers.of(namespaces) },
    states: informers.of(configurationStates),
    apply: ({ pools }) => allocation.setPools(pools),
    reprocessAll: () => {},
  })
  const status = new PoolStatusController({ pools, api: kube, usage: allocation, metrics, clock, log })
  // Last to start, first to stop: another controller must not begin while this one still writes.
  const leadership = new LeaderElection({
    api: kube,
    clock,
    random,
    log,
    lease: { namespace, name: 'metallb-controller' },
    identity: `${pod.name}_${pod.uid}`,
    onStarted: () => allocation.setActive(true),
    onStopped: () => allocation.setActive(false),
  })
  return { tasks: [allocation, config, status, leadership] }
}

export const main = (args: readonly string[]) => runDaemon(controller, args)
