/** What controller and speaker do alike: flags, logger, credentials, probes, metrics, start, signals, stop. */
import { readFileSync } from 'node:fs'
import {
  MetricsServer,
  ProbeServer,
  parseTlsFlags,
  type Route,
  reviewAccess,
  type TlsOptions,
} from '../adapters/http/index.ts'
import { Connection, Informers, KubeClient, KubeEventRecorder, loadAccess } from '../adapters/kube/index.ts'
import { JsonLogger, parseLogLevel } from '../adapters/log/index.ts'
import { addProcessMetrics, PrometheusMetrics } from '../adapters/metrics/index.ts'
import { systemClock as clock } from '../adapters/system/clock.ts'
import { systemRandom as random } from '../adapters/system/random.ts'
import { type PodResource, pods } from '../api/index.ts'
import type { Task } from '../ports/index.ts'
import type { commonFlags } from './common-flags.ts'
import { type FlagSpecs, type FlagValues, parseFlags, usage } from './flags.ts'
import { startAll, stopAll } from './tasks.ts'
import { BUILD, RUNTIME, versionText } from './version.ts'

type CommonFlags = FlagValues<typeof commonFlags>

/** The process cannot go on; it has said why in the log. */
export class Fatal extends Error {
  readonly fields: Readonly<Record<string, unknown>>

  constructor(fields: Readonly<Record<string, unknown>>) {
    super(String(fields.msg ?? fields.error))
    this.fields = fields
  }
}

/** What a daemon is composed from. */
export interface Platform<F> {
  readonly flags: F
  readonly log: JsonLogger
  readonly metrics: PrometheusMetrics
  readonly kube: KubeClient
  readonly informers: Informers
  readonly recorder: KubeEventRecorder
  /** The MetalLB namespace. */
  readonly namespace: string
  /** The own pod. */
  readonly pod: { readonly name: string; readonly uid: string }
  /** Of every port that serves TLS. */
  readonly tls: TlsOptions
  readonly clock: typeof clock
  readonly random: typeof random
}

export interface Daemon<S extends FlagSpecs> {
  readonly name: 'controller' | 'speaker'
  readonly flags: S
  /** Of the probes; empty for every address. */
  readonly probeHost?: string
  /** Checks flags and files before anything is opened. @throws Fatal */
  check?(flags: FlagValues<S>): void
  /** Builds the tasks, in the order in which they start. @throws Fatal */
  compose(platform: Platform<FlagValues<S>>): Promise<Composition> | Composition
}

export interface Composition {
  readonly tasks: readonly Task[]
  /** Further GET handlers of the metrics server. */
  readonly routes?: Readonly<Record<string, Route>>
}

const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'

/** Runs the daemon until a signal ends it; answers the exit code. */
export async function runDaemon<S extends FlagSpecs>(daemon: Daemon<S>, args: readonly string[]): Promise<number> {
  const parsed = parseFlags(daemon.flags, args, process.env)
  if (parsed.kind === 'help') {
    process.stderr.write(usage(daemon.name, daemon.flags))
    return 0
  }
  if (parsed.kind === 'error') {
    process.stderr.write(`${parsed.message}\n${usage(daemon.name, daemon.flags)}`)
    return 2
  }
  const common = parsed.flags as unknown as CommonFlags
  const log = openLog(common['log-level'])
  if (log === undefined) return 1
  const { version, commit, branch } = BUILD
  const msg = `MetalLB ${daemon.name} starting ${versionText()}`
  log.info({ msg, version, commit, branch, goversion: RUNTIME })
  try {
    const tasks = await assemble(daemon, parsed.flags, common, log)
    log.info({ op: 'Run', msg: 'Starting Manager' })
    await startAll(tasks, log)
    await untilSignal(log)
    await stopAll(tasks, log)
    log.info({ op: 'shutdown', msg: 'done' })
    return 0
  } catch (error) {
    if (error instanceof Fatal) log.error(error.fields)
    else log.error({ op: 'Run', error, msg: 'failed to run k8s client' })
    return 1
  }
}

function openLog(level: string): JsonLogger | undefined {
  try {
    return JsonLogger.open({ level: parseLogLevel(level), now: clock.now })
  } catch (error) {
    process.stdout.write(`failed to initialize logging: ${(error as Error).message}\n`)
    return undefined
  }
}

async function assemble<S extends FlagSpecs>(
  daemon: Daemon<S>,
  flags: FlagValues<S>,
  common: CommonFlags,
  log: JsonLogger,
): Promise<Task[]> {
  const tls = readTlsFlags(daemon.name, common, log)
  const namespace = common.namespace || serviceAccountNamespace()
  daemon.check?.(flags)
  const metrics = new PrometheusMetrics()
  addProcessMetrics(metrics)
  showBuild(metrics)
  const kube = await connect(common.kubeconfig, metrics, `metallb-${daemon.name}/${BUILD.version || BUILD.commit}`)
  const pod = await ownPod(kube, namespace, common['pod-name'])
  const informers = new Informers({ client: kube, clock, random, log })
  const component = `metallb-${daemon.name}`
  const recorder = new KubeEventRecorder({ api: kube, clock, random, log, component, instance: pod.name })
  const platform = { flags, log, metrics, kube, informers, recorder, namespace, pod, tls, clock, random }
  const { tasks, routes = {} } = await daemon.compose(platform)
  const ready = [informers, ...tasks].map(task => [task.name.replaceAll(' ', '-'), () => task.ready()] as const)
  const probes = new ProbeServer({
    port: common['health-probe-port'],
    host: daemon.probeHost,
    log,
    readyz: Object.fromEntries(ready),
  })
  const server = metricsServer(platform, common, tls, routes)
  return [probes, ...server, recorder, informers, ...tasks]
}

function showBuild(metrics: PrometheusMetrics): void {
  const { version, commit, branch } = BUILD
  const help = 'What is running: 1, with what it was built from in the labels'
  const gauge = metrics.gauge({ name: 'metallb_build_info', help, labels: ['version', 'commit', 'branch'] })
  gauge.set(1, { version, commit, branch })
}

function readTlsFlags(name: Daemon<FlagSpecs>['name'], common: CommonFlags, log: JsonLogger): TlsOptions {
  const texts = {
    minVersion: common['tls-min-version'],
    cipherSuites: common['tls-cipher-suites'],
    curvePreferences: common['tls-curve-preferences'],
  }
  try {
    const { options, warnings } = parseTlsFlags(texts)
    for (const warning of warnings) log.warn({ op: 'startup', msg: warning })
    return options
  } catch (error) {
    const what = name === 'speaker' ? 'flags' : 'configuration' // chapter 05 section 1.9: each has its own word
    throw new Fatal({ op: 'startup', error, msg: `failed to parse TLS ${what}` })
  }
}

function serviceAccountNamespace(): string {
  try {
    return readFileSync(SERVICE_ACCOUNT_NAMESPACE, 'utf8')
  } catch (error) {
    const msg = 'Unable to get namespace from pod service account data, please specify --namespace or METALLB_NAMESPACE'
    throw new Fatal({ op: 'startup', error, msg })
  }
}

async function connect(kubeconfig: string, metrics: PrometheusMetrics, userAgent: string): Promise<KubeClient> {
  try {
    const access = await loadAccess({ kubeconfig })
    return new KubeClient(new Connection({ access, clock, metrics, userAgent }), random)
  } catch (error) {
    throw new Fatal({ op: 'startup', error, msg: 'failed to create k8s client' })
  }
}

/** The pod owns the status objects that this process writes, so it must exist. */
async function ownPod(kube: KubeClient, namespace: string, name: string): Promise<{ name: string; uid: string }> {
  try {
    const { metadata }: PodResource = await kube.get(pods, { namespace, name })
    return { name, uid: metadata.uid ?? '' }
  } catch (error) {
    const text = `unable to get own pod for owner references: ${(error as Error).message}`
    throw new Fatal({ op: 'startup', error: text, pod: `${namespace}/${name}`, msg: 'failed to create k8s client' })
  }
}

function metricsServer(
  { kube, log, metrics }: Pick<Platform<unknown>, 'kube' | 'log' | 'metrics'>,
  common: CommonFlags,
  tls: TlsOptions,
  routes: Readonly<Record<string, Route>>,
): Task[] {
  const { port } = common
  if (port === 0) return []
  const authorize = reviewAccess({ api: kube, clock, random, log })
  const exposition: Route = async () => ({ body: await metrics.text(), type: metrics.contentType })
  const certDir = common['metrics-cert-dir']
  return [
    new MetricsServer({ clock, log, port, tls, certDir, authorize, routes: { '/metrics': exposition, ...routes } }),
  ]
}

/** Resolves on the first SIGINT, SIGTERM or SIGQUIT; a second one ends the process at once. */
async function untilSignal(log: JsonLogger): Promise<void> {
  await new Promise<void>(resolve => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)
      process.on(signal, () => {
        if (asked) process.exit(1)
        asked = true
        log.info({ op: 'shutdown', signal, msg: 'starting shutdown' })
        resolve()
      })
  })
}
