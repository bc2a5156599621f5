// BFD against FRR's bfdd: two implementations must agree on every state, timer and diagnostic.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { LinuxLiveness } from '../../src/adapters/linux/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { bfdWorkerUrl } from '../../src/apps/speaker/bfd-worker-url.ts'
import type { BfdProfile } from '../../src/core/config/index.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import { type LivenessChange, type LivenessTarget, type LivenessWatch, silent } from '../../src/ports/index.ts'
import { FakeLog } from '../../src/testing/fake-log.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { underLoad } from './bfd-load.ts'
import { addNamespace, becomeNode, cable, capture, type Frr, ip, router, tearDown, until } from './bfd-segment.ts'

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('BFD against FRR needs root')
const options = { skip: root ? false : 'needs root: network namespaces and FRR' }

const FAST = { name: 'fast', receiveIntervalMs: 50, transmitIntervalMs: 50, echoMode: false, passiveMode: false }
const FRR_FAST = ['profile fast', 'receive-interval 50', 'transmit-interval 50', 'exit']
const DETECTION_MS = 150

const metrics = new FakeMetrics()
const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, log: silent, metrics, clock: systemClock })
let frr: Frr
let far: Frr

before(async () => {
  if (!root) return
  becomeNode()
  const near = addNamespace('frr')
  const beyond = addNamespace('far')
  cable('eth0', near, 1)
  cable('far0', beyond, 2, near)
  for (const setting of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'])
    ip('netns exec', near, 'sysctl -qw', setting)
  ip('route add 10.77.2.0/24 via 10.77.1.2')
  ip('-n', beyond, 'route add 10.77.1.0/24 via 10.77.2.1')
  liveness.start()
  frr = await router(near)
  far = await router(beyond)
  for (const each of [frr, far]) await each.configure(...FRR_FAST)
})

after(async () => {
  if (!root) return
  await liveness.stop()
  await tearDown()
})

class Watching {
  readonly changes: (LivenessChange & { at: number })[] = []
  readonly watch: LivenessWatch

  constructor(target: Partial<LivenessTarget> & { peer: LivenessTarget['peer'] }, profile: BfdProfile = FAST) {
    this.watch = liveness.watch({ multihop: false, ...target }, profile, change => {
      this.changes.push({ ...change, at: performance.now() })
    })
  }

  reaches(state: LivenessChange['state'], from = 0): Promise<LivenessChange & { at: number }> {
    return until(`state ${state}`, () => this.changes.slice(from).find(change => change.state === state))
  }

  get downs(): number {
    return this.changes.filter(({ before: was }) => was === 'up').length
  }

  status() {
    return liveness.sessions().find(({ discriminator }) => discriminator !== 0)!
  }
}

const address = (text: string) => parseAddress(text)!
const IPV4 = { peer: address('10.77.1.2') }

/** A session that is up on both sides, ended on both afterwards. */
async function withSession(
  setup: { target?: LivenessTarget; profile?: BfdProfile; frr?: Frr; peer?: string; lines?: string[] },
  body: (watching: Watching, peer: string, other: Frr) => Promise<void>,
): Promise<void> {
  const other = setup.frr ?? frr
  const peer = setup.peer ?? 'peer 10.77.1.1'
  await other.configure(peer, ...(setup.lines ?? ['profile fast']), 'no shutdown')
  const watching = new Watching(setup.target ?? { ...IPV4, multihop: false }, setup.profile)
  try {
    await watching.reaches('up')
    await until('FRR to see it up', async () => (await other.peer(peer.split(' ')[1]!))?.status === 'up')
    await body(watching, peer, other)
  } finally {
    watching.watch.close()
    await other.configure(`no ${peer}`)
  }
}

test('up over IPv4, and down within the detection time when bfdd is gone', options, async () => {
  await withSession({}, async watching => {
    await until('the negotiated interval', () => watching.status().detectionTimeMs === DETECTION_MS)
    assert.equal(watching.downs, 0)
    const killedAt = performance.now()
    await frr.killBfdd()
    const down = await watching.reaches('down')
    const tookMs = down.at - killedAt
    assert.equal(down.cause, 'detectionTimeExpired')
    assert.equal(down.diagnostic, 1)
    assert.ok(tookMs > DETECTION_MS / 2, `after ${tookMs} ms`) // the upper bound is measured in bench/bfd.ts
    await frr.startBfdd()
    await frr.configure(...FRR_FAST)
  })
})

test('an administrative shutdown of FRR ends the session without distrust, and it comes back', options, async () => {
  await withSession({}, async watching => {
    await frr.configure('peer 10.77.1.1', 'shutdown')
    const down = await watching.reaches('down')
    assert.equal(down.cause, 'neighborAdminDown')
    assert.equal(down.diagnostic, 3)
    await frr.configure('peer 10.77.1.1', 'no shutdown')
    await watching.reaches('up', watching.changes.indexOf(down) + 1)
  })
})

test('a session that is closed tells FRR that it was meant', options, async () => {
  await withSession({}, async watching => {
    watching.watch.close()
    const peer = await until('FRR to see it down', async () => {
      const found = await frr.peer('10.77.1.1')
      return found?.status === 'down' && found
    })
    assert.equal(peer['remote-diagnostic'], 'administratively down')
  })
})

test('other intervals are agreed by a poll sequence while the session stays up', options, async () => {
  await withSession({}, async watching => {
    const settled = (ms: number) => until(`an interval of ${ms} ms`, () => watching.status().transmitIntervalMs === ms)
    await settled(50)
    watching.watch.change({ ...FAST, transmitIntervalMs: 200, receiveIntervalMs: 120 })
    await settled(200) // an increase is used once FRR has answered with the final bit
    const seen = (await frr.peer('10.77.1.1'))!
    assert.equal(seen['remote-transmit-interval'], 200)
    assert.equal(seen['remote-receive-interval'], 120)
    await frr.configure('profile fast', 'transmit-interval 300')
    await until('a detection time of 900 ms', () => watching.status().detectionTimeMs === 900)
    const isPoll = 'udp[9] & 0x20'
    const polls = await capture(`src 10.77.1.2 and ${isPoll} != 0`)
    const others = await capture(`src 10.77.1.2 and ${isPoll} == 0`)
    await frr.configure('profile fast', 'transmit-interval 50')
    await until('a detection time of 360 ms', () => watching.status().detectionTimeMs === 360)
    await until('FRR to ask', () => polls.lines.length > 0)
    const before = others.lines.length
    await until('FRR to have its answer', () => others.lines.length > before + 5)
    for (const one of [polls, others]) one.end()
    assert.equal(watching.downs, 0)
  })
})

test('the passive side waits for FRR to speak', options, async () => {
  const watching = new Watching(IPV4, { ...FAST, passiveMode: true })
  try {
    const status = await until('the first report', () => liveness.sessions()[0])
    assert.equal(status.controlOutput, 0)
    await until('two more reports', () => liveness.sessions()[0] !== status)
    assert.equal(watching.status().controlOutput, 0)
    await frr.configure('peer 10.77.1.1', 'profile fast', 'no shutdown')
    await watching.reaches('up')
  } finally {
    watching.watch.close()
    await frr.configure('no peer 10.77.1.1')
  }
})

test('FRR as the passive side answers', options, async () => {
  await withSession({ lines: ['passive-mode', 'receive-interval 50', 'transmit-interval 50'] }, async watching => {
    assert.equal(watching.downs, 0)
  })
})

test('two passive sides never speak, until one is passive no more', options, async () => {
  await frr.configure('peer 10.77.1.1', 'profile fast', 'passive-mode', 'no shutdown')
  const watching = new Watching(IPV4, { ...FAST, passiveMode: true })
  try {
    const first = await until('the first report', () => liveness.sessions()[0])
    await until('two more reports', () => liveness.sessions()[0] !== first)
    assert.deepEqual([watching.status().controlInput, watching.status().controlOutput], [0, 0])
    assert.deepEqual(watching.changes, [])
    watching.watch.change(FAST)
    await watching.reaches('up')
  } finally {
    watching.watch.close()
    await frr.configure('no peer 10.77.1.1')
  }
})

test('our echo packets come back through the forwarding plane of FRR', options, async () => {
  await withSession({ profile: { ...FAST, echoMode: true, echoIntervalMs: 20 } }, async watching => {
    await until('echo packets to come back', () => watching.status().echoInput > 20)
    ip('netns exec', frr.namespace, 'sysctl -qw net.ipv4.ip_forward=0') // control packets still arrive
    const down = await watching.reaches('down')
    ip('netns exec', frr.namespace, 'sysctl -qw net.ipv4.ip_forward=1')
    assert.equal(down.cause, 'echoFailed')
    await watching.reaches('up', watching.changes.indexOf(down) + 1)
  })
})

test('echo packets of FRR find back through our forwarding plane, where there is one', options, async () => {
  await withSession({}, async (_, peer) => {
    assert.equal((await frr.peer('10.77.1.1'))!['remote-echo-receive-interval'], 0, peer)
  })
  execFileSync('sysctl', ['-qw', 'net.ipv4.conf.all.forwarding=1'])
  await withSession({ lines: ['echo-mode', 'receive-interval 50', 'transmit-interval 50'] }, async watching => {
    await until('FRR to count echo packets', async () => (await frr.counters('10.77.1.1'))['echo-packet-input'] > 20)
    assert.equal(watching.downs, 0)
  })
})

test('up over IPv6', options, async () => {
  const target = { peer: address('fd77:1::2'), multihop: false }
  await withSession({ target, peer: 'peer fd77:1::1 local-address fd77:1::2' }, async watching => {
    await until('the negotiated interval', () => watching.status().detectionTimeMs === DETECTION_MS)
    assert.equal(watching.downs, 0)
  })
})

test('up between link-local addresses, bound to the device', options, async () => {
  const theirs = linkLocal(frr.namespace)
  const target = { peer: address(theirs), multihop: false, interface: 'eth0' }
  ip('link add decoy0 type veth peer name decoy1')
  for (const end of ['decoy0', 'decoy1']) ip('link set', end, 'up')
  ip('-6 route add fe80::/64 dev decoy0 metric 1') // where it would go if it were not bound
  await withSession({ target, peer: `peer ${linkLocal()} local-address ${theirs} interface eth0` }, async watching => {
    assert.equal(watching.status().interface, 'eth0')
  }).finally(() => ip('link delete decoy0'))
})

test('up over a router, multihop', options, async () => {
  const target = { peer: address('10.77.2.2'), local: address('10.77.1.1'), multihop: true }
  const peer = 'peer 10.77.1.1 multihop local-address 10.77.2.2'
  await withSession({ target, frr: far, peer }, async watching => {
    await until('the negotiated interval', () => watching.status().detectionTimeMs === DETECTION_MS)
    assert.equal(watching.downs, 0)
  })
})

test('a multihop session refuses packets from farther away than it allows', options, async () => {
  const peer = 'peer 10.77.1.1 multihop local-address 10.77.2.2'
  await far.configure(peer, 'profile fast', 'no shutdown')
  ip(
    'netns exec',
    frr.namespace,
    'nft add table ip far { chain c { type filter hook forward priority 0; ip saddr 10.77.2.2 ip ttl set 200; }; }',
  )
  const watching = new Watching({ peer: address('10.77.2.2'), local: address('10.77.1.1'), multihop: true })
  try {
    const refused = () => (metrics.series.get('metallb_bfd_packets_discarded_total{reason="TTL"}') ?? 0) > 2
    await until('packets to be refused', refused)
    assert.deepEqual(watching.changes, [])
    watching.watch.change({ ...FAST, minimumTtl: 199 })
    await watching.reaches('up')
  } finally {
    watching.watch.close()
    ip('netns exec', frr.namespace, 'nft delete table ip far')
    await far.configure(`no ${peer}`)
  }
})

test('two watchers of one target share the session', options, async () => {
  await withSession({}, async watching => {
    const second = new Watching(IPV4)
    assert.equal(second.watch.state, 'up')
    assert.equal(liveness.sessions().length, 1)
    second.watch.close()
    await frr.configure('peer 10.77.1.1', 'shutdown')
    await watching.reaches('down')
    assert.deepEqual(second.changes, [])
  })
})

// With --single-threaded-gc as in the image (tools/run-tests.ts): V8's helpers would keep a real-time thread waiting.
test('no false down while every core and the main thread are busy for 30 s', options, async () => {
  await withSession({}, async watching => {
    await until('the negotiated interval', () => watching.status().detectionTimeMs === DETECTION_MS)
    await underLoad(30)
    assert.deepEqual(
      watching.changes.filter(({ before: was }) => was === 'up'),
      [],
    )
    assert.equal((await frr.counters('10.77.1.1'))['session-down'], 0)
  })
})

test('another daemon on the port is told by name of the error, and BFD works once it is gone', options, async () => {
  const log = new FakeLog()
  const other = await until('the port to be free', () => udpOn(3784))
  const second = new LinuxLiveness({ worker: bfdWorkerUrl, log, metrics, clock: systemClock })
  other.unref()
  second.start()
  try {
    await frr.configure('peer 10.77.1.1', 'profile fast', 'no shutdown')
    const watch = second.watch({ ...IPV4, multihop: false }, FAST, () => {})
    await until('the complaint', () =>
      log.lines.some(({ fields }) => /3784.*another BFD daemon/.test(String(fields.msg))),
    )
    other.close()
    await until('up', () => watch.state === 'up')
  } finally {
    await second.stop()
  }
  await until('FRR to be told', async () => (await frr.peer('10.77.1.1'))?.status === 'down')
  await frr.configure('no peer 10.77.1.1')
})

test('a thread that dies is started again with its sessions', options, async () => {
  const deaths = mkdtempSync(join(tmpdir(), 'bfd-'))
  writeFileSync(join(deaths, 'one'), '')
  process.env.DYING_WORKER = deaths
  const log = new FakeLog()
  const worker = new URL('./dying-bfd-worker.ts', import.meta.url)
  const second = new LinuxLiveness({ worker, log, metrics, clock: systemClock })
  await frr.configure('peer 10.77.1.1', 'profile fast', 'no shutdown')
  second.start()
  try {
    const watch = second.watch({ ...IPV4, multihop: false }, FAST, () => {})
    await until('up', () => watch.state === 'up')
    assert.ok(log.lines.some(({ fields }) => fields.error === 'died on purpose'))
  } finally {
    await second.stop()
  }
  rmSync(deaths, { recursive: true })
  await frr.configure('no peer 10.77.1.1')
})

/** Undefined where the port is taken: sessions of the test before may still be on their way out. */
async function udpOn(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4')
  const bound = await new Promise<boolean>(resolve => {
    socket.once('error', () => resolve(false))
    socket.bind(port, () => resolve(true))
  })
  if (bound) return socket
  socket.close()
  return undefined
}

function linkLocal(namespace?: string): string {
  const where = namespace === undefined ? [] : ['-n', namespace]
  const out = execFileSync('ip', [...where, '-j', '-6', 'addr', 'show', 'eth0', 'scope', 'link'], { encoding: 'utf8' })
  const links = JSON.parse(out) as { addr_info?: { local?: string }[] }[] // empty objects for what is filtered out
  return links.flatMap(({ addr_info: addresses = [] }) => addresses).find(({ local }) => local !== undefined)!.local!
}
