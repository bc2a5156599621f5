import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FAST_LAN, LAN, type MemberlistConfig, WAN } from '../../protocols/memberlist/index.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { Fatal } from '../daemon.ts'
import { readMemberlistConfig } from './memberlist-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'memberlist-config-'))
after(() => rmSync(directory, { recursive: true }))

/** The reference's LAN profile as a file, with another probe interval. */
const FILE = {
  ...{ TCPTimeout: '10s', IndirectChecks: 3, RetransmitMult: 4, SuspicionMult: 4, SuspicionMaxTimeoutMult: 6 },
  ...{ PushPullInterval: '30s', ProbeInterval: '2s', ProbeTimeout: '500ms', DisableTcpPings: false },
  ...{ AwarenessMaxMultiplier: 8, GossipInterval: '200ms', GossipNodes: 3, GossipToTheDeadTime: '30s' },
  ...{ GossipVerifyIncoming: true, GossipVerifyOutgoing: true, EnableCompression: true },
  ...{ HandoffQueueDepth: 1024, UDPBufferSize: 1400, QueueCheckInterval: '30s' },
}

function read(wan: boolean, fast: boolean, content?: object) {
  const path = join(directory, `${content === undefined ? 'no-such-file' : 'config.json'}`)
  if (content !== undefined) writeFileSync(path, JSON.stringify(content))
  const log = new FakeLog()
  const config = readMemberlistConfig({ 'ml-wan-config': wan, 'ml-fast': fast }, log, path)
  return { config, said: log.lines.map(({ fields }) => fields.msg), path, log }
}

const PRESETS: [wan: boolean, fast: boolean, config: MemberlistConfig][] = [
  [false, true, FAST_LAN],
  [false, false, LAN],
  [true, true, WAN],
  [true, false, WAN],
]
for (const [wan, fast, config] of PRESETS) {
  test(`without a file the flags decide: --ml-wan-config=${wan} --ml-fast=${fast}`, () => {
    const { config: found, said } = read(wan, fast)
    assert.deepEqual([found, said], [config, []])
  })

  test(`61 the file wins over --ml-wan-config=${wan} --ml-fast=${fast}, and what is in force is printed`, () => {
    const { config: found, log, path } = read(wan, fast, FILE)
    assert.deepEqual(found, { ...LAN, probeIntervalMs: 2000 })
    const [loading, inForce] = log.lines.map(({ fields }) => fields)
    assert.deepEqual(loading, { op: 'startup', msg: 'loading memberlist config from file', path })
    assert.deepEqual(inForce, { op: 'startup', msg: 'memberlist config', ...LAN, probeIntervalMs: 2000 })
  })
}

test('61 where the file lacks ProbeInterval the start fails and names it', () => {
  const { ProbeInterval: _, ...rest } = FILE
  assert.throws(
    () => read(false, true, rest),
    (error: Fatal) => {
      assert.ok(error instanceof Fatal)
      assert.equal(error.fields.msg, 'failed to load memberlist config')
      assert.match(String(error.fields.error), /parsing ProbeInterval "" in memberlist config file: missing/)
      return true
    },
  )
})

test('a file that cannot be read is no missing file', () => {
  assert.throws(
    () => readMemberlistConfig({ 'ml-wan-config': false, 'ml-fast': true }, new FakeLog(), directory),
    (error: Fatal) => error instanceof Fatal && /EISDIR/.test(String(error.fields.error)),
  )
})
