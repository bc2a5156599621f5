import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { call, OpenWatch } from './bare-client.ts'
import { type Fields, fieldsAt, valueAt } from './object.ts'
import { startApiServer } from './server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string) => ({ metadata: { name } })
const revision = (body: Fields) => String(fieldsAt(body, 'metadata').resourceVersion)

test('a restart keeps data, port and certificate, and cuts every connection', async t => {
  const server = await startApiServer()
  t.after(() => server.stop())
  const made = await call(server, 'POST', MAPS, { body: map('kept') })
  assert.equal(made.code, 201)
  const watch = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${revision(made.body)}`)
  await watch.opened()
  const { url, caPem } = server
  server.faults.setLatency(500)
  const pending = assert.rejects(call(server, 'GET', MAPS), { code: 'ECONNRESET' })
  while (!server.requests.has('list configmaps')) await turn()
  await server.restart()
  await pending
  server.faults.setLatency(0)
  await watch.until(() => watch.ended !== undefined)
  assert.deepEqual([server.url, server.caPem], [url, caPem])
  assert.equal((await call(server, 'GET', `${MAPS}/kept`)).text, made.text)
  await server.stop()
  await assert.rejects(call(server, 'GET', MAPS), { code: 'ECONNREFUSED' })
})

test('a snapshot goes on elsewhere: objects, revisions, certificates; history is gone', async t => {
  const first = await startApiServer()
  t.after(() => first.stop())
  const made = await call(first, 'POST', MAPS, { body: map('kept') })
  const snapshot = structuredClone(first.snapshot())
  await first.stop()
  const second = await startApiServer({ snapshot })
  t.after(() => second.stop())
  assert.equal(second.caPem, first.caPem)
  assert.equal((await call(second, 'GET', `${MAPS}/kept`)).text, made.text)
  const next = await call(second, 'POST', MAPS, { body: map('next') })
  assert.ok(Number(revision(next.body)) > Number(revision(made.body)))
  const { body } = await call(second, 'GET', `${MAPS}?watch=1&resourceVersion=1`)
  assert.deepEqual([body.type, valueAt(body, 'object.code')], ['ERROR', 410])
})
