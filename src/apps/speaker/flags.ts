import { parseDuration } from '../../core/config/index.ts'
import { commonFlags } from '../common-flags.ts'
import { Fatal } from '../daemon.ts'
import type { FlagSpecs, FlagValues } from '../flags.ts'

/** Chapter 05 section 1.4. */
export const speakerFlags = {
  ...commonFlags,
  'node-name': { type: 'string', default: '', env: 'METALLB_NODE_NAME', help: 'name of the own node (required)' },
  host: { type: 'string', default: '', env: 'METALLB_HOST', help: 'accepted and ignored' },
  'ml-bindaddr': {
    type: 'string',
    default: '',
    env: 'METALLB_ML_BIND_ADDR',
    help: 'address to exchange liveness with other speakers on; empty turns it off',
  },
  'ml-bindport': { type: 'string', default: '', env: 'METALLB_ML_BIND_PORT', help: 'its port, empty for 7946' },
  'ml-labels': {
    type: 'string',
    default: '',
    env: 'METALLB_ML_LABELS',
    help: 'label selector that finds the other speaker pods; empty turns it off',
  },
  'ml-secret-key-path': {
    type: 'string',
    default: '',
    env: 'METALLB_ML_SECRET_KEY_PATH',
    help: 'directory with the file secretkey; empty: not authenticated',
  },
  'ml-fast': {
    type: 'bool',
    default: true,
    help: 'probe and suspect speakers that do so too with fast timing; reference speakers keep theirs',
  },
  'heartbeat-port': {
    type: 'string',
    default: '',
    env: 'METALLB_HEARTBEAT_PORT',
    help: 'UDP port of the direct heartbeats, empty for the one after ml-bindport, 0 turns them off',
  },
  'ml-wan-config': { type: 'bool', default: false, help: 'timing for wide-area networks' },
  'ignore-exclude-lb': {
    type: 'bool',
    default: false,
    help: 'announce even from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers',
  },
  'balanced-placement': {
    type: 'bool',
    default: false,
    help: 'layer 2: spread addresses evenly, no node has more than its share plus one; the same on every speaker, and not with reference speakers',
  },
  'require-majority': {
    type: 'bool',
    default: false,
    help: 'layer 2: announce nothing while this speaker sees less than half of the speakers, or a half without the lowest name',
  },
  'hold-down': {
    type: 'string',
    default: '0',
    help: 'layer 2: how long a node that comes back leaves addresses where they are, e.g. 60s; longer the more often it does; 0: it takes back what the election gives it',
  },
  'gratuitous-arp-interval': {
    type: 'string',
    default: '0',
    env: 'METALLB_GRATUITOUS_ARP_INTERVAL',
    help: 'time between refreshing layer 2 announcements, e.g. 30s; 0 for none',
  },
  'quiet-takeover': {
    type: 'string',
    default: '5m',
    env: 'METALLB_QUIET_TAKEOVER',
    help: 'after a planned stop of another speaker, how long its clients may go on using its node, and after the return of this one the node that stood in; 0: told to move at once',
  },
  'bgp-listen-port': {
    type: 'int',
    default: 0,
    env: 'METALLB_BGP_LISTEN_PORT',
    help: 'TCP port where routers may open BGP sessions (179 needs NET_BIND_SERVICE); 0: only the speaker dials',
  },
  'bgp-listen-address': {
    type: 'string',
    default: '',
    env: 'METALLB_BGP_LISTEN_ADDRESS',
    help: 'local address of bgp-listen-port, empty for all',
  },
  'bgp-shutdown-grace': {
    type: 'string',
    default: '0s',
    env: 'METALLB_BGP_SHUTDOWN_GRACE',
    help: 'before the speaker stops, how long BGP routers are told to prefer other nodes (RFC 8326); 0s: not at all',
  },
  'drain-cordoned': {
    type: 'bool',
    default: false,
    env: 'METALLB_DRAIN_CORDONED',
    help: 'a cordoned node is drained, as if labelled metallb.io/drain: BGP routers are told to prefer others (RFC 8326)',
  },
  'frrk8s-metric-names': {
    type: 'bool',
    default: false,
    help: 'show the series of BGP and BFD under the names of frr-k8s too, e.g. frrk8s_bgp_session_up',
  },
  'strict-native': {
    type: 'bool',
    default: false,
    help: 'refuse what the native BGP mode of the reference refused',
  },
  'bgp-debounce-timeout': {
    type: 'string',
    default: '3000',
    env: 'METALLB_BGP_DEBOUNCE_TIMEOUT',
    help: 'FRR mode: milliseconds between reloads',
  },
  'frrk8s-namespace': { type: 'string', default: '', env: 'FRRK8S_NAMESPACE', help: 'where FRRConfigurations go' },
  'frrk8s-secret-passthrough': { type: 'bool', default: false, help: 'hand secret references to frr-k8s unresolved' },
} as const satisfies FlagSpecs

export type SpeakerFlags = FlagValues<typeof speakerFlags>

/** Flags that are durations. */
export const DURATIONS = ['gratuitous-arp-interval', 'quiet-takeover', 'hold-down', 'bgp-shutdown-grace'] as const

/** Milliseconds. @throws Fatal for what is no duration of 0 or more */
export function readDuration(flags: SpeakerFlags, flag: (typeof DURATIONS)[number]): number {
  const provided = flags[flag]
  const nanoseconds = parseDuration(provided)
  if (nanoseconds !== undefined && nanoseconds >= 0n) return Number(nanoseconds / 1_000_000n)
  const msg = `invalid --${flag}, must be a duration such as 30s`
  throw new Fatal({ op: 'startup', msg, provided })
}
