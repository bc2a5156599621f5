import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { parseExclusions } from './index.ts'

const excluded = (entries: string[], name: string) =>
  parseExclusions(stringify({ announcedInterfacesToExclude: entries })).some(pattern => pattern.test(name))

const SHIPPED = `announcedInterfacesToExclude: ["^docker.*", "^cbr.*", "^dummy.*", "^virbr.*", "^lxcbr.*", "^veth.*", "^lo$",
  "^cali.*", "^tunl.*", "^flannel.*", "^kube-ipvs.*", "^cni.*", "^nodelocaldns.*", "^lxc.*"]`

test('the shipped list keeps the interfaces of containers out and the real ones in', () => {
  const patterns = parseExclusions(SHIPPED)
  assert.equal(patterns.length, 14)
  const hit = (name: string) => patterns.some(pattern => pattern.test(name))
  for (const name of ['docker0', 'veth1a2b', 'lo', 'cali123', 'kube-ipvs0', 'flannel.1']) assert.ok(hit(name), name)
  for (const name of ['eth0', 'lo1', 'enp3s0', 'bond0.1002', 'br0', 'xveth']) assert.ok(!hit(name), name)
})

const matches: [entry: string, hit: string, miss: string][] = [
  ['eth1', 'myeth1x', 'eth2'],
  ['(?i)^ETH0$', 'eth0', 'eth1'],
  ['^eth0\\z', 'eth0', 'eth0x'],
  ['\\Aeth', 'eth0', 'xeth0'],
  ['^eth[[:digit:]]$', 'eth7', 'ethx'],
  ['^\\Qa.b\\E$', 'a.b', 'axb'],
  ['^(?P<kind>eth|ens)[0-9]+$', 'ens18', 'enp3s0'],
  ['^(?:cali|tunl).*$', 'tunl0', 'eth0'],
  ['^e(th)?[0-9]{1,2}$', 'eth12', 'eth123'],
  ['^\\d+$', '123', '12a'],
]
for (const [entry, hit, miss] of matches)
  test(`${entry} excludes ${hit} and not ${miss}`, () => {
    assert.equal(excluded([entry], hit), true)
    assert.equal(excluded([entry], miss), false)
  })

for (const text of ['', '# nothing', 'announcedInterfacesToExclude:', 'announcedInterfacesToExclude: []', 'other: 1'])
  test(`'${text}' excludes nothing`, () => assert.deepEqual(parseExclusions(text), []))

const refusals: [text: string, error: RegExp][] = [
  ['- a', /^expected a mapping with announcedInterfacesToExclude$/],
  ['announcedInterfacesToExclude: eth0', /^announcedInterfacesToExclude: must be a list of regular expressions$/],
  ['announcedInterfacesToExclude: [ok, 7]', /^announcedInterfacesToExclude\[1\]: must be a string$/],
  ['announcedInterfacesToExclude: ["ok', /./],
  ...(
    [
      ['(eth', /\[0\] "\(eth": .*[Uu]nterminated group/],
      ['a{2,1}', /numbers out of order/],
      ['*a', /[Nn]othing to repeat/],
      ['(?=eth)', /"\(\?=" is not supported/],
      ['(?<!x)eth', /"\(\?<!" is not supported/],
      ['(a)\\1', /"\\1" is not supported/],
      ['\\p{L}', /"\\p" is not supported/],
      ['(?U)a+', /"\(\?U\)" is not supported/],
      ['(a+)+$', /could search for ever/],
      ['((a|b)*c)*', /could search for ever/],
      ['(a|a){20}', /could search for ever/],
      ['a*'.repeat(11), /more than 10 repetitions/],
      ['a'.repeat(1001), /longer than 1000 characters/],
    ] as const
  ).map(([entry, error]): [string, RegExp] => [stringify({ announcedInterfacesToExclude: [entry] }), error]),
]
for (const [text, error] of refusals)
  test(`refused: ${text.slice(0, 60).trim()}`, () => assert.throws(() => parseExclusions(text), { message: error }))
