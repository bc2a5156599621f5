import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection, Informers, KubeClient, loadAccess } from '../../src/adapters/kube/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemRandom } from '../../src/adapters/system/random.ts'
import { silent } from '../../src/ports/index.ts'
import { startApiServer } from '../../src/testing/apiserver/index.ts'
import { FakeKube } from '../../src/testing/fake-kube.ts'
import { kubeContract } from './kube-api.ts'

kubeContract('fake', async () => {
  const api = new FakeKube()
  return { api, informer: (type, options) => api.informer(type, options), close: async () => {} }
})

/** The client on the embedded API server, by TLS and with the credentials of a kubeconfig. */
kubeContract('client and API server', async () => {
  const server = await startApiServer()
  const dir = mkdtempSync(join(tmpdir(), 'kube-contract-'))
  writeFileSync(join(dir, 'config'), server.kubeconfig())
  const access = await loadAccess({ kubeconfig: join(dir, 'config') })
  const connection = new Connection({ access, clock: systemClock })
  const api = new KubeClient(connection, systemRandom)
  const informers = new Informers({ client: api, clock: systemClock, random: systemRandom, log: silent })
  informers.start()
  return {
    api,
    informer: (type, options) => informers.of(type, options),
    close: async () => {
      await informers.stop()
      connection.close()
      await server.stop()
      rmSync(dir, { recursive: true })
    },
  }
})
