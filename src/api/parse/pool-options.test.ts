import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse as parseYaml } from 'yaml'
import { formatAddress } from '../../core/ip/index.ts'
import type { IPAddressPoolResource } from '../ip-address-pool.ts'
import { parseConfig } from './index.ts'

function parse(annotations: Record<string, string>) {
  const metadata = { name: 'p', namespace: 'metallb-system', annotations }
  return parseConfig({ pools: [{ metadata, spec: { addresses: ['192.0.2.0/24', '2001:db8::/64'] } }] })
}

test('options of a pool: quarantine, reservations, quotas; none without annotations', () => {
  const parsed = parse({
    'metallb.io/quarantine': '1m30s',
    'metallb.io/reservations': JSON.stringify([
      { addresses: ['192.0.2.7', '2001:db8::1-2001:db8::2'], owner: 'default/web', note: 'printed on paper' },
      { addresses: ['192.0.2.16/28'] },
    ]),
    'metallb.io/quotas': '{"*": 2, "team-a": 10}',
    'example.com/other': 'x',
  })
  assert.ok('config' in parsed)
  const { quarantineMs, reservations = [], quotas = new Map() } = parsed.config.pools[0]!
  assert.equal(quarantineMs, 90_000)
  const exclusive = parse({ 'metallb.io/exclusive': 'true' })
  assert.equal('config' in exclusive && exclusive.config.pools[0]!.exclusive, true)
  assert.deepEqual([...quotas].sort(), [
    ['*', 2],
    ['team-a', 10],
  ])
  const text = ({ range: { family, first, last } }: (typeof reservations)[number]) =>
    `${formatAddress({ family, value: first })}-${formatAddress({ family, value: last })}`
  assert.deepEqual(
    reservations.map(one => [text(one), one.owner, one.note]),
    [
      ['192.0.2.7-192.0.2.7', 'default/web', 'printed on paper'],
      ['2001:db8::1-2001:db8::2', 'default/web', 'printed on paper'],
      ['192.0.2.16-192.0.2.31', undefined, ''],
    ],
  )
  const plain = parse({ 'metallb.io/quarantine': '0s' })
  assert.ok('config' in plain)
  const { quarantineMs: none, reservations: noList, quotas: noMap } = plain.config.pools[0]!
  assert.deepEqual([none, noList, noMap], [undefined, undefined, undefined])
})

const refusals: [annotation: string, value: string, problem: RegExp][] = [
  ['quarantine', 'soon', /quarantine\] invalid duration "soon", must be from 0 to 168h/],
  ['quarantine', '-5m', /quarantine\] invalid duration/],
  ['quarantine', '169h', /quarantine\] invalid duration/],
  ['reservations', '192.0.2.7', /reservations\] not JSON/],
  ['reservations', '{}', /reservations\] must be a list, not an object/],
  ['reservations', '[{"owner":"a/b"}]', /reservations\]\[0\]\.addresses missing required value/],
  ['reservations', '[{"addresses":["192.0.2.7"],"owner":"web"}]', /\[0\]\.owner invalid owner "web"/],
  ['reservations', '[{"addresses":["192.0.2.7","x"]}]', /\[0\]\.addresses\[1\] invalid address "x"/],
  ['reservations', '[{"addresses":["198.51.100.1"]}]', /198\.51\.100\.1 is not within one entry of spec\.addresses/],
  ['reservations', '[{"addresses":["2001:db8::/64"]}]', /has more than 65536 addresses/],
  [
    'reservations',
    '[{"addresses":["192.0.2.0/28"]},{"addresses":["192.0.2.20","192.0.2.7"],"owner":"a/b"}]',
    /\[1\]\.addresses\[1\] 192\.0\.2\.7 overlaps with 192\.0\.2\.0\/28, which is reserved already/,
  ],
  ['exclusive', 'yes', /exclusive\] invalid value "yes"/],
  ['quotas', '{"a":-1}', /quotas\]\[a\] invalid value -1/],
  ['quotas', '{"a":"1"}', /quotas\]\[a\] must be a whole number, not a string/],
]
for (const [annotation, value, problem] of refusals)
  test(`refused: ${annotation} ${value}`, () => {
    const parsed = parse({ [`metallb.io/${annotation}`]: value })
    assert.ok('problems' in parsed)
    assert.deepEqual(parsed.problems.length, 1)
    assert.match(`${parsed.problems[0]!.path} ${parsed.problems[0]!.message}`, problem)
  })

test('the example of the guide is valid', () => {
  const guide = readFileSync(new URL('../../../docs/guide/pools.md', import.meta.url), 'utf8')
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? []
  const parsed = parseConfig({ pools: [parseYaml(yaml) as IPAddressPoolResource] })
  assert.ok('config' in parsed)
  const { quarantineMs, reservations, quotas } = parsed.config.pools[0]!
  assert.deepEqual([quarantineMs, reservations?.length, quotas?.get('*')], [600_000, 2, 5])
})
