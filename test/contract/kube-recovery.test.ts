import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connection, Informers, KubeClient } from '../../src/adapters/kube/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemRandom } from '../../src/adapters/system/random.ts'
import { type SecretResource, secrets } from '../../src/api/index.ts'
import { silent } from '../../src/ports/index.ts'
import { type ApiServer, startApiServer } from '../../src/testing/apiserver/index.ts'

const WAIT_MS = 20_000

/** What only a real API server can do to an informer; the toy of reflector.test.ts does the rest. */
const disturbances: [string, (server: ApiServer) => void | Promise<void>][] = [
  ['watches end', server => server.dropWatches()],
  ['watches end with 410', server => server.dropWatches('gone')],
  ['the server restarts', server => server.restart()],
  [
    'the server restarts without its history',
    async server => {
      await server.stop()
      server.objects.put(secretOf('while-away', 'YQ=='))
      server.compact()
      await server.listen()
    },
  ],
]

function secretOf(name: string, value: string) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'default', name }, data: { a: value } }
}

for (const [name, disturb] of disturbances)
  test(`an informer is complete again after: ${name}`, async t => {
    const server = await startApiServer()
    const access = {
      source: 'test',
      server: new URL(server.url),
      tls: { ca: server.caPem, rejectUnauthorized: true },
      identity: async () => ({ token: 'admin-token' }),
      renew: () => false,
    }
    const connection = new Connection({ access, clock: systemClock })
    const client = new KubeClient(connection, systemRandom)
    const informers = new Informers({ client, clock: systemClock, random: systemRandom, log: silent })
    t.after(async () => {
      await informers.stop()
      connection.close()
      await server.stop()
    })
    const informer = informers.of(secrets, { namespace: 'default' })
    informers.start()
    for (const secret of ['kept', 'gone']) await client.create(secrets, secretOf(secret, 'YQ==') as SecretResource)
    await until(() => informer.list().length === 2)
    const changes: string[] = []
    informer.subscribe(({ kind, object }) => void changes.push(`${kind} ${object.metadata.name}`))
    changes.length = 0
    await disturb(server)
    server.objects.delete(secrets, { namespace: 'default', name: 'gone' })
    server.objects.put(secretOf('last', 'YQ=='))
    await until(() => changes.includes('added last') && changes.includes('deleted gone'))
    assert.equal(changes.includes('deleted kept') || changes.includes('added kept'), false)
    const stored = await client.list(secrets, { namespace: 'default' })
    assert.deepEqual(
      informer
        .list()
        .map(({ metadata }) => metadata.name)
        .sort(),
      stored.map(({ metadata }) => metadata.name).sort(),
    )
    assert.equal(informers.ready(), true)
  })

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 2) {
    if (waited > WAIT_MS) assert.fail('never came')
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
