import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Cluster } from './cluster.ts'
import { EndpointSliceController } from './endpoint-slices.ts'
import { type Fields, listAt } from './object.ts'
import { create, patch } from './writes.ts'

class Setup {
  readonly cluster = new Cluster()
  readonly controller = new EndpointSliceController(this.cluster)

  constructor() {
    this.#create('namespaces', undefined, { metadata: { name: 'default' } })
  }

  #create(plural: string, namespace: string | undefined, body: Fields): void {
    create(this.cluster, this.cluster.registry.get('', 'v1', plural)!, namespace, body)
  }

  service(spec: Fields = {}): void {
    const ports = [{ name: 'http', port: 80, targetPort: 'http' }]
    this.#create('services', 'default', {
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports, ...spec },
    })
  }

  pod(name: string, ip: string, { ready = true, port = 8080, labels = { app: 'web' } } = {}): void {
    const containers = [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }]
    this.#create('pods', 'default', { metadata: { name, labels }, spec: { nodeName: `node-of-${name}`, containers } })
    this.status(name, ip, ready)
  }

  status(name: string, ip: string, ready: boolean): void {
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
    this.patch('pods', name, { status: { podIP: ip, podIPs: [{ ip }], conditions } }, 'status')
  }

  patch(plural: string, name: string, body: Fields, subresource?: string): void {
    const resource = this.cluster.registry.get('', 'v1', plural)!
    patch(this.cluster, resource, { name, namespace: 'default' }, 'application/merge-patch+json', body, subresource)
  }

  /** `family port: address node ready`, a line an endpoint. */
  async slices(): Promise<string[]> {
    for (let turns = 0; turns < 10; turns++) await turn()
    const slices = this.cluster.store.list('discovery.k8s.io/endpointslices').map(({ object }) => object)
    return slices
      .flatMap(slice => {
        const head = `${slice.addressType} ${listAt(slice, 'ports').map(({ port }) => port)}`
        const lines = listAt(slice, 'endpoints').map(
          ({ addresses, nodeName, conditions }) => `${head}: ${addresses} ${nodeName} ${(conditions as Fields).ready}`,
        )
        return lines.length === 0 ? [`${head}: none`] : lines
      })
      .sort()
  }
}

test('ready and unready pods, with node names and resolved ports', async () => {
  const setup = new Setup()
  setup.service()
  setup.pod('a', '10.244.0.1')
  setup.pod('b', '10.244.0.2', { ready: false })
  setup.pod('c', '10.244.0.3', { labels: { app: 'other' } })
  assert.deepEqual(await setup.slices(), [
    'IPv4 8080: 10.244.0.1 node-of-a true',
    'IPv4 8080: 10.244.0.2 node-of-b false',
  ])
})

test('without pods there is an empty slice, which carries the labels and the owner', async () => {
  const setup = new Setup()
  setup.service()
  assert.deepEqual(await setup.slices(), ['IPv4 : none'])
  const [entry] = setup.cluster.store.list('discovery.k8s.io/endpointslices')
  const { labels, ownerReferences } = entry!.object.metadata
  assert.equal(labels?.['kubernetes.io/service-name'], 'web')
  assert.deepEqual(
    ownerReferences?.map(({ kind, name, controller }) => ({ kind, name, controller })),
    [{ kind: 'Service', name: 'web', controller: true }],
  )
})

test('changes follow: readiness, labels, deletion', async () => {
  const setup = new Setup()
  setup.service()
  setup.pod('a', '10.244.0.1')
  setup.pod('b', '10.244.0.2')
  await setup.slices()
  setup.status('a', '10.244.0.1', false)
  assert.deepEqual(await setup.slices(), [
    'IPv4 8080: 10.244.0.1 node-of-a false',
    'IPv4 8080: 10.244.0.2 node-of-b true',
  ])
  setup.patch('pods', 'a', { metadata: { labels: { app: 'gone' } } })
  assert.deepEqual(await setup.slices(), ['IPv4 8080: 10.244.0.2 node-of-b true'])
  setup.cluster.store.remove('/pods', 'default/b')
  assert.deepEqual(await setup.slices(), ['IPv4 : none'])
})

test('pods that name different ports are in different slices', async () => {
  const setup = new Setup()
  setup.service()
  setup.pod('a', '10.244.0.1', { port: 8080 })
  setup.pod('b', '10.244.0.2', { port: 9090 })
  assert.deepEqual(await setup.slices(), [
    'IPv4 8080: 10.244.0.1 node-of-a true',
    'IPv4 9090: 10.244.0.2 node-of-b true',
  ])
  assert.equal(setup.cluster.store.list('discovery.k8s.io/endpointslices').length, 2)
})

test('a slice a family; unready addresses are published where asked for', async () => {
  const setup = new Setup()
  setup.service({ ipFamilyPolicy: 'PreferDualStack', publishNotReadyAddresses: true })
  setup.pod('a', 'fd00::1', { ready: false })
  assert.deepEqual(await setup.slices(), ['IPv4 : none', 'IPv6 8080: fd00::1 node-of-a true'])
})

test('more than a hundred endpoints are split', async () => {
  const setup = new Setup()
  setup.service()
  for (let index = 1; index <= 150; index++) setup.pod(`p${index}`, `10.244.0.${index}`)
  assert.equal((await setup.slices()).length, 150)
  const counts = setup.cluster.store
    .list('discovery.k8s.io/endpointslices')
    .map(({ object }) => listAt(object, 'endpoints').length)
  assert.deepEqual(counts.sort(), [100, 50])
})
