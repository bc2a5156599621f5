// The real controller process with 1k, 10k and 50k Services of 2 KB: from creation to every status written, API calls,
// events, CPU, memory; one more Service, one change of a pool; a start with everything addressed. Against the embedded API
// server (a process of its own) or any cluster. Run: node bench/controller-scale.ts [--counts 1000,10000] [--kubeconfig FILE]
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { Connection, Informers, KubeClient, loadAccess } from '../src/adapters/kube/index.ts'
import { systemClock as clock } from '../src/adapters/system/clock.ts'
import { systemRandom as random } from '../src/adapters/system/random.ts'
import { ipAddressPools, namespaces, pods, type ServiceResource, services } from '../src/api/index.ts'
import { KubeError, silent } from '../src/ports/index.ts'

const { values } = parseArgs({
  options: {
    counts: { type: 'string', default: '1000,10000,50000' },
    kubeconfig: { type: 'string' },
  },
})
const NAMESPACE = 'metallb-system'
const POD = 'controller-scale'
const CREATORS = 16
const SAMPLES = 20

const here = import.meta.dirname
const work = mkdtempSync(join(tmpdir(), 'controller-scale-'))
await build({
  entryPoints: { metallb: join(here, '../src/apps/metallb.ts'), server: join(here, 'controller-scale-server.ts') },
  outdir: join(work, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  external: ['koffi'],
  define: {},
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
})

interface Usage {
  readonly cpuMs: number
  readonly rssMiB: number
  readonly peakMiB: number
}

function usageOf(pid: number): Usage {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024)
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM') }
}

/** As `kubectl apply` leaves one. */
function serviceOf(index: number): ServiceResource {
  const spec = {
    type: 'LoadBalancer',
    selector: { app: `app-${index}` },
    ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    allocateLoadBalancerNodePorts: false,
  }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }), filler: '' }
  const metadata = {
    name: `scale-${index}`,
    namespace: `scale-${index % 20}`,
    labels: { app: `app-${index}` },
    annotations,
  }
  annotations.filler = 'x'.repeat(Math.max(0, 1400 - JSON.stringify({ metadata, spec }).length))
  return { metadata, spec }
}

const isAddressed = ({ status }: ServiceResource) => (status?.loadBalancer?.ingress?.length ?? 0) > 0

async function run(count: number) {
  const server =
    values.kubeconfig === undefined ? fork(join(work, 'dist/server.js'), { cwd: join(here, '..') }) : undefined
  const kubeconfig = values.kubeconfig ?? ((await answer(server!)) as { kubeconfig: string }).kubeconfig
  const connection = new Connection({ access: await loadAccess({ kubeconfig }), clock })
  const kube = new KubeClient(connection, random)
  const informers = new Informers({ client: kube, clock, random, log: silent })
  const cache = informers.of(services, { project: ({ metadata, status }) => ({ metadata: slim(metadata), status }) })
  let addressed = 0
  const waiters = new Map<string, () => void>()
  let all = () => {}
  cache.subscribe(change => {
    const had = change.kind === 'updated' && isAddressed(change.before)
    const has = change.kind !== 'deleted' && isAddressed(change.object)
    if (had === has) return
    addressed += has ? 1 : -1
    if (has) waiters.get(change.object.metadata.name)?.()
    if (addressed >= count) all()
  })
  informers.start()
  await prepare(kube)
  let controller = await startController(kubeconfig)
  const before = server && (await requestsOf(server))
  const started = performance.now()
  const everyStatus = new Promise<void>(resolve => (all = resolve))
  await inParallel(count, index => kube.create(services, serviceOf(index)))
  const createdMs = performance.now() - started
  await everyStatus
  const addressedMs = performance.now() - started
  const usage = usageOf(controller.pid!)
  await quiet(controller.pid!)
  const after = server && (await requestsOf(server))
  const one = await sample(kube, waiters, count)
  const settled = usageOf(controller.pid!)
  await end(controller)
  const restartFrom = performance.now()
  controller = await startController(kubeconfig)
  const restartMs = performance.now() - restartFrom
  const restart = usageOf(controller.pid!)
  await end(controller)
  await informers.stop()
  connection.close()
  if (values.kubeconfig !== undefined) await cleanUp(kube, count)
  server?.disconnect()
  if (server !== undefined) await once(server, 'exit')
  const calls = before && after && callsOf(before, after, count)
  return { count, createdMs, addressedMs, usage, settled, calls, oneMs: one, restartMs, restart }
}

function slim({ annotations: _, ...metadata }: ServiceResource['metadata']): ServiceResource['metadata'] {
  return metadata
}

async function answer(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

async function requestsOf(server: ChildProcess): Promise<Record<string, number>> {
  server.send('requests')
  return ((await answer(server)) as { requests: Record<string, number> }).requests
}

/** Requests of the controller: all but the creations, which are ours. */
function callsOf(before: Record<string, number>, after: Record<string, number>, count: number) {
  const calls: Record<string, number> = {}
  for (const [name, total] of Object.entries(after)) {
    const own = total - (before[name] ?? 0) - (name === 'create services' ? count : 0)
    if (own > 0) calls[name] = own
  }
  return calls
}

async function prepare(kube: KubeClient): Promise<void> {
  const names = [NAMESPACE, ...Array.from({ length: 20 }, (_, index) => `scale-${index}`)]
  for (const name of names) await ensure(kube.create(namespaces, { metadata: { name } }))
  const container = { name: 'controller', image: 'none' }
  const pod = { metadata: { name: POD, namespace: NAMESPACE }, spec: { containers: [container] } }
  await ensure(kube.create(pods, pod as never))
  const pool = { metadata: { name: 'scale', namespace: NAMESPACE }, spec: { addresses: ['10.0.0.0/15'] } }
  await ensure(kube.create(ipAddressPools, pool))
}

async function ensure(creation: Promise<unknown>): Promise<void> {
  await creation.catch(error => {
    if (!(error instanceof KubeError) || error.code !== 'ALREADY_EXISTS') throw error
  })
}

async function startController(kubeconfig: string): Promise<ChildProcess> {
  const flags = { kubeconfig, namespace: NAMESPACE, 'pod-name': POD, port: '0', 'health-probe-port': '17499' }
  const argv = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const node = ['--single-threaded-gc', '--max-semi-space-size=8', join(work, 'dist/metallb.js')]
  const child = spawn(process.execPath, [...node, 'controller', ...argv], { stdio: ['ignore', 'pipe', 'inherit'] })
  const learned = new Promise<void>((resolve, reject) => {
    child.on('exit', code => reject(new Error(`the controller ended with ${code}`)))
    child.stdout!.on('data', chunk => {
      if (String(chunk).includes('addressesLearned')) resolve()
    })
  })
  await learned
  return child
}

async function end(child: ChildProcess): Promise<void> {
  child.removeAllListeners('exit')
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: CREATORS }, worker))
}

/** Until the process has nothing to do. */
async function quiet(pid: number): Promise<void> {
  for (let before = -1; ; ) {
    const { cpuMs } = usageOf(pid)
    if (cpuMs - before < 30) return
    before = cpuMs
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

/** Median from the creation of one more Service to its status. */
async function sample(kube: KubeClient, waiters: Map<string, () => void>, count: number): Promise<number> {
  const times: number[] = []
  for (let index = count; index < count + SAMPLES; index++) {
    const service = serviceOf(index)
    const addressed = new Promise<void>(resolve => waiters.set(service.metadata.name, resolve))
    const start = performance.now()
    await kube.create(services, service)
    await addressed
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[SAMPLES >> 1]!
}

async function cleanUp(kube: KubeClient, count: number): Promise<void> {
  await inParallel(count + SAMPLES, index => kube.delete(services, serviceOf(index).metadata))
  await kube.delete(ipAddressPools, { namespace: NAMESPACE, name: 'scale' })
  await kube.delete(pods, { namespace: NAMESPACE, name: POD })
}

const results: Awaited<ReturnType<typeof run>>[] = []
for (const count of values.counts.split(',').map(Number)) {
  results.push(await run(count))
  console.error(JSON.stringify(results.at(-1)))
}
rmSync(work, { recursive: true })

const seconds = (ms: number) => Math.round(ms / 10) / 100
console.table(
  results.map(({ count, createdMs, addressedMs, usage, settled, oneMs, restartMs, restart, calls }) => ({
    Services: count,
    'created, s': seconds(createdMs),
    'all addressed, s': seconds(addressedMs),
    'CPU, s': seconds(usage.cpuMs),
    'RSS, MiB': settled.rssMiB,
    'peak, MiB': settled.peakMiB,
    'API calls': calls && Object.values(calls).reduce((sum, value) => sum + value, 0),
    events: calls?.['create events'],
    'one more, ms': Math.round(oneMs * 10) / 10,
    'restart until learned, s': seconds(restartMs),
    'RSS after restart, MiB': restart.rssMiB,
  })),
)
const missed = results.filter(
  ({ count, addressedMs, settled }) => count === 10_000 && (addressedMs > 20_000 || settled.rssMiB > 300),
)
mkdirSync(join(here, 'results'), { recursive: true })
const report = { node: process.version, cores: availableParallelism(), targets: '10k: < 20 s, < 300 MiB', results }
writeFileSync(join(here, 'results', 'controller-scale.json'), `${JSON.stringify(report, null, 2)}\n`)
if (missed.length > 0) process.exitCode = 1
