/** What the tests on real machines share: when they can run, back ends to ask, and what those answered. */
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import {
  type Host,
  isInstalled,
  type Lab,
  nodeCommand,
  Probe,
  SERVICE_RANGE6,
  waitFor,
} from '../../src/apps/lab/index.ts'

const TOOLS = ['ip', 'nft', 'nsenter', 'setpriv', 'unshare', 'arping', 'tcpdump', 'kubectl', 'curl']

/** Why no lab can run here, or undefined. In CI (`CI=true`) that is an error: nothing is skipped there. */
export function whyNoLab(): string | undefined {
  const reason = process.getuid?.() === 0 ? missingTools() : 'network namespaces need root'
  if (reason !== undefined && process.env.CI) throw new Error(`in CI nothing is skipped: ${reason}`)
  return reason
}

function missingTools(): string | undefined {
  const missing = TOOLS.filter(tool => !isInstalled(tool))
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`
}

/** IPv6 addresses, announced by layer 2. */
export const POOL_SIX = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: six, namespace: metallb-system }
spec: { addresses: ["${SERVICE_RANGE6}"] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: six, namespace: metallb-system }
spec: { ipAddressPools: [six] }
---`

/** A Pod of the lab: a real HTTP server behind the given labels. */
export function podYaml(name: string, app: string, node?: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${app} } }
spec: { ${node ? `nodeName: ${node}, ` : ''}containers: [{ name: web, image: lab/web, ports: [{ containerPort: 8080 }] }] }
---`
}

export function serviceYaml(name: string, app: string, spec = ''): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, selector: { app: ${app} }, ports: [{ port: 80, targetPort: 8080 }]${spec && `, ${spec}`} }
---`
}

/** Applies the manifest of the demo; answers the address of its Service and the node that announces it. */
export async function serveDemo(lab: Lab): Promise<{ address: string; owner: string }> {
  await lab.apply(DEMO_MANIFEST)
  const address = await addressOf(lab)
  return { address, owner: await waitFor(() => lab.owner(address), 'an owner') }
}

/** The address of the demo's Service, once it has one. */
export function addressOf(lab: Lab): Promise<string> {
  const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
  const read = async () => (await lab.kubectl(['get', 'service', 'web', '-o', path])).stdout.trim() || undefined
  return waitFor(read, 'an address')
}

/** What a back end said about one request. */
interface Answer {
  readonly pod: string
  readonly node: string
  readonly client: string
}

function parseAnswer(body: string): Answer {
  return Object.fromEntries(body.split(' ').map(pair => pair.split('='))) as Answer
}

/** Asks again and again, a new connection each time, until there are so many answers. */
export async function answers(host: Host, url: string, count: number): Promise<Answer[]> {
  const probe = new Probe(host, url, 5, 1000)
  try {
    await waitFor(() => probe.answersSince(0).length >= count, `${count} answers from ${url} at ${host.name}`)
    return probe.answersSince(0).map(({ body }) => parseAnswer(body))
  } finally {
    await probe.stop()
  }
}

/** Whether one request is answered within the time. */
export async function isAnswered(host: Host, url: string, retryMs = 0): Promise<boolean> {
  const { code } = await host.exec(nodeCommand('fetch', [url, String(retryMs)]))
  return code === 0
}

/** The MAC addresses of everybody who answers one ARP request within 0.3 s. */
export async function arp(host: Host, address: string): Promise<string[]> {
  const { stdout } = await host.exec(['arping', '-c', '1', '-w', '0.3', '-i', 'eth0', address])
  return [...stdout.matchAll(/from ([0-9a-f:]{17})/g)].map(([, mac]) => mac!)
}

export async function podsReady(lab: Lab, names: readonly string[]): Promise<void> {
  const args = ['wait', '--for=condition=Ready', '--timeout=15s', ...names.map(name => `pod/${name}`)]
  const { code, stderr } = await lab.kubectl(args)
  if (code !== 0) throw new Error(`pods did not get ready: ${stderr}`)
}
