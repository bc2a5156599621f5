import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parsePrefix } from '../ip/index.ts'
import { type Announcement, announceOn, diffAnnouncement, presentInterfaces, type Refusal } from './index.ts'

const eth0 = { name: 'eth0', usable: true }
const down = { name: 'eth1', usable: false }
const address = parseAddress('192.168.1.240')!
const sixth = parseAddress('2001:db8::f')!
const stop: Refusal = {
  code: 'notOwner',
  reasons: () => [{ code: 'notOwner', message: '' }],
  cause: () => 'electionLost',
}

function announcement(names: string[] | 'all', local = [eth0], addresses = [address], pool = 'p'): Announcement {
  return { pool, addresses: announceOn(addresses, names === 'all' ? names : new Set(names), local, 'node-a') }
}
const all = announcement('all')
const failed = announcement(['nosuch0'])

const CASES: [name: string, before: Announcement | undefined, after: Announcement | Refusal, steps: string[]][] = [
  ['nothing and nothing', undefined, stop, []],
  ['a first announcement', undefined, all, ['start']],
  ['the same again', all, announcement('all'), []],
  ['the same names in another order', announcement(['eth0', 'b']), announcement(['b', 'eth0']), []],
  ['other interfaces', all, announcement(['eth0']), ['change']],
  ['one more address', all, announcement('all', [eth0], [address, sixth]), ['change']],
  ['another pool', all, announcement('all', [eth0], [address], 'q'), ['change']],
  ['the end', all, stop, ['stop notOwner']],
  ['missing interfaces', undefined, failed, ['fail announceFailed']],
  ['still missing', failed, announcement(['nosuch0']), []],
  ['missing, then there', failed, announcement(['nosuch0'], [{ name: 'nosuch0', usable: true }]), ['start']],
  ['announced, then missing', all, failed, ['fail announceFailed', 'stop announceFailed']],
  ['missing, then over', failed, stop, []],
  [
    'missing, then down',
    failed,
    announcement(['nosuch0'], [{ name: 'nosuch0', usable: false }]),
    ['fail announceFailed'],
  ],
]

const route = (localPref: number) => ({
  prefix: parsePrefix('192.168.1.240/32')!,
  advertisement: 'A',
  peers: 'all' as const,
  communities: [],
  localPref,
})
CASES.push(
  ['the same routes', { ...all, routes: [route(1)] }, { ...all, routes: [route(1)] }, []],
  ['other routes', { ...all, routes: [route(1)] }, { ...all, routes: [route(2)] }, ['change']],
  ['one route more', { ...all, routes: [route(1)] }, { ...all, routes: [route(1), route(2)] }, ['change']],
)

for (const [name, before, after, expected] of CASES) {
  test(name, () => {
    const steps = diffAnnouncement(before, after).map(step =>
      'reason' in step ? `${step.kind} ${step.reason.code}` : step.kind,
    )
    assert.deepEqual(steps, expected)
  })
}

test('40 the event text for missing interfaces is the reference text', () => {
  assert.equal(
    failed.addresses[0]?.failure?.message,
    'the interfaces specified by LB IP "192.168.1.240" doesn\'t exist in assigned node "node-a" with protocol "layer2"',
  )
})

test('one usable interface is enough, present ones are listed in name order', () => {
  assert.equal(announcement(['eth1', 'eth0'], [down, eth0]).addresses[0]?.failure, undefined)
  assert.match(announcement(['eth1'], [down, eth0]).addresses[0]?.failure?.message ?? '', /cannot be used/)
  assert.deepEqual(presentInterfaces(new Set(['eth1', 'eth0', 'x']), [down, eth0]), ['eth0', 'eth1'])
})
