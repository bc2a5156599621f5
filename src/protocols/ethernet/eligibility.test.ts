import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Mac, parseAddress } from '../../core/ip/index.ts'
import type { NetworkInterface } from '../../ports/index.ts'
import { arpIneligible, type Ineligible, linkLocal, ndpIneligible } from './index.ts'

const eth0: NetworkInterface = {
  index: 2,
  name: 'eth0',
  mac: '02:42:ac:11:00:02' as Mac,
  up: true,
  carrier: true,
  broadcast: true,
  noArp: false,
  addresses: ['192.168.1.2', '2001:db8::2', 'fe80::2', 'fe80::3'].map(text => ({
    address: parseAddress(text)!,
    length: 24,
  })),
}

const cases: [name: string, change: Partial<NetworkInterface>, arp?: Ineligible, ndp?: Ineligible][] = [
  ['an ordinary interface', {}],
  ['one without any address', { addresses: [] }, undefined, 'noLinkLocal'],
  ['one without carrier', { carrier: false }],
  ['an excluded one', { name: 'cali123' }, 'excluded', 'excluded'],
  ['one that is down', { up: false }, 'down', 'down'],
  ['a bridge port', { master: 7 }, 'hasMaster', 'hasMaster'],
  ['one with NOARP', { noArp: true }, 'noArp', 'noArp'],
  ['one without broadcast', { broadcast: false }, 'noBroadcast', undefined],
  ['one that is not Ethernet', { mac: undefined }, 'notEthernet', 'notEthernet'],
]
for (const [name, change, arp, ndp] of cases)
  test(`${name}: ARP ${arp ?? 'yes'}, NDP ${ndp ?? 'yes'}`, () => {
    const link = { ...eth0, ...change }
    assert.equal(
      arpIneligible(link, name => name.startsWith('cali')),
      arp,
    )
    assert.equal(
      ndpIneligible(link, name => name.startsWith('cali')),
      ndp,
    )
  })

test('the first address of fe80::/10 is the link-local one', () => {
  assert.deepEqual(linkLocal(eth0), parseAddress('fe80::2'))
  assert.equal(linkLocal({ ...eth0, addresses: eth0.addresses.slice(0, 2) }), undefined)
})
