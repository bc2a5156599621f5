/** What the API server of the simulated cluster holds, and the configuration. */
import { endpointSlices, nodes, pods, services } from '../../api/kubernetes/index.ts'
import type { Config } from '../../core/config/index.ts'
import type { FakeKube } from '../fake-kube.ts'
import { anAdvertisement, aPool } from '../layer2-world.ts'

export const nameOf = (n: number) => `node-${String(n).padStart(3, '0')}`
export const addressOf = (n: number) => `10.0.${n >> 8}.${(n & 255) + 1}`
/** Of the Service with that number. */
export const serviceAddressOf = (n: number) => `192.168.${n >> 8}.${n & 255}`

/** One pool for all Services, announced by all nodes, on all interfaces or on these. */
export function configOf(nodes: readonly string[], interfaces: readonly string[] | undefined): Config {
  return {
    pools: [aPool({ entries: ['192.168.0.0/16'] })],
    l2Advertisements: [
      anAdvertisement({ nodes: new Set(nodes), interfaces: interfaces ? new Set(interfaces) : 'all' }),
    ],
  }
}

export function putNode(kube: FakeKube, n: number): void {
  const name = nameOf(n)
  kube.put(nodes, { metadata: { name } })
  const metadata = { name: `speaker-${name}`, namespace: 'metallb-system' }
  const status = { phase: 'Running', podIP: addressOf(n), podIPs: [{ ip: addressOf(n) }] }
  kube.put(pods, { metadata, spec: { nodeName: name }, status })
}

export function putService(kube: FakeKube, n: number): void {
  const metadata = { name: `s${n}`, namespace: 'default' }
  const labels = { 'kubernetes.io/service-name': metadata.name }
  kube.put(endpointSlices, { metadata: { ...metadata, labels }, endpoints: [{ addresses: ['10.244.0.1'] }] })
  const status = { loadBalancer: { ingress: [{ ip: serviceAddressOf(n) }] } }
  kube.put(services, { metadata, spec: { type: 'LoadBalancer' }, status })
}

export function removeService(kube: FakeKube, n: number): void {
  const ref = { name: `s${n}`, namespace: 'default' }
  kube.remove(services, ref)
  kube.remove(endpointSlices, ref)
}
