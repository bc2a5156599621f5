import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from './address.ts'
import { formatPrefix, parseAddressEntry, parsePrefix, rangeContains, rangePrefixes, rangeSize } from './range.ts'

const prefixes: [string, string | undefined][] = [
  ['198.51.100.77/28', '198.51.100.64/28'],
  ['10.0.0.0/08', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8::1/64', '2001:db8::/64'],
  ['::ffff:10.0.0.5/120', '10.0.0.0/24'],
  ['::ffff:10.0.0.5/95', undefined],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0', undefined],
  ['10.0.0.0/-1', undefined],
  ['10.0.0.0 /8', undefined],
]
for (const [text, expected] of prefixes)
  test(`prefix ${text} is ${expected}`, () => {
    const prefix = parsePrefix(text)
    assert.equal(prefix && formatPrefix(prefix), expected)
  })

const splits: [string, string[]][] = [
  [
    '192.168.0.250-192.168.1.10',
    ['192.168.0.250/31', '192.168.0.252/30', '192.168.1.0/29', '192.168.1.8/31', '192.168.1.10/32'],
  ],
  ['10.0.0.0 - 10.0.0.255', ['10.0.0.0/24']],
  ['10.0.0.7-10.0.0.7', ['10.0.0.7/32']],
  ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
  ['fd00::ffff-fd00::1:2', ['fd00::ffff/128', 'fd00::1:0/127', 'fd00::1:2/128']],
]
for (const [text, blocks] of splits)
  test(`range ${text} splits into ${blocks.length} aligned blocks`, () => {
    const entry = parseAddressEntry(text)
    assert.ok('range' in entry)
    assert.deepEqual(rangePrefixes(entry.range).map(formatPrefix), blocks)
  })

const refusals: [string, string][] = [
  ['10.0.0.1', 'invalid CIDR "10.0.0.1"'],
  ['x-10.0.0.1', 'invalid IP range "x-10.0.0.1": invalid start IP "x"'],
  ['10.0.0.1- y', 'invalid IP range "10.0.0.1- y": invalid end IP " y"'],
  ['10.0.0.9-10.0.0.1', 'invalid IP range "10.0.0.9-10.0.0.1": start IP "10.0.0.9" is after the end IP "10.0.0.1"'],
  ['10.0.0.9-fd00::1', 'invalid IP range "10.0.0.9-fd00::1": start IP is ipv4 and end IP is ipv6'],
]
for (const [text, error] of refusals)
  test(`'${text}' is refused`, () => assert.deepEqual(parseAddressEntry(text), { error }))

test('both ends of a range belong to it', () => {
  const entry = parseAddressEntry('10.0.0.5-10.0.0.9')
  assert.ok('range' in entry)
  const within = (text: string) => rangeContains(entry.range, parseAddress(text)!)
  assert.deepEqual(['10.0.0.4', '10.0.0.5', '10.0.0.9', '10.0.0.10', '::5'].map(within), [
    false,
    true,
    true,
    false,
    false,
  ])
  assert.equal(rangeSize(entry.range), 5n)
})
