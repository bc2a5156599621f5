import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SecretResource, secrets, services } from '../../src/api/index.ts'
import type { KubeObject, ResourceType } from '../../src/core/object.ts'
import type { Change, Informer, KubeApi, KubeError, ListOptions } from '../../src/ports/index.ts'

export interface KubeUnderTest {
  readonly api: KubeApi
  /** A running informer. */
  informer<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Informer<T>
  close(): Promise<void>
}

const web = { namespace: 'default', name: 'web' }
const secret = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>): SecretResource => ({
  metadata: { namespace: 'default', name, ...(labels && { labels }) },
  data,
})
const refusedAs = (code: KubeError['code']) => (error: KubeError) => error.name === 'KubeError' && error.code === code

/** What every KubeApi and its informers do; the fake and the client on a real server both pass it. */
export function kubeContract(name: string, open: () => Promise<KubeUnderTest>): void {
  const withApi = (title: string, run: (api: KubeApi, all: KubeUnderTest) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const all = await open()
      try {
        await run(all.api, all)
      } finally {
        await all.close()
      }
    })

  withApi('what was created can be read, and carries what the server adds', async api => {
    const created = await api.create(secrets, secret('web', { a: 'YQ==' }))
    assert.deepEqual([created.apiVersion, created.kind, created.data], ['v1', 'Secret', { a: 'YQ==' }])
    assert.ok(created.metadata.uid)
    assert.ok(created.metadata.resourceVersion)
    assert.deepEqual(await api.get(secrets, web), created)
  })

  withApi('what is missing is NOT_FOUND for every verb', async api => {
    await assert.rejects(api.get(secrets, web), refusedAs('NOT_FOUND'))
    await assert.rejects(api.replace(secrets, secret('web')), refusedAs('NOT_FOUND'))
    await assert.rejects(api.patch(secrets, web, { type: 'merge', body: {} }), refusedAs('NOT_FOUND'))
    await assert.rejects(api.delete(secrets, web), refusedAs('NOT_FOUND'))
    assert.deepEqual(await api.list(secrets, { namespace: 'default' }), [])
  })

  withApi('a name is given once', async api => {
    await api.create(secrets, secret('web'))
    await assert.rejects(api.create(secrets, secret('web')), refusedAs('ALREADY_EXISTS'))
  })

  withApi('generateName gives names that differ', async api => {
    const generated = { metadata: { namespace: 'default', generateName: 'l2-' } } as SecretResource
    const names = [await api.create(secrets, generated), await api.create(secrets, generated)].map(
      ({ metadata }) => metadata.name,
    )
    assert.match(names[0]!, /^l2-.+/)
    assert.notEqual(names[0], names[1])
  })

  withApi('replacing what changed meanwhile is a CONFLICT, without a version it is not', async api => {
    const first = await api.create(secrets, secret('web', { a: 'YQ==' }))
    const second = await api.replace(secrets, { ...first, data: { a: 'Yg==' } })
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion)
    await assert.rejects(api.replace(secrets, { ...first, data: { a: 'Yw==' } }), refusedAs('CONFLICT'))
    assert.deepEqual((await api.get(secrets, web)).data, { a: 'Yg==' })
    assert.deepEqual((await api.replace(secrets, secret('web', { a: 'ZA==' }))).data, { a: 'ZA==' })
  })

  withApi('a merge patch sets, keeps and removes; one for another version is a CONFLICT', async api => {
    const { metadata } = await api.create(secrets, secret('web', { a: 'YQ==', b: 'Yg==' }, { x: '1' }))
    const body = { metadata: { labels: { y: '2' } }, data: { a: null, c: 'Yw==' } }
    const patched = await api.patch(secrets, web, { type: 'merge', body })
    assert.deepEqual(
      [patched.data, patched.metadata.labels],
      [
        { b: 'Yg==', c: 'Yw==' },
        { x: '1', y: '2' },
      ],
    )
    const stale = { metadata: { resourceVersion: metadata.resourceVersion } }
    await assert.rejects(api.patch(secrets, web, { type: 'merge', body: stale }), refusedAs('CONFLICT'))
  })

  withApi('the status is written apart from the rest, both ways', async api => {
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] }
    const created = await api.create(services, { metadata: { ...web }, spec })
    const ingress = [{ ip: '192.0.2.1' }]
    const changed = {
      ...created,
      spec: { ...created.spec, ports: [{ port: 81 }] },
      status: { loadBalancer: { ingress } },
    }
    const written = await api.replace(services, changed, 'status')
    assert.equal(written.spec?.ports?.[0]?.port, 80)
    assert.equal(written.status?.loadBalancer?.ingress?.[0]?.ip, '192.0.2.1')
    const body = { spec: { ports: null }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } } }
    const patched = await api.patch(services, web, { type: 'merge', body }, 'status')
    assert.equal(patched.spec?.ports?.[0]?.port, 80)
    assert.equal(patched.status?.loadBalancer?.ingress?.[0]?.ip, '192.0.2.2')
  })

  withApi('deleting asks for the right one', async api => {
    const { metadata } = await api.create(secrets, secret('web'))
    await assert.rejects(api.delete(secrets, web, { uid: 'another' }), refusedAs('CONFLICT'))
    await assert.rejects(api.delete(secrets, web, { resourceVersion: '1' }), refusedAs('CONFLICT'))
    await api.delete(secrets, web, { uid: metadata.uid!, resourceVersion: metadata.resourceVersion! })
    await assert.rejects(api.get(secrets, web), refusedAs('NOT_FOUND'))
  })

  withApi('lists choose by namespace, labels and name', async api => {
    await api.create(secrets, secret('a', {}, { app: 'x' }))
    await api.create(secrets, secret('b', {}, { app: 'y' }))
    await api.create(secrets, secret('c'))
    const names = async (options: ListOptions) =>
      (await api.list(secrets, { namespace: 'default', ...options }))
        .map(({ metadata }) => metadata.name)
        .sort()
        .join()
    assert.equal(await names({}), 'a,b,c')
    assert.equal(await names({ labelSelector: 'app=x' }), 'a')
    assert.equal(await names({ fieldSelector: 'metadata.name=b' }), 'b')
    assert.equal((await api.list(secrets, { namespace: 'kube-public' })).length, 0)
  })

  withApi('an informer replays what is there, then tells every change in order', async (api, all) => {
    await api.create(secrets, secret('before'))
    const informer = all.informer(secrets, { namespace: 'default' })
    await informer.whenSynced()
    assert.equal(informer.synced, true)
    const seen: string[] = []
    let told = () => {}
    const end = informer.subscribe((change: Change<SecretResource>) => {
      const values = change.kind === 'updated' ? `${change.before.data?.a} ${change.object.data?.a}` : ''
      seen.push(`${change.kind} ${change.object.metadata.name} ${values}`.trimEnd())
      told()
    })
    const until = async (count: number) => {
      while (seen.length < count) await new Promise<void>(resolve => (told = resolve))
    }
    assert.deepEqual(seen, ['added before'])
    await api.create(secrets, secret('web', { a: 'YQ==' }))
    await api.patch(secrets, web, { type: 'merge', body: { data: { a: 'Yg==' } } })
    await api.delete(secrets, { namespace: 'default', name: 'before' })
    await until(4)
    assert.deepEqual(seen.slice(1), ['added web', 'updated web YQ== Yg==', 'deleted before'])
    assert.equal(informer.get(web)?.data?.a, 'Yg==')
    assert.deepEqual(
      informer.list().map(({ metadata }) => metadata.name),
      ['web'],
    )
    end()
    await api.delete(secrets, web)
    const other = all.informer(secrets, { namespace: 'default' })
    while (other.get(web) !== undefined || informer.get(web) !== undefined)
      await new Promise(resolve => setTimeout(resolve, 1))
    assert.equal(seen.length, 4, 'whoever left is told nothing')
  })
}
