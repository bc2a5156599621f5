/**
 * Fuzz entry point: whatever a server and the network do to list and watch, the cache ends up equal to the server, and
 * its changes, replayed one by one, give the same. All randomness follows from the seed.
 */
import assert from 'node:assert/strict'
import { Connection, KubeClient, Reflector } from '../../src/adapters/kube/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { services } from '../../src/api/index.ts'
import type { KubeObject, ResourceType } from '../../src/core/object.ts'
import { type Random, silent } from '../../src/ports/index.ts'
import { FakeRandom } from '../../src/testing/fake-random.ts'
import { answer, ScriptedApi, status } from '../../src/testing/scripted-api.ts'

const STEPS = 60
const GARBAGE = [
  '\n',
  '\0',
  '{',
  '[]\n',
  'null\n',
  '{"type":"ADDED"}\n',
  '{"type":"X","object":{"metadata":{}}}\n',
  '<html>\n',
]

export async function fuzzWatch(seed: number): Promise<void> {
  const random = new FakeRandom(seed)
  const api = await new ScriptedApi().start()
  const access = {
    source: 'fuzz',
    server: new URL(api.url),
    tls: { rejectUnauthorized: true },
    identity: async () => ({}),
    renew: () => false,
  }
  const connection = new Connection({ access, clock: systemClock })
  const others = new FakeRandom(seed) // what the reflector draws depends on timing, the disturbances must not
  const client = new KubeClient(connection, others)
  const context = { client, clock: systemClock, random: others, log: silent }
  const type = services as ResourceType<KubeObject>
  const reflector = new Reflector(context, type, { timing: { backoffMs: () => 1, idleMs: 50 } })
  const replayed = new Map<string, string | undefined>()
  reflector.subscribe(change => {
    const { name, resourceVersion } = change.object.metadata
    assert.equal(replayed.has(name), change.kind !== 'added', `${change.kind} ${name}`)
    if (change.kind === 'deleted') replayed.delete(name)
    else replayed.set(name, resourceVersion)
  })
  reflector.start()
  try {
    for (let step = 0; step < STEPS; step++) await disturb(api, random)
    api.put('last')
    await equal(api, reflector)
    const versions = (objects: Iterable<KubeObject>) =>
      [...objects].map(({ metadata }) => [metadata.name, metadata.resourceVersion] as const).sort()
    assert.deepEqual(versions(reflector.list()), versions(api.objects.values()))
    assert.deepEqual([...replayed].sort(), versions(api.objects.values()))
  } finally {
    await reflector.stop()
    connection.close()
    await api.stop()
  }
}

/** The sooner of: the cache has what the server has; five seconds. */
async function equal(api: ScriptedApi, reflector: Reflector<KubeObject>): Promise<void> {
  const same = () =>
    reflector.list().length === api.objects.size &&
    reflector
      .list()
      .every(({ metadata }) => api.objects.get(metadata.name)?.metadata.resourceVersion === metadata.resourceVersion)
  for (let wait = 0; wait < 5_000 && !same(); wait++) await new Promise(resolve => setTimeout(resolve, 1))
}

async function disturb(api: ScriptedApi, random: Random): Promise<void> {
  const pick = (below: number) => Math.floor(random.next() * below)
  const name = `s${pick(8)}`
  switch (pick(16)) {
    case 0:
      return api.endWatches()
    case 1:
      return api.resetWatches()
    case 2:
      return api.send(GARBAGE[pick(GARBAGE.length)]!)
    case 3:
      return api.send(random.bytes(pick(200)))
    case 4:
      return api.compact()
    case 5:
      await api.stop()
      await api.start()
      return
    case 6:
      return api.once('list', (_request, response) => answer(response, [410, 429, 500][pick(3)]!, 'no'))
    case 7:
      return api.once('watch', (_request, response) => answer(response, 410, status(410, 'Expired', 'x')))
    case 8:
      return api.once('any', request => request.socket.resetAndDestroy())
    case 9:
      return api.bookmark()
    case 10:
      return await new Promise(resolve => setTimeout(resolve, pick(10)))
    case 11:
    case 12:
      return api.remove(name)
    default:
      return api.put(name)
  }
}
