import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LAN } from '../../protocols/memberlist/index.ts'
import { parseMemberlistFile } from './config.ts'
import { publishable, readMeta, writeMeta } from './meta.ts'

const FILE = {
  ...{ TCPTimeout: '5s', IndirectChecks: 2, RetransmitMult: 3, SuspicionMult: 5, SuspicionMaxTimeoutMult: 7 },
  ...{ PushPullInterval: '1m30s', ProbeInterval: '2s', ProbeTimeout: '700ms', DisableTcpPings: true },
  ...{ AwarenessMaxMultiplier: 6, GossipInterval: '100ms', GossipNodes: 4, GossipToTheDeadTime: '40s' },
  ...{ GossipVerifyIncoming: false, GossipVerifyOutgoing: false, EnableCompression: false },
  ...{ HandoffQueueDepth: 512, UDPBufferSize: 1200, QueueCheckInterval: '20s' },
}
const read = (change: object) => parseMemberlistFile(JSON.stringify({ ...FILE, ...change }))

test('61 all 19 keys are taken; keys are found whatever their case', () => {
  const expected = {
    ...{ tcpTimeoutMs: 5000, indirectChecks: 2, retransmitMult: 3, suspicionMult: 5, suspicionMaxTimeoutMult: 7 },
    ...{ pushPullIntervalMs: 90_000, probeIntervalMs: 2000, probeTimeoutMs: 700, disableTcpPings: true },
    ...{ awarenessMaxMultiplier: 6, gossipIntervalMs: 100, gossipNodes: 4, gossipToTheDeadMs: 40_000 },
    ...{ verifyIncoming: false, sealOutgoing: false, enableCompression: false, udpBufferSize: 1200 },
  }
  assert.equal(Object.keys(FILE).length, 19)
  assert.deepEqual(read({}), expected)
  assert.deepEqual(Object.keys(LAN).sort(), Object.keys(expected).sort())
  assert.deepEqual(read({ ProbeInterval: undefined, probeinterval: '2s' }), expected)
})

for (const key of Object.keys(FILE))
  test(`61 without ${key} the start fails and names it`, () => {
    assert.throws(() => read({ [key]: undefined }), { message: `parsing ${key} "" in memberlist config file: missing` })
  })

const REFUSED: [change: object, words: RegExp][] = [
  [{ ProbeInterval: '1' }, /parsing ProbeInterval "1" in memberlist config file: no duration/],
  [{ ProbeInterval: 5 }, /parsing ProbeInterval 5 .*no duration/],
  [{ ProbeInterval: '1ns' }, /outside 50ms to 24h/],
  [{ AwarenessMaxMultiplier: 0 }, /AwarenessMaxMultiplier 0 .*outside 1 to 100/],
  [{ GossipNodes: 2.5 }, /no whole number/],
  [{ EnableCompression: 'true' }, /not true or false/],
  [{ ProbeTimeout: '2s' }, /ProbeTimeout is not shorter than ProbeInterval/],
  [{ Other: 1 }, /unknown key "Other"/],
  [{ probetimeout: '1s' }, /"ProbeTimeout" is given twice/],
]
for (const [change, words] of REFUSED)
  test(`IMP-19 ${JSON.stringify(change)} is refused`, () => void assert.throws(() => read(change), words))

test('every problem is told at once; what is no JSON object is refused', () => {
  assert.throws(
    () => read({ Other: 1, GossipNodes: 0, TCPTimeout: '' }),
    (error: { problems: string[] }) => error.problems.length === 3,
  )
  for (const text of ['', '[]', 'null', '{'])
    assert.throws(() => parseMemberlistFile(text), { name: 'MemberlistFileError' })
})

test('the meta of speakers comes back; foreign ones mean a full member with the usual timing', () => {
  for (const fast of [true, false])
    for (const joining of [true, false])
      for (const interfaces of [undefined, [], ['eth0', 'a;b', 'c,d']]) {
        const meta = { fast, heartbeats: !fast, joining, held: !fast, settled: joining, interfaces: interfaces?.sort() }
        assert.deepEqual(readMeta(writeMeta(meta)), meta)
      }
  const nothing = { fast: false, heartbeats: false, joining: false, held: false, settled: false, interfaces: undefined }
  const bytes = (text: string) => new TextEncoder().encode(text)
  for (const meta of ['', 'role=fast', 'metallb.io/speaker;', 'metallb.io/speaker;later'])
    assert.deepEqual(readMeta(bytes(meta)), nothing)
})

const PUBLISHABLE: [given: readonly string[] | undefined, said: readonly string[] | undefined][] = [
  [undefined, undefined],
  [[], []],
  [
    ['eth1', 'eth0', 'eth1'],
    ['eth0', 'eth1'],
  ],
  [['eth0', 'wlan\u00e9'], undefined],
  [['a name'], undefined],
  [['sixteen-letters-'], undefined],
]
for (const [given, said] of PUBLISHABLE)
  test(`IMP-25 of ${JSON.stringify(given)} ${JSON.stringify(said)} is published`, () => {
    assert.deepEqual(publishable(given), said)
  })

test('IMP-25 what a meta of 512 bytes cannot hold is not published at all', () => {
  const names = Array.from({ length: 100 }, (_, place) => `interface-${place}`)
  const most = names.findIndex((_, count) => publishable(names.slice(0, count)) === undefined) - 1
  assert.ok(most > 30 && most < 40, `${most} fit`)
  const all = {
    fast: true,
    heartbeats: true,
    joining: true,
    held: true,
    settled: true,
    interfaces: publishable(names.slice(0, most))!,
  }
  const bytes = writeMeta(all)
  assert.ok(bytes.length > 490 && bytes.length <= 512, `${bytes.length} bytes`)
  assert.deepEqual(readMeta(bytes), all)
})
