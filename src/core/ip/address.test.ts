import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressBytes, addressFromBytes, compareAddresses, formatAddress, parseAddress } from './address.ts'

const canonical: [string, string][] = [
  ['192.168.1.240', '192.168.1.240'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:0:0:0:0:0', '2001:db8::'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:10.0.0.5', '10.0.0.5'],
  ['::ffff:a00:5', '10.0.0.5'],
  ['::', '::'],
  ['::1', '::1'],
  ['fe80::1:2.3.4.5', 'fe80::1:203:405'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
]
for (const [text, expected] of canonical)
  test(`${text} prints as ${expected}`, () => assert.equal(formatAddress(parseAddress(text)!), expected))

const refused = [
  '',
  ' ',
  '10.0.0',
  '10.0.0.256',
  '010.0.0.1',
  '10.1',
  '0x7f.1',
  '1.2.3.4.5',
  '10.0.0.1 ',
  ' 10.0.0.1',
  '10.0.0.1/32',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  'fe80::1%eth0',
  '12345::',
  'g::',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:5',
  '-1.0.0.0',
  '1e1.0.0.0',
] // prettier-ignore
for (const text of refused) test(`'${text}' is no address`, () => assert.equal(parseAddress(text), undefined))

test('every address survives text and bytes', () => {
  const addresses = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(value => ({ family: 'ipv4' as const, value })),
    fc.bigInt({ min: 2n ** 48n, max: 2n ** 128n - 1n }).map(value => ({ family: 'ipv6' as const, value })),
  )
  fc.assert(
    fc.property(addresses, address => {
      assert.deepEqual(parseAddress(formatAddress(address)), address)
      assert.deepEqual(addressFromBytes(addressBytes(address)), address)
    }),
  )
})

test('IPv4 sorts before IPv6, then by number', () => {
  const sorted = ['10.0.0.2', '10.0.0.10', '::1', '2001:db8::'].map(text => parseAddress(text)!)
  assert.deepEqual([...sorted].reverse().sort(compareAddresses), sorted)
})
