/** Router messages on a real link: two ends find one another, and the kernel keeps other frames away. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { before, describe, test } from 'node:test'
import { openRouterLink } from '../../src/adapters/linux/index.ts'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { HOST_AND_BROADCAST, PacketSocket } from '../../src/adapters/linux/packet-socket.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { type KnownRouters, LinkRouters } from '../../src/control/bgp/index.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import type { NetworkInterface } from '../../src/ports/index.ts'
import { decodeFrame, ETHERTYPE_IPV6, encodeFrame } from '../../src/protocols/ethernet/index.ts'
import { decodeRouterPacket, encodeRouterPacket, groupMac } from '../../src/protocols/ndp/index.ts'
import { FakeInterfaces } from '../../src/testing/fake-speaker.ts'
import { enterFreshNetwork } from './fresh-network.ts'
import { next } from './link.ts'
import { real } from './loopback.ts'

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('router links need root: packet sockets and a veth pair')

const ALL_NODES = parseAddress('ff02::1')!.value
const NEIGHBOR_SOLICITATION = 135
/** Of the ICMPv6 type in a frame. */
const TYPE_AT = 14 + 40

/** A router advertisement as another host sends it, told apart by its lifetime. */
function advertisement(lifetime: number, destination: Mac = groupMac(ALL_NODES)): Uint8Array {
  const message = { kind: 'router advertisement', hopLimit: 64, lifetime } as const
  const payload = encodeRouterPacket({ source: parseAddress('fe80::1')!.value, destination: ALL_NODES, message })
  return encodeFrame({ destination, source: '02:00:00:00:00:01' as Mac, etherType: ETHERTYPE_IPV6, payload })
}

describe('a router link on a veth pair', { skip: root ? false : 'needs root' }, () => {
  const interfaces = new FakeInterfaces()
  const find = (name: string) => interfaces.current().find(one => one.name === name)
  const linkLocal = (name: string) => find(name)?.addresses.find(({ address }) => address.value >> 118n === 0x3fan)

  before(async () => {
    enterFreshNetwork()
    execFileSync('ip', ['link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right'])
    for (const name of ['left', 'right']) execFileSync('ip', ['link', 'set', name, 'up'])
    await real(() => {
      interfaces.set(...currentInterfaces())
      return linkLocal('left') !== undefined && linkLocal('right') !== undefined // after duplicate address detection
    })
  })

  test('the two ends of a link find one another', async t => {
    const routers = new LinkRouters({ interfaces, clock: systemClock, open: openRouterLink })
    const known = new Map<string, KnownRouters>()
    for (const name of ['left', 'right']) t.after(routers.watch(name, now => known.set(name, now)))
    const others = (name: string) => known.get(name)?.routers ?? []
    await real(() => others('left').length > 0 && others('right').length > 0)
    assert.deepEqual(others('left'), [linkLocal('right')!.address])
    assert.deepEqual(others('right'), [linkLocal('left')!.address])
  })

  test('router messages pass, to groups and to this host; other frames, and those to others, do not', async () => {
    const [sender, link] = [
      new PacketSocket(find('left')!.index, ETHERTYPE_IPV6, HOST_AND_BROADCAST),
      openRouterLink(find('right')!.index),
    ]
    const solicitation = advertisement(1).fill(NEIGHBOR_SOLICITATION, TYPE_AT, TYPE_AT + 1)
    const udp = advertisement(2).fill(17, 14 + 6, 14 + 7)
    const toAnother = advertisement(3, '02:00:00:00:00:99' as Mac)
    for (const frame of [solicitation, udp, toAnother]) sender.send(frame)
    sender.send(advertisement(4))
    sender.send(advertisement(5, find('right')!.mac!))
    const heard: number[] = []
    while (heard.at(-1) !== 5) {
      const { message } = decodeRouterPacket(decodeFrame(await next(link, 512)).payload) // nothing else can be decoded
      if (message.kind === 'router advertisement') heard.push(message.lifetime) // the kernel may solicit
    }
    assert.deepEqual(heard, [4, 5])
    sender.close()
    link.close()
  })

  test('an interface that is not there is refused by name of the error', () => {
    assert.throws(() => openRouterLink(2_000_000_000), { code: 'ENODEV' })
  })
})

function currentInterfaces(): readonly NetworkInterface[] {
  const reader = new NetlinkReader()
  try {
    return reader.current()
  } finally {
    reader.close()
  }
}
