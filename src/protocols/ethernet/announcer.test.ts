import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Random } from '../../ports/index.ts'
import { Announcer, ROUNDS_MS } from './index.ts'

const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }

/** Everything that is due until `endMs`, each time it says it wants to be asked. */
function run(announcer: Announcer<string>, endMs: number): string[] {
  const sent: string[] = []
  for (let now = announcer.nextAt(); now !== undefined && now <= endMs; now = announcer.nextAt())
    for (let due = announcer.take(now); due !== undefined; due = announcer.take(now))
      sent.push(`${now} ${due.link} ${due.key}`)
  return sent
}
const rounds = (link: number, key: string, startMs = 0) => ROUNDS_MS.map(ms => `${startMs + ms} ${link} ${key}`)

test('a new pair is announced at 0, 1.1, 2.2, 3.3 and 4.4 s, twice within 100 ms, four times within 1 s, and then no more', () => {
  for (const ms of [0, 1100, 2200, 3300, 4400]) assert.ok((ROUNDS_MS as readonly number[]).includes(ms))
  assert.equal(ROUNDS_MS.filter(ms => ms < 100).length, 2) // the first is lost where a port does not forward yet
  assert.equal(ROUNDS_MS.filter(ms => ms < 1000).length, 4) // chapter 03 section 6.6: three at least
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 0)
  assert.deepEqual(run(announcer, 100_000), rounds(2, 'a'))
  assert.equal(announcer.nextAt(), undefined)
})

test('nothing is due before its time', () => {
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 1000)
  assert.equal(announcer.nextAt(), 1000)
  assert.equal(announcer.take(999), undefined)
  assert.deepEqual({ ...announcer.take(1000), startMs: 0 }, { link: 2, key: 'a', startMs: 0, generation: 0 })
  assert.equal(announcer.take(1000), undefined)
})

test('wanting it again starts nothing; what is new starts alone', () => {
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 0)
  const early = run(announcer, 3000)
  announcer.want(2, 'a', 3000)
  announcer.want(2, 'b', 3000)
  const all = [...early, ...run(announcer, 100_000)]
  assert.deepEqual(
    all.filter(line => line.endsWith('a')),
    rounds(2, 'a'),
  )
  assert.deepEqual(
    all.filter(line => line.endsWith('b')),
    rounds(2, 'b', 3000),
  )
})

test('a withdrawn address falls silent at once, on its interface only', () => {
  const announcer = new Announcer<string>(0, middling)
  for (const link of [2, 3]) announcer.want(link, 'a', 0)
  run(announcer, 1500)
  announcer.drop(2, 'a')
  const later = run(announcer, 100_000)
  assert.deepEqual(later, rounds(3, 'a').slice(5))
})

test('withdrawn and wanted again, it starts from the first round and the old one is forgotten', () => {
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 0)
  run(announcer, 600)
  announcer.drop(2, 'a')
  announcer.want(2, 'a', 800)
  assert.deepEqual(run(announcer, 100_000), rounds(2, 'a', 800))
})

test('an interface that starts again announces everything on it again, and only once', () => {
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 0)
  announcer.want(2, 'b', 0)
  announcer.want(3, 'a', 0)
  run(announcer, 3000)
  announcer.restart(2, 3000)
  const later = run(announcer, 100_000)
  assert.deepEqual(
    later.filter(line => line.includes(' 2 a')),
    rounds(2, 'a', 3000),
  )
  assert.deepEqual(
    later.filter(line => line.includes(' 2 b')),
    rounds(2, 'b', 3000),
  )
  assert.deepEqual(
    later.filter(line => line.includes(' 3 a')),
    rounds(3, 'a').slice(6),
  )
})

test('an interface that is gone is silent', () => {
  const announcer = new Announcer<string>(0, middling)
  announcer.want(2, 'a', 0)
  announcer.forget(2)
  assert.deepEqual(run(announcer, 100_000), [])
})

test('with a refresh every pair is announced again and again, a tenth early or late', () => {
  for (const [chance, period] of [
    [0, 54_000],
    [0.5, 60_000],
    [0.999999, 66_000],
  ] as const) {
    const announcer = new Announcer<string>(60_000, { ...middling, next: () => chance })
    announcer.want(2, 'a', 0)
    announcer.want(2, 'b', 0)
    run(announcer, 10_000)
    const refreshed = run(announcer, 140_000).map(line => Math.round(Number.parseFloat(line)))
    assert.deepEqual(refreshed, [period, period, 2 * period, 2 * period])
  }
})

test('a refresh skips what was withdrawn while it went on', () => {
  const announcer = new Announcer<string>(60_000, middling)
  announcer.want(2, 'a', 0)
  announcer.want(2, 'b', 0)
  run(announcer, 10_000)
  assert.equal(announcer.take(60_000)?.key, 'a')
  assert.equal(announcer.nextAt(), 0, 'there is more to send now')
  announcer.drop(2, 'b')
  assert.equal(announcer.take(60_000), undefined)
})

test('ten thousand addresses are all announced in every round', () => {
  const announcer = new Announcer<string>(0, middling)
  for (let index = 0; index < 10_000; index++) announcer.want(2, `a${index}`, 0)
  assert.equal(new Set(run(announcer, 0)).size, 10_000)
  assert.equal(run(announcer, 100_000).length, 10_000 * (ROUNDS_MS.length - 1))
})
