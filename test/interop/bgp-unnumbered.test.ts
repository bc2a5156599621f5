/** Unnumbered sessions with FRR over link-local addresses: discovery, both families, the kernel's routes, flaps. Without BFD. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { openRouterLink } from '../../src/adapters/linux/index.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { run } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { LinkRouters } from '../../src/control/bgp/index.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import type { NetworkInterface } from '../../src/ports/index.ts'
import { FakeInterfaces } from '../../src/testing/fake-speaker.ts'
import { enterFreshNetwork } from '../contract/fresh-network.ts'
import { whyNoBgp } from './bgp-scene.ts'
import { Frr } from './frr.ts'
import { linkTo, unlink } from './router.ts'
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

describe('BGP unnumbered with FRR', { skip: whyNoBgp() ?? false }, () => {
  const interfaces = new FakeInterfaces()
  let frr: Frr
  let speaker: BgpSpeaker
  const sessionUp = () => speaker.said('BGP session established').length
  const kernel = async (family: '-4' | '-6') =>
    (await run(['ip', '-n', NETNS, family, 'route', 'show', 'proto', 'bgp'])).stdout

  before(async () => {
    enterFreshNetwork()
    await linkTo(NETNS)
    await waitFor(() => {
      interfaces.set(...readInterfaces())
      return interfaces.current().some(({ addresses }) => addresses.some(({ address }) => isLinkLocal(address.value)))
    }, 'a link-local address')
    frr = new Frr({ netns: NETNS, config: CONFIG, forwards: true })
    await frr.start()
    speaker = new BgpSpeaker({ interfaces, routers: new LinkRouters({ interfaces, clock, open: openRouterLink }) })
    const peer = {
      ...aPeer('ipv6', { remoteAs: 'external', password: 'secret', gracefulRestart: true }),
      endpoint: { interface: 'eth0' },
    }
    await speaker.announce('web', '203.0.113.7/32', '2001:db8:beef::7/128')
    speaker.peer(peer)
  })
  after(async () => {
    await speaker?.protocol.stop()
    await frr?.stop()
    await unlink(NETNS)
  })

  test('both discover each other; both families go over IPv6 next hops, into the kernel', async () => {
    await waitFor(() => sessionUp() === 1, 'the session')
    await waitFor(async () => (await kernel('-4')).includes('203.0.113.7'), 'the IPv4 route in the kernel')
    assert.match(await kernel('-4'), /203\.0\.113\.7.* via inet6 fe80::[0-9a-f:]+ dev eth0/)
    await waitFor(async () => (await kernel('-6')).includes('2001:db8:beef::7'), 'the IPv6 route in the kernel')
    assert.match(await kernel('-6'), /2001:db8:beef::7.* via fe80::[0-9a-f:]+ dev eth0/)
    const [state] = speaker.protocol.state()
    assert.equal(state?.address, 'eth0')
    assert.match(state?.linkLocal ?? '', /^fe80::/)
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

  test('a link that flaps: down at once with the reason, and up again', async () => {
    await run(['ip', '-n', NETNS, 'link', 'set', 'eth0', 'down'])
    interfaces.set(...readInterfaces())
    assert.deepEqual(speaker.said('BGP session down'), ['interface eth0 has no carrier'])
    await run(['ip', '-n', NETNS, 'link', 'set', 'eth0', 'up'])
    await waitFor(
      () => {
        interfaces.set(...readInterfaces())
        return sessionUp() === 2
      },
      'the session to be back',
      30_000,
    )
    await waitFor(async () => (await kernel('-4')).includes('203.0.113.7'), 'the route to be back')
  })

  test('a router that restarts is found again', async () => {
    await frr.kill()
    await waitFor(() => speaker.said('BGP session down').length === 2, 'the loss to be noticed', 30_000)
    await frr.start()
    await waitFor(() => sessionUp() === 3, 'the session to be back', 30_000)
  })
})

/** What netlink would tell. */
function readInterfaces(): NetworkInterface[] {
  const text = execFileSync('ip', ['-j', 'addr', 'show'], { encoding: 'utf8' })
  const links = JSON.parse(text) as {
    ifindex: number
    ifname: string
    flags: string[]
    address: string
    addr_info: { local: string; prefixlen: number; tentative?: boolean }[]
  }[]
  return links.map(({ ifindex: index, ifname: name, flags, address, addr_info }) => ({
    ...{ index, name, mac: address as Mac },
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    broadcast: flags.includes('BROADCAST'),
    noArp: flags.includes('NOARP'),
    addresses: addr_info
      .filter(({ tentative }) => !tentative)
      .map(({ local, prefixlen }) => ({ address: parseAddress(local)!, length: prefixlen })),
  }))
}

function isLinkLocal(value: bigint): boolean {
  return value >> 118n === 0x3fan
}
