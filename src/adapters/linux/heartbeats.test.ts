import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { parseAddress } from '../../core/ip/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import type { FromHeartbeats, ToHeartbeats } from './heartbeat-messages.ts'
import { LinuxHeartbeats } from './heartbeats.ts'

const address = parseAddress('127.0.0.1')!

/** The test is the thread. */
async function started(t: TestContext) {
  const clock = new FakeClock()
  const heartbeats = new LinuxHeartbeats({
    ...{ node: 'a', address, port: 0, secrets: [], clock },
    follow: found => {
      found(new Set(['127.0.0.2']))
      return () => {}
    },
    refused: () => {},
  })
  const begin = () => lifeOf(t, heartbeats.companion().data.port)
  const first = begin()
  await heartbeats.start()
  const fd = first.opened()!
  return { clock, heartbeats, begin, first, isOpen: () => existsSync(`/proc/self/fd/${fd}`) }
}

function lifeOf(t: TestContext, port: MessagePort) {
  t.after(() => port.close())
  const heard: ToHeartbeats[] = []
  const hear = () => {
    for (;;) {
      const received = receiveMessageOnPort(port) as { message: ToHeartbeats } | undefined
      if (received === undefined) return heard
      heard.push(received.message)
    }
  }
  return {
    kinds: () => hear().map(({ kind }) => kind),
    opened: () => hear().flatMap(message => (message.kind === 'open' ? message.options.fd : []))[0],
    say: (message: FromHeartbeats) => port.postMessage(message),
    die: () => port.close(),
  }
}

const turns = async (done: () => boolean) => {
  while (!done()) await new Promise(resolve => setImmediate(resolve))
}

test('a life of the thread is told all that is known when it begins', async t => {
  const { heartbeats, first, begin } = await started(t)
  heartbeats.activate()
  heartbeats.publish(['eth0'])
  assert.deepEqual(first.kinds(), ['open', 'peers', 'activate', 'publish'])
  const second = begin()
  assert.deepEqual([second.kinds(), second.opened()], [['open'], first.opened()])
  const stopped = heartbeats.stop()
  second.say({ kind: 'left' })
  await stopped
})

test('a stop lasts until the thread has said that it leaves; then the socket is closed', async t => {
  const { heartbeats, first, isOpen } = await started(t)
  let isStopped = false
  const stopped = heartbeats.stop().then(() => {
    isStopped = true
  })
  assert.equal(first.kinds().at(-1), 'leave')
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([isStopped, isOpen()], [false, true])
  first.say({ kind: 'left' })
  await stopped
  assert.equal(isOpen(), false)
})

test('a thread that dies meanwhile is not waited for, and its next life sends nothing', async t => {
  const { heartbeats, first, begin, isOpen } = await started(t)
  const stopped = heartbeats.stop()
  first.die()
  await stopped
  assert.equal(isOpen(), false)
  assert.deepEqual(begin().kinds(), [])
})

test('a thread that begins another life meanwhile sends nothing either', async t => {
  const { heartbeats, begin, isOpen } = await started(t)
  const stopped = heartbeats.stop()
  const next = begin()
  await stopped
  assert.deepEqual([next.kinds(), isOpen()], [[], false])
})

test('a thread that needs longer keeps the socket: its number must not be given to another one', async t => {
  const { clock, heartbeats, first, isOpen } = await started(t)
  const stopped = heartbeats.stop()
  clock.advance(500)
  await stopped
  assert.equal(isOpen(), true)
  first.say({ kind: 'left' })
  await turns(() => !isOpen())
})

test('where the address cannot be had the start fails, and nothing stays armed', async () => {
  const clock = new FakeClock()
  const heartbeats = new LinuxHeartbeats({
    ...{ node: 'a', address: parseAddress('192.0.2.1')!, port: 0, secrets: [], clock },
    ...{ follow: () => assert.fail('it has not started'), refused: () => {} },
  })
  await assert.rejects(heartbeats.start(), /heartbeats: UDP port 0: bind: EADDRNOTAVAIL/)
  await heartbeats.stop()
  assert.equal(clock.armed, 0)
})
