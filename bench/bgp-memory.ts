// The resident memory of a speaker, as the image runs it, with 10,000 Services that it tells four routers of. The API server
// and the controller are processes of their own, the routers sessions of ours in this one, on loopback. Target: issue 6.
// Run: node bench/bgp-memory.ts [SERVICES]. Builds the bundle first. Needs root.
import { execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Connection, KubeClient, loadAccess } from '../src/adapters/kube/index.ts'
import { linuxStreams } from '../src/adapters/linux/tcp.ts'
import { systemClock as clock } from '../src/adapters/system/clock.ts'
import { systemRandom as random } from '../src/adapters/system/random.ts'
import {
  bgpAdvertisements,
  bgpPeers,
  endpointSlices,
  ipAddressPools,
  namespaces,
  nodes,
  pods,
  SERVICE_NAME_LABEL,
  services,
} from '../src/api/index.ts'
import { nodeCommand } from '../src/apps/lab/programs.ts'
import { type Address, parseAddress } from '../src/core/ip/index.ts'
import { Session } from '../src/protocols/bgp/index.ts'
import { theirSettings } from '../src/testing/bgp-settings.ts'

const SERVICES = Number(process.argv[2] ?? 10_000)
const NAMESPACE = 'metallb-system'
const NODE = 'memory'
const PORT = 11_791
const ROUTERS = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']
const TARGET_MB = 200
const SETTLE_MS = 30_000 // what came with the first lists has been collected by then
const CREATORS = 16

execFileSync(process.execPath, [new URL('../tools/build.ts', import.meta.url).pathname], { stdio: 'ignore' })
const server = fork(new URL('./controller-scale-server.ts', import.meta.url).pathname)
const [{ kubeconfig }] = (await once(server, 'message')) as [{ kubeconfig: string }]
const connection = new Connection({ access: await loadAccess({ kubeconfig }), clock })
const kube = new KubeClient(connection, random)
await prepare()
const routers = await Promise.all(ROUTERS.map(text => startRouter(parseAddress(text)!)))
const common = { kubeconfig, namespace: NAMESPACE, port: '0' }
const daemons = [
  start('controller', { ...common, 'pod-name': 'controller', 'health-probe-port': '17501' }),
  start('speaker', { ...common, 'pod-name': 'speaker', 'node-name': NODE, 'health-probe-port': '17502' }),
]
try {
  await inParallel(SERVICES, createService)
  while (!routers.every(({ status }) => status.prefixesReceived >= SERVICES))
    await new Promise(resolve => setTimeout(resolve, 100))
  await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
  report(daemons[1]!.pid!)
} finally {
  for (const child of daemons) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  connection.close()
  server.disconnect()
}
process.exit()

async function prepare(): Promise<void> {
  await kube.create(namespaces, { metadata: { name: NAMESPACE } }).catch(() => {}) // it may come with the server
  const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.10' }] }
  await kube.create(nodes, { metadata: { name: NODE }, status } as never)
  for (const name of ['controller', 'speaker']) {
    const spec = { containers: [{ name, image: 'none' }], nodeName: NODE }
    await kube.create(pods, { metadata: { name, namespace: NAMESPACE }, spec } as never)
  }
  const metadata = { name: 'memory', namespace: NAMESPACE }
  await kube.create(ipAddressPools, { metadata, spec: { addresses: ['10.0.0.0/16'] } })
  await kube.create(bgpAdvertisements, { metadata, spec: {} })
  for (const [n, peerAddress] of ROUTERS.entries()) {
    const spec = { myASN: 64500, peerASN: 64501, peerAddress, peerPort: PORT }
    await kube.create(bgpPeers, { metadata: { name: `tor-${n}`, namespace: NAMESPACE }, spec })
  }
}

async function startRouter(address: Address): Promise<Session> {
  const waits = { connectRetryMs: 10_000, passive: true, listens: true }
  const settings = theirSettings({ identifier: address, families: ['ipv4'], ...waits })
  const localAddresses = () => ({ connection: address })
  const options = { settings, target: { address, port: 1 }, defaultLocalPref: 100, localAddresses }
  const router = new Session(options, { clock, random, streams: linuxStreams })
  router.start()
  await linuxStreams.listen({ address, port: PORT }, stream => router.accept(stream))
  return router
}

function start(role: 'controller' | 'speaker', flags: Readonly<Record<string, string>>) {
  const [program = '', ...args] = nodeCommand('metallb', [
    role,
    ...Object.entries(flags).map(([k, v]) => `--${k}=${v}`),
  ])
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** As kubectl leaves one, with one endpoint that is ready. */
async function createService(n: number): Promise<void> {
  const [name, namespace] = [`service-${n}`, 'default']
  const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }]
  const spec = { type: 'LoadBalancer', selector: { app: name }, ports }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }) }
  await kube.create(services, { metadata: { name, namespace, annotations }, spec } as never)
  const endpoints = [{ addresses: ['10.244.0.1'], conditions: { ready: true, serving: true }, nodeName: NODE }]
  const metadata = { name: `${name}-1`, namespace, labels: { [SERVICE_NAME_LABEL]: name } }
  await kube.create(endpointSlices, { metadata, addressType: 'IPv4', endpoints })
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: CREATORS }, worker))
}

function report(pid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6
  const [residentMb, peakMb] = [mb('VmRSS'), mb('VmHWM')].map(value => Math.round(10 * value) / 10) as [number, number]
  const result = { services: SERVICES, routers: ROUTERS.length, residentMb, peakMb, target: TARGET_MB }
  console.table([result])
  const directory = new URL('./results/', import.meta.url)
  mkdirSync(directory, { recursive: true })
  writeFileSync(new URL('bgp-memory.json', directory), `${JSON.stringify(result, null, 2)}\n`)
  if (residentMb >= TARGET_MB) process.exitCode = 1
}
