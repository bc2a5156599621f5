import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { call, OpenWatch } from './bare-client.ts'
import { type Fields, fieldsAt } from './object.ts'
import { type ApiServer, startApiServer } from './server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: Fields = {}, labels: Fields = {}) => ({ metadata: { name, labels }, data })
const revision = (body: Fields) => String(fieldsAt(body, 'metadata').resourceVersion)

describe('watches', () => {
  let server: ApiServer
  before(async () => {
    server = await startApiServer({ plainHttp: true, bookmarkMs: 20 })
  })
  after(() => server.stop())

  const make = async (name: string, data?: Fields, labels?: Fields) =>
    (await call(server, 'POST', MAPS, { body: map(name, data, labels) })).body
  const put = (name: string, body: Fields) => call(server, 'PUT', `${MAPS}/${name}`, { body })
  const drop = (name: string) => call(server, 'DELETE', `${MAPS}/${name}`)

  test('a watch resumes after a revision and tells of everything since', async () => {
    const made = await make('seen', { a: '1' })
    await put('seen', map('seen', { a: '2' }))
    const watch = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${revision(made)}`)
    await drop('seen')
    await watch.until(() => watch.events.length === 2)
    assert.deepEqual(watch.seen, ['MODIFIED seen', 'DELETED seen'])
    watch.close()
  })

  test('a watch without a revision begins with what is there', async () => {
    await make('present', {}, { only: 'this' })
    const watch = new OpenWatch(server, `${MAPS}?watch=1&labelSelector=only%3Dthis`)
    await watch.until(() => watch.seen.includes('ADDED present'))
    const { body } = await put('present', map('present', {}, { only: 'that' }))
    await watch.until(() => watch.events.length === 2)
    assert.deepEqual(watch.seen, ['ADDED present', 'DELETED present'], 'leaving the selection reads as deletion')
    const { labels, resourceVersion } = fieldsAt(watch.events[1]!.object, 'metadata')
    assert.deepEqual(
      [labels, resourceVersion],
      [{ only: 'this' }, revision(body)],
      'as it was, at the revision of the change',
    )
    watch.close()
  })

  test('a watch from a forgotten revision gets 410 as its only event', async () => {
    const made = await make('old')
    server.compact()
    await put('old', map('old', { a: '1' }))
    const gone = await call(server, 'GET', `${MAPS}?watch=1&resourceVersion=${Number(revision(made)) - 1}`)
    const { type, object } = gone.body
    assert.deepEqual([gone.code, type, fieldsAt({ object }, 'object').reason], [200, 'ERROR', 'Expired'])
  })

  test('from a revision in the future a list gets 504, and a watch silence until that has come', async () => {
    const { revision: now } = server.cluster.store
    const list = await call(server, 'GET', `${MAPS}?resourceVersion=${now + 2}`)
    assert.equal(list.code, 504)
    assert.match(String(list.body.message), /Too large resource version/)
    const watch = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${now + 2}&allowWatchBookmarks=true`)
    await watch.opened()
    const other = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${now}&allowWatchBookmarks=true`)
    await other.until(() => other.events.length > 1) // time for bookmarks
    other.close()
    assert.deepEqual(watch.events, [])
    for (const name of ['early', 'asked-for', 'late']) await make(name)
    await watch.until(() => watch.seen.includes('ADDED late'))
    assert.deepEqual(
      watch.seen.filter(one => one !== 'BOOKMARK'),
      ['ADDED late'],
    )
    watch.close()
  })

  test('bookmarks come to those who allow them, with the current revision', async () => {
    const watch = new OpenWatch(
      server,
      `${MAPS}?watch=1&resourceVersion=${server.cluster.store.revision}&allowWatchBookmarks=true`,
    )
    await watch.until(() => watch.events.some(({ type }) => type === 'BOOKMARK'))
    assert.equal(revision(watch.events[0]!.object), String(server.cluster.store.revision))
    watch.close()
  })

  test('timeoutSeconds ends a watch cleanly', async () => {
    const watch = new OpenWatch(
      server,
      `${MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${server.cluster.store.revision}`,
    )
    await watch.until(() => watch.ended !== undefined)
    assert.equal(watch.ended, 'clean')
  })

  test('sendInitialEvents is refused as by a server without that feature', async () => {
    const refused = await call(
      server,
      'GET',
      `${MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
    )
    assert.equal(refused.code, 422)
    assert.match(String(refused.body.message), /sendInitialEvents is forbidden for watch/)
  })

  for (const [how, events] of [
    ['clean', []],
    ['gone', ['ERROR 410']],
  ] as const)
    test(`dropWatches ${how} ends a watch after ${events.length} events`, async () => {
      const watch = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${server.cluster.store.revision}`)
      await watch.opened()
      server.dropWatches(how)
      await watch.until(() => watch.ended !== undefined)
      assert.equal(watch.ended, 'clean')
      const seen = watch.events.map(({ type, object }) => `${type} ${object.code}`)
      assert.deepEqual(seen, events)
    })

  test('paused watches say nothing and lose nothing', async () => {
    const watch = new OpenWatch(server, `${MAPS}?watch=1&resourceVersion=${server.cluster.store.revision}`)
    await watch.opened()
    server.watches.pause()
    await make('quiet-1')
    await make('quiet-2')
    assert.deepEqual(watch.seen, [])
    server.watches.resume()
    await watch.until(() => watch.events.length === 2)
    assert.deepEqual(watch.seen, ['ADDED quiet-1', 'ADDED quiet-2'])
    watch.close()
  })
})
