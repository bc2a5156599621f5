/** Unnumbered sessions with FRR over link-local addresses: netlink, discovery, BFD, both families, the kernel's routes, changes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { LinuxLayer2Responder, LinuxLiveness, openRouterLink } from '../../src/adapters/linux/index.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { must, run } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { bfdWorkerUrl } from '../../src/apps/speaker/bfd-worker-url.ts'
import { responderWorkerUrl } from '../../src/apps/speaker/responder-worker-url.ts'
import { LinkRouters } from '../../src/control/bgp/index.ts'
import { silent } from '../../src/ports/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { besideRouter } from './bgp-scene.ts'
import { Frr } from './frr.ts'
import { aPeer, BgpSpeaker } from './speaker.ts'

const NETNS = `bgp-unnumbered-${process.pid}`
const CONFIG = `router bgp 64501
 bgp router-id 10.20.0.2
 no bgp ebgp-requires-policy
 neighbor eth0 interface remote-as external
 neighbor eth0 password secret
 neighbor eth0 timers connect 1
 neighbor eth0 bfd
 neighbor eth0 bfd profile fast
 address-family ipv6 unicast
  neighbor eth0 activate
 exit-address-family
`
const PEER = {
  ...aPeer('ipv6', { remoteAs: 'external', password: 'secret', gracefulRestart: true, bfdProfile: 'fast' }),
  endpoint: { interface: 'eth0' },
}

besideRouter('BGP unnumbered with FRR', NETNS, () => {
  const seams = { log: silent, metrics: new FakeMetrics(), clock }
  const netlink = new LinuxLayer2Responder({ worker: responderWorkerUrl, ...seams })
  const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, ...seams })
  let frr: Frr
  let speaker: BgpSpeaker

  before(async () => {
    await addDecoy()
    await netlink.start()
    liveness.start()
    frr = new Frr({ netns: NETNS, config: CONFIG, forwards: true })
    await frr.start()
    speaker = new BgpSpeaker({
      interfaces: netlink,
      liveness,
      routers: new LinkRouters({ interfaces: netlink, clock, open: openRouterLink }),
    })
    await speaker.announce('web', '203.0.113.7/32', '2001:db8:beef::7/128')
    speaker.peer(PEER)
  })
  after(async () => {
    await speaker?.protocol.stop()
    await frr?.stop()
    await liveness.stop()
    await netlink.stop()
  })

  const sessions = () => speaker.said('BGP session established').length
  const router = (...command: string[]) => must(['ip', '-n', NETNS, ...command])
  const kernel = async (family: '-4' | '-6') => {
    const { stdout } = await run(['ip', '-n', NETNS, family, 'route', 'show', 'proto', 'bgp'])
    return stdout
  }
  /** The session, one of so many, is with the router at its present address, and everything works. */
  const allIsWell = async (count: number) => {
    const routerAt = await waitFor(() => linkLocal(NETNS) || undefined, 'the address of the router')
    const here = () =>
      speaker.protocol.state().some(seen => seen.state === 'established' && seen.linkLocal === routerAt)
    await waitFor(() => sessions() >= count && here(), `session ${count} with the router at ${routerAt}`, 60_000)
    await waitFor(async () => (await kernel('-4')).includes('203.0.113.7'), 'the IPv4 route in the kernel')
    await waitFor(async () => (await kernel('-6')).includes('2001:db8:beef::7'), 'the IPv6 route in the kernel')
    await waitFor(() => liveness.sessions().some(({ state }) => state === 'up'), 'BFD')
  }

  test('both discover each other; both families go over IPv6 next hops, into the kernel; BFD watches', async () => {
    await allIsWell(1)
    assert.match(await kernel('-4'), new RegExp(`203\\.0\\.113\\.7.* via inet6 ${linkLocal()} dev eth0`))
    assert.match(await kernel('-6'), new RegExp(`2001:db8:beef::7.* via ${linkLocal()} dev eth0`))
    assert.equal(speaker.protocol.state()[0]?.address, 'eth0')
    await waitFor(() => liveness.sessions()[0]?.detectionTimeMs === 150, 'the interval that was agreed on')
    assert.equal(liveness.sessions()[0]?.interface, 'eth0')
    await waitFor(async () => (await frr.ask('show bfd peers')).includes('Status: up'), 'FRR to see it up')
  })

  test('traffic from the router reaches the address', async () => {
    execFileSync('ip', ['addr', 'add', '203.0.113.7/32', 'dev', 'lo'])
    const server = createServer((_request, response) => response.end('here'))
    await new Promise<void>(listening => server.listen(80, '203.0.113.7', listening))
    const ask = ['curl', '-s', '--max-time', '5', 'http://203.0.113.7/']
    const { stdout } = await run(['ip', 'netns', 'exec', NETNS, ...ask])
    server.close()
    assert.equal(stdout, 'here')
  })

  test('a link that flaps: down with the reason, and up again', async () => {
    const before = sessions()
    await router('link', 'set', 'eth0', 'down')
    await waitFor(() => speaker.said('BGP session down').includes('interface eth0 has no carrier'), 'the reason')
    await router('link', 'set', 'eth0', 'up')
    await allIsWell(before + 1)
  })

  test('a router whose forwarding dies is noticed by BFD, and is found again', async () => {
    const [before, downs] = [sessions(), speaker.said('BGP session down').length]
    await must([
      'ip',
      'netns',
      'exec',
      NETNS,
      'nft',
      'add table ip6 dead { chain c { type filter hook input priority 0; drop; }; }',
    ])
    await waitFor(() => speaker.said('BGP session down').length > downs, 'BFD')
    assert.equal(speaker.said('BGP session down').at(-1), 'BFD session down')
    await must(['ip', 'netns', 'exec', NETNS, 'nft', 'delete table ip6 dead'])
    await allIsWell(before + 1)
  })

  test('a router with another MAC and its address (link down for a moment) is another neighbor', async () => {
    const before = sessions()
    const old = linkLocal(NETNS)
    await router('link', 'set', 'eth0', 'down')
    await router('link', 'set', 'eth0', 'address', '02:00:00:00:99:01')
    await router('link', 'set', 'eth0', 'up')
    await allIsWell(before + 1)
    assert.notEqual(linkLocal(NETNS), old)
  })

  test('we with another MAC and link-local address', async () => {
    const before = sessions()
    const ours = (...change: string[]) => must(['ip', 'link', 'set', 'eth0', ...change])
    await ours('down')
    const told = async () => (await run(['ip', '-n', NETNS, 'link', 'show', 'eth0'])).stdout.includes('NO-CARRIER')
    await waitFor(told, 'the router to be told') // FRR keeps to the address that it knows until then
    await ours('address', '02:00:00:00:77:01')
    await ours('up')
    await allIsWell(before + 1)
    assert.match(await kernel('-6'), new RegExp(`2001:db8:beef::7.* via ${linkLocal()} dev eth0`))
  })

  test('a router that restarts is found again', async () => {
    const before = sessions()
    await frr.kill()
    await waitFor(() => speaker.protocol.state()[0]?.state !== 'established', 'the loss to be noticed', 30_000)
    await frr.start()
    await allIsWell(before + 1)
  })

  // Last, since a link that comes back after these gives the router a second address of its new MAC.
  test('a router with another MAC and the address it had', async () => {
    await router('link', 'set', 'eth0', 'address', '02:00:00:00:99:02')
    await allIsWell(sessions())
    await waitFor(() => neighbor(linkLocal(NETNS)) === '02:00:00:00:99:02', 'the new MAC', 60_000)
    await allIsWell(sessions())
  })

  test('a router with another link-local address on a link that stays up', async () => {
    const [before, old] = [sessions(), linkLocal(NETNS)]
    await router('addr', 'add', 'fe80::99/64', 'dev', 'eth0', 'nodad')
    await router('addr', 'del', `${old}/64`, 'dev', 'eth0')
    await allIsWell(before + 1)
  })
})

/** An interface with a link-local address from which no way leads to the router. */
async function addDecoy(): Promise<void> {
  const lines = ['link add decoy0 type veth peer name decoy1', 'link set decoy0 up', 'link set decoy1 up']
  await must(['ip', '-batch', '-'], { input: lines.join('\n') })
  await waitFor(() => linkLocal(undefined, 'decoy0') !== '', 'its address')
}

/** That of eth0; empty until duplicate address detection has passed it. */
function linkLocal(netns?: string, device = 'eth0'): string {
  const where = netns === undefined ? [] : ['-n', netns]
  const text = execFileSync(
    'ip',
    [...where, '-6', '-o', 'addr', 'show', 'dev', device, 'scope', 'link', '-tentative'],
    { encoding: 'utf8' },
  )
  return text.match(/inet6 (fe80::[0-9a-f:]+)/)?.[1] ?? ''
}

/** Where our kernel sends what is for the address. */
function neighbor(address: string): string | undefined {
  return execFileSync('ip', ['neigh', 'show', address, 'dev', 'eth0'], { encoding: 'utf8' }).match(/lladdr (\S+)/)?.[1]
}
