import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PodResource, pods } from '../../api/kubernetes/index.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { followSpeakers } from './index.ts'

function pod(name: string, status: PodResource['status'] = {}): PodResource {
  const metadata = { name: `speaker-${name}`, namespace: 'metallb-system' }
  return { metadata, spec: { nodeName: name }, status: { phase: 'Running', ...status } }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('IMP-18 speakers are where their pods are: not the own one, not ended ones, each once it has an address of the family', async () => {
  const kube = new FakeKube()
  kube.put(pods, pod('a', { podIP: '10.0.0.1' }))
  kube.put(pods, pod('b'))
  kube.put(pods, pod('c', { podIP: '10.0.0.3', phase: 'Failed' }))
  kube.put(pods, pod('d', { podIP: '10.0.0.4' }))
  kube.put(pods, pod('e', { podIP: '' }))
  const found: string[] = []
  const stop = followSpeakers({ pods: kube.informer(pods), family: 'ipv4' }, 'a', addresses =>
    found.push([...addresses].join()),
  )
  await turn()
  assert.deepEqual(found, ['10.0.0.4'])
  kube.put(pods, pod('b', { podIP: 'fd00::2', podIPs: [{ ip: 'fd00::2' }, { ip: '10.0.0.2' }] }))
  assert.equal(found.at(-1), '10.0.0.2,10.0.0.4')
  stop()
  kube.put(pods, pod('e', { podIP: '10.0.0.5' }))
  assert.equal(found.length, 2)
})

test('a list of pods that comes after the end tells nothing', async () => {
  let synced = () => {}
  const whenSynced = new Promise<void>(resolve => {
    synced = resolve
  })
  const subscribe = () => assert.fail('it was stopped')
  const late = { synced: false, whenSynced: () => whenSynced, get: () => undefined, list: () => [], subscribe }
  followSpeakers({ pods: late, family: 'ipv4' }, 'a', () => assert.fail('it was stopped'))()
  synced()
  await turn()
})
