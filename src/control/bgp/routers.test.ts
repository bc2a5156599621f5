import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, type Mac, parseAddress } from '../../core/ip/index.ts'
import { decodeFrame, ETHERTYPE_IPV6, encodeFrame } from '../../protocols/ethernet/index.ts'
import { decodeRouterPacket, encodeRouterPacket, groupMac } from '../../protocols/ndp/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeLink } from '../../testing/fake-link.ts'
import { anInterface, FakeInterfaces } from '../../testing/fake-speaker.ts'
import { type KnownRouters, LinkRouters } from './routers.ts'

const LINK_LOCAL = { address: parseAddress('fe80::a')!, length: 64 }
const eth1 = anInterface('eth1', { index: 7, addresses: [LINK_LOCAL] })

function subject() {
  const clock = new FakeClock()
  const interfaces = new FakeInterfaces()
  const opened: number[] = []
  let wire = FakeLink.pair()
  let refusal: Error | undefined
  const open = (index: number) => {
    if (refusal !== undefined) throw refusal
    opened.push(index)
    wire = FakeLink.pair()
    return wire.left
  }
  const routers = new LinkRouters({ interfaces, clock, open })
  const told: string[] = []
  const tell = ({ routers, problem }: KnownRouters) => told.push(problem ?? routers.map(formatAddress).join(' '))
  const end = routers.watch('eth1', tell)
  const router = (address: string) => {
    const message = { kind: 'router advertisement', hopLimit: 0, lifetime: 1800 } as const
    const destination = parseAddress('ff02::1')!.value
    const payload = encodeRouterPacket({ source: parseAddress(address)!.value, destination, message })
    const source = '02:00:00:00:00:09' as Mac
    wire.right.send(encodeFrame({ destination: groupMac(destination), source, etherType: ETHERTYPE_IPV6, payload }))
  }
  /** Kinds of the messages sent since the last look. */
  const sent = () => {
    const kinds: string[] = []
    const frame = new Uint8Array(200)
    for (let length = wire.right.receive(frame); length >= 0; length = wire.right.receive(frame))
      kinds.push(decodeRouterPacket(decodeFrame(frame.slice(0, length)).payload).message.kind.split(' ')[1]!)
    return kinds
  }
  return {
    clock,
    interfaces,
    opened,
    told,
    end,
    router,
    sent,
    noise: (bytes: Uint8Array) => wire.right.send(bytes),
    refuse: (error?: Error) => {
      refusal = error
    },
  } // prettier-ignore
}

test('an interface is waited for until it can carry packets from a link-local address, and why is said', () => {
  const { interfaces, told, opened } = subject()
  interfaces.set(anInterface('eth1', { up: false, carrier: false }))
  interfaces.set(anInterface('eth1', { carrier: false }))
  interfaces.set(anInterface('eth1'))
  assert.deepEqual(opened, [])
  interfaces.set(eth1)
  assert.deepEqual(opened, [7])
  const problems = ["doesn't exist on this host", 'is down', 'has no carrier', 'has no link-local IPv6 address']
  assert.deepEqual(told, [...problems.map(problem => `interface eth1 ${problem}`), ''])
})

test('it asks and advertises at once, and tells who is heard within 50 ms', () => {
  const { clock, interfaces, told, router, sent } = subject()
  interfaces.set(eth1)
  assert.deepEqual(sent(), ['solicitation', 'advertisement'])
  router('fe80::1')
  clock.advance(50)
  assert.equal(told.at(-1), 'fe80::1')
  router('fe80::2')
  clock.advance(250)
  assert.equal(told.at(-1), 'fe80::1 fe80::2')
})

test('without carrier nobody is known, and with it all begins anew', () => {
  const { clock, interfaces, told, router, sent } = subject()
  interfaces.set(eth1)
  router('fe80::1')
  clock.advance(50)
  sent()
  interfaces.set({ ...eth1, carrier: false })
  assert.equal(told.at(-1), 'interface eth1 has no carrier')
  clock.advance(60_000)
  interfaces.set(eth1)
  assert.equal(told.at(-1), '')
  assert.deepEqual(sent(), ['solicitation', 'advertisement'])
})

test('noise is discarded, and an interface that cannot be opened is tried again', () => {
  const { clock, interfaces, told, router, noise, refuse, end } = subject()
  refuse(new Error('EPERM: operation not permitted'))
  interfaces.set(eth1)
  assert.equal(told.at(-1), 'interface eth1: EPERM: operation not permitted')
  refuse()
  clock.advance(5000)
  assert.equal(told.at(-1), '')
  for (let length = 0; length < 100; length++) noise(new Uint8Array(length).fill(length))
  router('fe80::1')
  clock.advance(100)
  assert.equal(told.at(-1), 'fe80::1')
  end()
  assert.equal(clock.armed, 0)
})
