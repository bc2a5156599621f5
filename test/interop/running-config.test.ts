/** What `metallbctl show bgp running-config` prints is a configuration that FRR reads. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runningText } from '../../src/apps/cli/show-running.ts'
import { run } from '../../src/apps/lab/command.ts'
import type { BfdProfile, Peer } from '../../src/core/config/index.ts'
import { parseAddress, parsePrefix } from '../../src/core/ip/index.ts'
import type { ServiceRoute } from '../../src/core/plan/index.ts'
import { aBgpPeer } from '../../src/testing/bgp-peer.ts'
import { BgpWorld } from '../../src/testing/bgp-world.ts'

const VTYSH = '/usr/bin/vtysh'
const missing = existsSync(VTYSH) ? false : 'FRR is not installed'
if (missing && process.env.CI) throw new Error(`in CI nothing is skipped: ${missing}`)

/** All that can be asked of a peer; TCP-AO is left out, which FRR has not. */
const PEERS: Peer[] = [
  aBgpPeer({
    ...{ localAsn: 64999, holdMs: 10_000, connectMs: 5000, password: 'secret', passive: true, role: 'customer' },
    ...{ routerId: parseAddress('10.0.0.1')!, sourceAddress: parseAddress('192.0.2.10')!, maxPaths: 4 },
    ...{ ebgpMultiHop: true, gracefulRestart: true, longLivedStaleSeconds: 3600, bfdProfile: 'all' },
  }),
  aBgpPeer({
    ...{ name: 'six', endpoint: { address: parseAddress('2001:db8::1')! }, port: 1179, ttlSecurityHops: 2 },
    ...{ dualStackAddressFamily: true, vrf: 'red', remoteAs: 'external', bfdProfile: 'defaults' },
  }),
  { ...aBgpPeer({ name: 'link', remoteAs: 'internal' }), endpoint: { interface: 'eth1' } },
]
const BFD: BfdProfile[] = [
  {
    ...{ name: 'all', receiveIntervalMs: 50, transmitIntervalMs: 60, detectMultiplier: 4, minimumTtl: 250 },
    ...{ echoIntervalMs: 70, echoMode: true, passiveMode: true },
  },
  { name: 'defaults', echoMode: false, passiveMode: false },
]
const ROUTES = ['203.0.113.7/32', '203.0.113.0/24', '2001:db8::7/128'].map(
  (prefix, index): ServiceRoute => ({
    ...{ prefix: parsePrefix(prefix)!, advertisement: 'A', peers: 'all', localPref: 100 + index, prepend: 2, med: 5 },
    linkBandwidth: 1_250_000,
    communities: [
      { kind: 'standard', parts: [64500, 7] },
      { kind: 'large', parts: [64500, 1, 2] },
    ],
  }),
)

/** What FRR complains of. */
async function complaints(text: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'running-config-'))
  try {
    writeFileSync(join(dir, 'frr.conf'), text)
    const { stdout, stderr } = await run([VTYSH, '--dryrun', '--inputfile', join(dir, 'frr.conf')])
    return stdout + stderr
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('FRR reads the running configuration, every line', { skip: missing }, async () => {
  const world = new BgpWorld()
  world.bgp.setPeers({ peers: PEERS, bfdProfiles: BFD })
  world.routers.hear('eth1', 'fe80::1')
  world.bgp.setBalancer('default/web', { pool: 'p', addresses: [], routes: ROUTES })
  await world.bgp.commit()
  world.clock.advance(100)
  const text = runningText({ node: 'worker-a', bgp: { neighbors: world.bgp.state() } })
  assert.match(
    await complaints(`${text} no such line\n`),
    /Unknown command.*no such line/,
    'it says what it cannot read',
  )
  assert.equal(await complaints(text), '')
  const told = ['neighbor eth1 interface', 'echo-mode', 'extcommunity bandwidth 10', 'addpath-tx-all-paths', 'vrf red']
  for (const words of told) assert.ok(text.includes(words), words)
})
