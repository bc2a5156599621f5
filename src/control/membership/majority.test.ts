import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PodResource, pods } from '../../api/kubernetes/index.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { Majority, minorityOf, seenOf } from './majority.ts'
import type { Standing } from './standing.ts'

const CASES: [expected: string, seen: string, verdict: ReturnType<typeof minorityOf>][] = [
  ['', 'a', undefined], // no pods known: nothing to compare with
  ['a', 'a', undefined],
  ['abc', 'abc', undefined],
  ['abc', 'ab', undefined],
  ['abc', 'b', { seen: 1, expected: 3 }],
  ['abc', 'a', { seen: 1, expected: 3 }],
  ['ab', 'a', undefined], // of two equal parts the one with the lowest name
  ['ab', 'b', { seen: 1, expected: 2 }],
  ['abcd', 'cad', undefined],
  ['abcd', 'da', undefined],
  ['abcd', 'bc', { seen: 2, expected: 4 }],
  ['abcd', 'a', { seen: 1, expected: 4 }],
  ['abcde', 'cde', undefined],
  ['abcde', 'ab', { seen: 2, expected: 5 }],
  ['ab', 'bcde', undefined], // seen before its pod is known: it counts for both
  ['abc', 'cd', { seen: 2, expected: 4 }],
]
for (const [expected, seen, verdict] of CASES)
  test(`${seen} of ${expected || 'nobody known'}: ${verdict ? 'a minority' : 'goes on'}`, () => {
    assert.deepEqual(minorityOf(expected, new Set(seen)), verdict)
  })

test('every cut of a cluster into two leaves one side that goes on, and not both', () => {
  for (let size = 1; size <= 6; size++) {
    const all = [...'abcdef'.slice(0, size)]
    for (let cut = 0; cut < 2 ** size; cut++) {
      const sides = [true, false].map(side => new Set(all.filter((_, n) => ((cut >> n) & 1) === Number(side))))
      const going = sides.filter(side => side.size > 0 && minorityOf(all, side) === undefined)
      assert.equal(going.length, 1, `${[...sides[0]!]} | ${[...sides[1]!]}`)
    }
  }
})

test('seen are those who are reached', () => {
  const all: Standing[] = ['listed', 'joining', 'leaving', 'silent', 'unconfirmed', 'contradicted']
  const seen = seenOf(new Map(all.map(standing => [`is-${standing}`, standing])))
  assert.deepEqual([...seen].sort(), ['is-contradicted', 'is-joining', 'is-listed'])
})

const pod = (name: string, nodeName?: string, phase?: string): PodResource => ({
  metadata: { name, namespace: 'm' },
  ...(nodeName === undefined ? {} : { spec: { nodeName } }),
  ...(phase === undefined ? {} : { status: { phase } }),
})

test('expected are the nodes of speaker pods: not of ended ones, each once, and as they change', () => {
  const kube = new FakeKube()
  const majority = new Majority(kube.informer(pods))
  const alone = new Map<string, Standing>([['c', 'listed']])
  assert.equal(majority.judge(alone), undefined)
  kube.put(pods, pod('one', 'a', 'Running'))
  kube.put(pods, pod('new-one', 'a', 'Pending'))
  kube.put(pods, pod('two', 'b', 'Failed'))
  kube.put(pods, pod('three', 'd', 'Succeeded'))
  kube.put(pods, pod('unscheduled'))
  kube.put(pods, pod('own', 'c', 'Running'))
  assert.deepEqual(majority.judge(alone), { seen: 1, expected: 2 })
  let told = 0
  const unsubscribe = majority.subscribe(() => told++)
  const before = told
  kube.remove(pods, { namespace: 'm', name: 'one' })
  kube.remove(pods, { namespace: 'm', name: 'new-one' })
  assert.deepEqual([majority.judge(alone), told - before], [undefined, 2])
  unsubscribe()
})
