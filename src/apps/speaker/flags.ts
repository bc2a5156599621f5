import { commonFlags } from '../common-flags.ts'
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
  'gratuitous-arp-interval': {
    type: 'string',
    default: '0',
    env: 'METALLB_GRATUITOUS_ARP_INTERVAL',
    help: 'time between refreshing layer 2 announcements, e.g. 30s; 0 for none',
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
