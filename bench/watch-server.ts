// The server of bench/watch.ts: 10,000 Services of 2 KB in pages, and a watch that sends each of them changed once.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const COUNT = Number(process.argv[2])
const SIZE = 2_000

/** As `kubectl apply` leaves one: about half of it is bookkeeping that nobody here reads. */
function serviceOf(index: number, version: number): string {
  const spec = {
    type: 'LoadBalancer',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    selector: { app: `app-${index}` },
    ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080, nodePort: 30_000 }],
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    sessionAffinity: 'None',
    allocateLoadBalancerNodePorts: true,
  }
  const metadata = {
    name: `service-${index}`,
    namespace: `namespace-${index % 50}`,
    uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    resourceVersion: String(version),
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { app: `app-${index}`, 'app.kubernetes.io/managed-by': 'Helm' },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }), filler: '' },
    managedFields: [
      { manager: 'kubectl', operation: 'Apply', fieldsV1: fieldsOf(spec) },
      { manager: 'controller', operation: 'Update', subresource: 'status', fieldsV1: fieldsOf({ status: {} }) },
    ],
  }
  const object = { metadata, spec, status: { loadBalancer: { ingress: [{ ip: '203.0.113.7', ipMode: 'VIP' }] } } }
  metadata.annotations.filler = 'x'.repeat(Math.max(0, SIZE - JSON.stringify(object).length))
  return JSON.stringify(object)
}

function fieldsOf(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      `f:${key}`,
      typeof inner === 'object' && !Array.isArray(inner) ? fieldsOf(inner) : {},
    ]),
  )
}

const listed = Array.from({ length: COUNT }, (_, index) => serviceOf(index, index + 1))
const changes = Array.from(
  { length: COUNT },
  (_, index) => `{"type":"MODIFIED","object":${serviceOf(index, COUNT + index + 1)}}\n`,
)
const stream = Buffer.from(changes.join(''))
let watching: ServerResponse | undefined

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  response.setHeader('content-type', 'application/json')
  if (pathname === '/modify') {
    watching?.write(stream)
    response.end()
  } else if (searchParams.has('watch')) {
    watching = response
    response.flushHeaders()
  } else {
    const from = Number(searchParams.get('continue') ?? 0)
    const to = Math.min(COUNT, from + (Number(searchParams.get('limit')) || COUNT))
    const next = to < COUNT ? `,"continue":"${to}"` : ''
    const items = listed.slice(from, to).join(',')
    response.end(`{"kind":"ServiceList","metadata":{"resourceVersion":"${COUNT}"${next}},"items":[${items}]}`)
  }
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
