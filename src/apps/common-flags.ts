import type { FlagSpecs } from './flags.ts'

/** Flags that controller and speaker share (chapter 05 sections 1.3, 1.4 and 1.9). */
export const commonFlags = {
  port: { type: 'int', default: 9120, help: 'HTTPS port of the metrics, 0 turns them off' },
  namespace: {
    type: 'string',
    default: '',
    env: 'METALLB_NAMESPACE',
    help: 'namespace of the configuration, empty for that of the service account',
  },
  'log-level': { type: 'string', default: 'info', help: 'all, debug, info, warn, error or none' },
  'pod-name': { type: 'string', default: '', env: 'METALLB_POD_NAME', help: 'name of the own pod' },
  'health-probe-port': { type: 'int', default: 17472, help: 'port of /healthz and /readyz' },
  'pprof-bind-address': { type: 'string', default: '', help: 'host:port of the profiling server, empty for none' },
  'lb-class': {
    type: 'string',
    default: '',
    help: 'handle only Services of this load balancer class; empty: only Services without one',
  },
  'tls-min-version': { type: 'string', default: '', help: 'VersionTLS12 or VersionTLS13, empty for 1.3' },
  'tls-cipher-suites': { type: 'string', default: '', help: 'comma-separated cipher suites, not with TLS 1.3' },
  'tls-curve-preferences': { type: 'string', default: '', help: 'comma-separated numeric curve ids' },
  'metrics-cert-dir': { type: 'string', default: '', help: 'directory with tls.crt and tls.key for the metrics' },
  kubeconfig: { type: 'string', default: '', help: 'kubeconfig file, empty for KUBECONFIG or the service account' },
} as const satisfies FlagSpecs
