// The layer 2 responder's IPv6 side, seen by the kernel of a client on the same segment and by raw frames.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { after, before, describe, test } from 'node:test'
import { NdpSocket } from '../../src/adapters/linux/ndp-socket.ts'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { macFromBytes, parseAddress } from '../../src/core/ip/index.ts'
import { ETHERTYPE_IPV6, encodeFrame, linkLocal, ROUNDS_MS } from '../../src/protocols/ethernet/index.ts'
import { encodePacket, type NdpMessage, type Received, readFrame, textOf } from '../../src/protocols/ndp/index.ts'
import { buildSegment, ip, Node, tearDown, until } from './arp-segment.ts'

const VIP = '2001:db8::f'
const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('the NDP responder test needs root to make network namespaces')

describe('the NDP responder', { skip: root ? false : 'needs root: network namespaces and packet sockets' }, () => {
  let node: Node
  let socket: NdpSocket
  let client: { index: number; mac: string; linkLocal: bigint }
  const heard: Received[] = []

  before(async () => {
    buildSegment()
    ip('addr add 2001:db8::35/64 dev eth0 nodad')
    client = await until('the link-local address of the client', () => {
      const reader = new NetlinkReader()
      const eth0 = reader.current().find(({ name }) => name === 'eth0')!
      reader.close()
      const address = linkLocal(eth0)
      return address && { index: eth0.index, mac: eth0.mac!, linkLocal: address.value }
    })
    socket = new NdpSocket(client.index)
    node = await Node.start('a')
    await node.logged('createNDPResponder')
  })
  after(async () => {
    socket?.close()
    await tearDown()
  })

  /** Advertisements of the address, in words: flags and where they went. */
  function advertisements(of: string): string[] {
    const buffer = new Uint8Array(256)
    for (let length = socket.receive(buffer); length >= 0; length = socket.receive(buffer)) {
      const received = readFrame(buffer.slice(0, length))
      if (received !== undefined) heard.push(received)
    }
    const words: string[] = []
    for (const { frame, packet } of heard) {
      const { message, destination } = packet
      if (message.kind !== 'advertisement' || textOf(message.target) !== of) continue
      assert.deepEqual([frame.source, message.linkLayer], [node.mac(), node.mac()])
      words.push(`${message.solicited ? 'S' : ''}${message.override ? 'O' : ''} to ${textOf(destination)}`)
    }
    return words
  }
  /** Has the kernel send something there, and tells the MAC it found. */
  async function resolve(to: string): Promise<string> {
    const datagram = createSocket('udp6')
    datagram.send('hello', 9, to)
    const mac = await until(`a neighbour ${to}`, () => {
      const out = execFileSync('ip', ['-6', '-j', 'neigh', 'show', to, 'dev', 'eth0'], { encoding: 'utf8' })
      return (JSON.parse(out) as { lladdr?: string }[])[0]?.lladdr
    })
    datagram.close()
    return mac
  }
  function groups(): string {
    return execFileSync('ip', ['-n', node.namespace, '-6', 'maddr', 'show', 'dev', 'eth0'], { encoding: 'utf8' })
  }

  test('a new address is announced to all nodes in every round', async () => {
    await node.update([VIP, 'all'])
    await until('all rounds', () => advertisements(VIP).length >= ROUNDS_MS.length)
    assert.deepEqual(advertisements(VIP), Array(ROUNDS_MS.length).fill('O to ff02::1'))
  })

  test('the kernel of a client finds the owner', async () => {
    assert.equal(await resolve(VIP), node.mac())
    assert.ok(advertisements(VIP).includes('SO to 2001:db8::35'), String(advertisements(VIP)))
  })

  test('a unicast solicitation that does not say its MAC, as one that verifies a cache may, is answered', async () => {
    const message: NdpMessage = { kind: 'solicitation', target: parseAddress(VIP)!.value }
    const payload = encodePacket({ source: client.linkLocal, destination: message.target, message })
    const source = macFromBytes(Uint8Array.from(client.mac.split(':'), part => Number.parseInt(part, 16)))
    socket.send(encodeFrame({ destination: node.mac(), source, etherType: ETHERTYPE_IPV6, payload }))
    await until('an answer', () => advertisements(VIP).includes(`SO to ${textOf(client.linkLocal)}`))
  })

  test('duplicate address detection of another host fails', async () => {
    ip(`addr add ${VIP}/64 dev eth0`)
    await until('the verdict', () => {
      const shown = execFileSync('ip', ['-6', 'addr', 'show', 'dev', 'eth0'], { encoding: 'utf8' })
      return /2001:db8::f\/64 .*dadfailed/.test(shown)
    })
    ip(`addr del ${VIP}/64 dev eth0`)
  })

  test('solicited-node groups are joined for the addresses, shared, and left with the last one', async () => {
    await node.update(['2001:db8::aa:1111', 'all'], ['2001:db8:1::aa:1111', 'all'], [VIP, ['eth9']])
    assert.match(groups(), /ff02::1:ffaa:1111/)
    assert.doesNotMatch(groups(), /ff02::1:ff00:f\b/, 'not for addresses of other interfaces')
    await node.update(['2001:db8:1::aa:1111', 'all'])
    assert.match(groups(), /ff02::1:ffaa:1111/)
    await node.update()
    assert.doesNotMatch(groups(), /ff02::1:ffaa:1111/)
  })

  test('an interface that appears after the address answers to its group too (IMP-15)', async () => {
    await node.update(['2001:db8::99', ['eth9']])
    node.addInterface('eth9')
    await node.line(({ fields }) => {
      const { event, interface: name } = (fields ?? {}) as { event?: string; interface?: string }
      return event === 'createNDPResponder' && name === 'eth9'
    })
    assert.equal(await resolve('2001:db8::99'), node.mac('eth9'))
  })
})
