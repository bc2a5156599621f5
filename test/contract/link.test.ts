import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { HOST_AND_BROADCAST, PacketSocket } from '../../src/adapters/linux/packet-socket.ts'
import { macBytes } from '../../src/core/ip/index.ts'
import { ETHERTYPE_ARP } from '../../src/protocols/ethernet/index.ts'
import { FakeLink } from '../../src/testing/fake-link.ts'
import { backlogDrops } from './backlog.ts'
import { enterFreshNetwork } from './fresh-network.ts'
import { EVERYONE, frameTo, type LinkPair, LONG_BURST, linkContract, next } from './link.ts'
import { real } from './loopback.ts'

linkContract('simulated', () => ({ ...FakeLink.pair(), rightMac: Uint8Array.of(2, 0, 0, 0, 0, 2) }))

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the link contract needs root to run on a veth pair')
const skip = root ? false : 'needs root: packet sockets and a veth pair'
const ip = (...words: string[]) => execFileSync('ip', words)

if (root) {
  enterFreshNetwork()
  ip('link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right')
  for (const name of ['left', 'right']) ip('link', 'set', name, 'arp', 'off', 'up') // without ARP the wire is quiet
}

function vethPair(): LinkPair {
  const interfaces = new NetlinkReader()
  const find = (name: string) => interfaces.current().find(link => link.name === name)!
  const ends = { left: find('left'), right: find('right') }
  interfaces.close()
  const open = (index: number) => new PacketSocket(index, ETHERTYPE_ARP, HOST_AND_BROADCAST)
  return { left: open(ends.left.index), right: open(ends.right.index), rightMac: macBytes(ends.right.mac!) }
}

linkContract('veth pair', vethPair, skip)

test('veth pair: other frame types, and frames for other hosts, are left to the kernel', { skip }, async () => {
  const pair = vethPair()
  const stranger = Uint8Array.of(2, 0, 0, 0, 0, 9)
  pair.left.send(frameTo(stranger, 1)) // marked OTHERHOST, as those of a VLAN without a device are (IMP-12)
  pair.left.send(frameTo(Uint8Array.of(1, 0, 0x5e, 0, 0, 1), 2)) // multicast
  const ipv4 = frameTo(EVERYONE, 3)
  ipv4.set([8, 0], 12)
  pair.left.send(ipv4)
  pair.left.send(frameTo(EVERYONE, 4))
  assert.equal((await next(pair.right))[59], 4)
  pair.left.close()
  pair.right.close()
})

test('veth pair: an interface that went down and came back delivers again', { skip }, async () => {
  const pair = vethPair()
  ip('link', 'set', 'right', 'down')
  assert.equal(pair.right.receive(new Uint8Array(128)), -1, 'being down is no frame and no error')
  assert.throws(() => pair.right.send(frameTo(EVERYONE, 1)), { code: 'ENETDOWN' })
  ip('link', 'set', 'right', 'up')
  let length = -1
  const arrives = () => {
    pair.left.send(frameTo(EVERYONE, 2)) // the kernel notices the carrier a little later: until then frames are lost
    length = pair.right.receive(new Uint8Array(128))
    return length >= 0
  }
  await real(arrives)
  assert.equal(length, 60)
  pair.left.close()
  pair.right.close()
})

test('veth pair: an interface that is not there is refused by name of the error', { skip }, () => {
  assert.throws(() => new PacketSocket(2_000_000_000, ETHERTYPE_ARP, HOST_AND_BROADCAST), { code: 'ENODEV' })
})

test('veth pair: a burst of 10,000 frames waits until it is read; what is lost of a longer one is counted', {
  skip,
}, () => {
  const pair = vethPair()
  const buffer = new Uint8Array(128)
  const burst = (frames: number) => {
    const before = backlogDrops()
    for (let count = 0; count < frames; count++) pair.left.send(frameTo(EVERYONE, 7))
    let received = 0
    while (pair.right.receive(buffer) >= 0) received++
    const dropped = pair.right.dropped!()
    const missing = frames - received - dropped
    assert.ok(
      missing >= 0 && missing <= backlogDrops() - before,
      `${received} came and ${dropped} did not, of ${frames}`,
    )
    return dropped
  }
  assert.equal(burst(10_000), 0)
  assert.ok(burst(LONG_BURST) > 0)
  assert.equal(burst(1), 0, 'counted once')
  pair.left.close()
  pair.right.close()
})
