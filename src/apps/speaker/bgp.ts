/** The BGP side of the speaker: its back end, and what of the configuration it needs. */
import { LinuxLiveness, openRouterLink } from '../../adapters/linux/index.ts'
import { linuxStreams } from '../../adapters/linux/tcp.ts'
import { bfdProfiles, bgpAdvertisements, bgpPeers, configMaps, secrets } from '../../api/index.ts'
import { BgpProtocol, LinkRouters, type ListenAt, withFrrK8sNames } from '../../control/bgp/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { Interfaces } from '../../ports/index.ts'
import { Fatal, type Platform } from '../daemon.ts'
import { bfdWorkerUrl } from './bfd-worker-url.ts'
import { readDuration, type SpeakerFlags } from './flags.ts'

const BGP_TYPES = ['native', 'frr', 'frr-k8s']

/** Chapter 05 section 1.12: an unknown back end, misused frr-k8s flags and nowhere to listen stop the start. @throws Fatal */
export function checkBgpType(flags: SpeakerFlags, type = 'native'): void {
  if (!BGP_TYPES.includes(type)) throw new Fatal({ op: 'startup', msg: `unsupported BGP implementation type: ${type}` })
  checkPassThrough(flags, type)
  listenAt(flags)
  if (type !== 'native') {
    const error = `METALLB_BGP_TYPE=${type} is not built yet: only native is`
    throw new Fatal({ op: 'startup', error, msg: 'failed to create BGP controller' })
  }
}

function checkPassThrough(flags: SpeakerFlags, type: string): void {
  if (!flags['frrk8s-secret-passthrough']) return
  const flag = '--frrk8s-secret-passthrough requires'
  if (type !== 'frr-k8s') throw new Fatal({ op: 'startup', error: `${flag} METALLB_BGP_TYPE=frr-k8s` })
  if (flags['frrk8s-namespace'] === '')
    throw new Fatal({ op: 'startup', error: `${flag} --frrk8s-namespace to be set` })
}

/** @throws Fatal */
function listenAt(flags: SpeakerFlags): ListenAt | undefined {
  const { 'bgp-listen-port': port, 'bgp-listen-address': text } = flags
  const address = text === '' ? undefined : parseAddress(text)
  if (port < 0 || port > 65_535 || (text !== '' && address === undefined))
    throw new Fatal({ op: 'startup', msg: 'invalid BGP listen address', address: text, port })
  return port === 0 ? undefined : { port, ...(address && { address }) }
}

export function composeBgp(platform: Platform<SpeakerFlags>, interfaces: Interfaces) {
  const { flags, log, informers, recorder, namespace, clock, random } = platform
  const node = flags['node-name']
  const metrics = flags['frrk8s-metric-names'] ? withFrrK8sNames(platform.metrics) : platform.metrics
  const shutdownGraceMs = readDuration(flags, 'bgp-shutdown-grace')
  const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, log, metrics, clock })
  const routers = new LinkRouters({ interfaces, clock, open: openRouterLink })
  const seams = { clock, random, streams: linuxStreams, interfaces, metrics, recorder, log, liveness, routers }
  const bgp = new BgpProtocol({ node, namespace, listenAt: listenAt(flags), shutdownGraceMs, ...seams })
  const sources = {
    peers: informers.of(bgpPeers, { namespace }),
    bgpAdvertisements: informers.of(bgpAdvertisements, { namespace }),
    bfdProfiles: informers.of(bfdProfiles, { namespace }),
    secrets: informers.of(secrets, { namespace }),
    configMaps: informers.of(configMaps, { namespace }),
  }
  return { bgp, liveness, sources, parse: { mode: 'native', strictNative: flags['strict-native'] } as const }
}
