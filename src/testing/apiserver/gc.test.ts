import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Cluster } from './cluster.ts'
import { type DeleteOptions, remove } from './deletion.ts'
import { GarbageCollector } from './gc.ts'
import type { KubeJson } from './object.ts'
import { create, patch } from './writes.ts'

class Setup {
  readonly cluster = new Cluster()
  readonly #resource = this.cluster.registry.get('', 'v1', 'configmaps')!

  constructor() {
    new GarbageCollector(this.cluster)
    for (const name of ['default', 'doomed']) this.namespace(name)
  }

  namespace(name: string): void {
    create(this.cluster, this.cluster.registry.get('', 'v1', 'namespaces')!, undefined, { metadata: { name } })
  }

  make(name: string, owners: KubeJson[] = [], finalizers: string[] = [], namespace = 'default'): KubeJson {
    const ownerReferences = owners.map(({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
    }))
    return create(this.cluster, this.#resource, namespace, { metadata: { name, ownerReferences, finalizers } }).object
  }

  delete({ metadata }: KubeJson, propagation?: DeleteOptions['propagation']): boolean {
    const entry = this.cluster.store.get('/configmaps', `${metadata.namespace}/${metadata.name}`)!
    return remove(this.cluster, this.#resource, entry, { propagation }).gone
  }

  release({ metadata }: KubeJson): void {
    const ref = { name: metadata.name, namespace: metadata.namespace! }
    const body = { metadata: { finalizers: null } }
    patch(this.cluster, this.#resource, ref, 'application/merge-patch+json', body, undefined)
  }

  get names(): string[] {
    return this.cluster.store.list('/configmaps').map(({ object }) => object.metadata.name)
  }

  get(name: string): KubeJson | undefined {
    return this.cluster.store.get('/configmaps', `default/${name}`)?.object
  }

  async settle(): Promise<void> {
    for (let turns = 0; turns < 20; turns++) await turn()
  }
}

test('dependents go after their owner, and theirs after them', async () => {
  const setup = new Setup()
  const owner = setup.make('owner')
  setup.make('grandchild', [setup.make('child', [owner])])
  setup.make('stranger')
  assert.equal(setup.delete(owner), true)
  await setup.settle()
  assert.deepEqual(setup.names, ['stranger'])
})

test('a dependent with another owner stays and loses the reference', async () => {
  const setup = new Setup()
  const [first, second] = [setup.make('first'), setup.make('second')]
  setup.make('child', [first, second])
  setup.delete(first)
  await setup.settle()
  assert.deepEqual(
    setup.get('child')?.metadata.ownerReferences?.map(({ name }) => name),
    ['second'],
  )
})

test('an object whose owner never was is collected', async () => {
  const setup = new Setup()
  setup.make('child', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ghost', uid: 'no-such-uid' } }])
  await setup.settle()
  assert.deepEqual(setup.names, [])
})

test('orphan: the dependents stay, without the reference', async () => {
  const setup = new Setup()
  const owner = setup.make('owner')
  setup.make('child', [owner])
  setup.delete(owner, 'Orphan')
  await setup.settle()
  assert.deepEqual(setup.names, ['child'])
  assert.deepEqual(setup.get('child')?.metadata.ownerReferences, [])
})

test('foreground: the owner waits for its dependents', async () => {
  const setup = new Setup()
  const owner = setup.make('owner')
  const child = setup.make('child', [owner], ['example.com/hold'])
  assert.equal(setup.delete(owner, 'Foreground'), false)
  await setup.settle()
  assert.deepEqual(setup.names, ['child', 'owner'])
  assert.ok(setup.get('child')?.metadata.deletionTimestamp)
  setup.release(child)
  await setup.settle()
  assert.deepEqual(setup.names, [])
})

test('a namespace goes when the last object in it is gone, and takes nothing new meanwhile', async () => {
  const setup = new Setup()
  const held = setup.make('held', [], ['example.com/hold'], 'doomed')
  setup.make('free', [], [], 'doomed')
  setup.make('outside')
  const namespaces = setup.cluster.registry.get('', 'v1', 'namespaces')!
  const namespace = () => setup.cluster.store.get('/namespaces', 'doomed')
  assert.equal(remove(setup.cluster, namespaces, namespace()!).gone, false)
  await setup.settle()
  assert.deepEqual(setup.names, ['outside', 'held'])
  assert.deepEqual(namespace()?.object.status, { phase: 'Terminating' })
  assert.throws(() => setup.make('late', [], [], 'doomed'), { code: 403, message: /because it is being terminated/ })
  setup.release(held)
  await setup.settle()
  assert.equal(namespace(), undefined)
})

test('an object that is going takes no new finalizers', () => {
  const setup = new Setup()
  const held = setup.make('held', [], ['example.com/hold'])
  setup.delete(held)
  const resource = setup.cluster.registry.get('', 'v1', 'configmaps')!
  const body = { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } }
  const ref = { name: 'held', namespace: 'default' }
  const attempt = () => patch(setup.cluster, resource, ref, 'application/merge-patch+json', body, undefined)
  assert.throws(attempt, { code: 422, message: /no new finalizers can be added/ })
})
