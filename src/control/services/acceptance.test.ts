/** The acceptance examples of chapter 02 section 5, by number, with the better results that section 7 asks for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { services } from '../../api/index.ts'
import type { Pool } from '../../core/config/index.ts'
import { KubeError } from '../../ports/index.ts'
import { DUAL, pin, poolOf, ServiceWorld, V6 } from '../../testing/service-world.ts'

type Example = [name: string, pools: readonly Pool[], run: (world: ServiceWorld) => Promise<void>]

const tiny = [poolOf('p', ['192.168.1.0/30'])]
const p24 = [poolOf('p', ['10.0.0.0/24'])]
const two = [poolOf('p4', ['10.0.0.0/30']), poolOf('q', ['10.0.1.0/30'], { autoAssign: false })]
const three = [poolOf('p', ['10.0.0.1-10.0.0.3'])]
const mixed = [poolOf('p', ['10.0.0.0/24', 'fd00::/112'])]
const families = [poolOf('p4', ['10.0.0.0/24']), poolOf('p6', ['fd00::/112'])]
const require2 = { cluster: DUAL, policy: 'RequireDualStack' }
const prefer2 = { cluster: DUAL, policy: 'PreferDualStack' }
const failed = (name: string, error: string) =>
  `Warning AllocationFailed Failed to allocate IP for "${name.includes('/') ? name : `d/${name}`}": ${error}`
const cleared = (name: string, error: string) =>
  `Normal ClearAssignment current IP for "d/${name}" not allowed by config, will attempt for new IP assignment: ${error}`
const assigned = (...ips: string[]) => `Normal IPAllocated Assigned IP [${ips.map(ip => `"${ip}"`).join(' ')}]`

/** A fresh Service with the sketch stays pending, with this error. */
function refuses(sketch: Parameters<ServiceWorld['put']>[1], error: string): Example[2] {
  return async world => {
    await world.put('N', sketch)
    world.shows({ N: '' })
    world.said('N', failed('N', error))
  }
}

function grants(sketch: Parameters<ServiceWorld['put']>[1], ips: string, pool?: string): Example[2] {
  return async world => {
    await world.put('N', sketch)
    world.shows({ N: ips })
    if (pool) assert.equal(world.poolOf('N'), pool)
  }
}

async function fill(world: ServiceWorld, names: string, sketch: Parameters<ServiceWorld['put']>[1] = {}) {
  for (const name of names) await world.put(name, sketch)
}

const basics: Example[] = [
  [
    '1-5 addresses in order, a full pool, a deletion wakes who waits, a second look changes nothing',
    tiny,
    async world => {
      await world.put('A')
      assert.deepEqual(world.resource('A').status?.loadBalancer, { ingress: [{ ip: '192.168.1.0' }] })
      assert.equal(world.poolOf('A'), 'p')
      world.said('A', assigned('192.168.1.0'))
      await fill(world, 'BCD')
      world.shows({ B: '192.168.1.1', C: '192.168.1.2', D: '192.168.1.3' })
      const writes = world.writes
      await world.put('E')
      world.shows({ E: '' })
      world.said('E', failed('E', 'no available IPs'))
      assert.equal(world.writes, writes + 1) // its condition
      await world.remove('B')
      world.shows({ E: '192.168.1.1' })
      world.said('E', assigned('192.168.1.1'))
      await world.put('A')
      world.said('A')
      assert.equal(world.writes, writes + 2)
    },
  ],
  [
    '6 entries in the order written',
    [poolOf('p', ['10.0.0.5-10.0.0.6', '10.0.0.1-10.0.0.2'])],
    async world => {
      await fill(world, 'ABCDE')
      world.shows({ A: '10.0.0.5', B: '10.0.0.6', C: '10.0.0.1', D: '10.0.0.2', E: '' })
    },
  ],
  ['7 avoidBuggyIPs', [poolOf('p', ['192.168.1.0/30'], { avoidBuggyIPs: true })], grants({}, '192.168.1.1')],
  [
    '8 avoidBuggyIPs at the end of a range',
    [poolOf('p', ['192.168.0.254-192.168.1.0'], { avoidBuggyIPs: true })],
    async world => {
      await fill(world, 'AB')
      world.shows({ A: '192.168.0.254', B: '' })
    },
  ],
  ['9 first IPv6 address', [poolOf('p', ['fd00::/64'])], grants({ cluster: V6 }, 'fd00::')],
  [
    '10 an IPv6 range over a group boundary',
    [poolOf('p', ['fd00::ffff-fd00::1:2'])],
    async world => {
      await fill(world, 'ABCDE', { cluster: V6 })
      world.shows({ A: 'fd00::ffff', B: 'fd00::1:0', C: 'fd00::1:1', D: 'fd00::1:2', E: '' })
    },
  ],
  [
    '11 avoidBuggyIPs spares IPv6',
    [poolOf('p', ['fd00::/120'], { avoidBuggyIPs: true })],
    grants({ cluster: V6 }, 'fd00::'),
  ],
  ['13 wrong family', p24, refuses({ cluster: V6 }, 'no available IPs')],
  [
    '14 no cluster IP',
    p24,
    async world => {
      await world.put('A', { cluster: [] })
      world.shows({ A: '' })
      world.said('A')
    },
  ],
  ['15 clusterIP alone', [poolOf('p', ['10.0.0.0/24', 'fd00::/112'])], grants({ cluster: ['fd01::9'] }, 'fd00::')],
  ['16 headless', p24, refuses({ cluster: ['None'] }, 'IPFamilyForAddresses: Invalid address ["None"]')],
  [
    '17 headless with an address',
    p24,
    async world => {
      await world.put('A', { cluster: ['None'], status: [{ ip: '10.0.0.200' }] })
      assert.equal(world.ips('A'), '10.0.0.200')
      const error = 'IPFamilyForAddresses: Invalid address ["None"]'
      world.said('A', `Warning noclusterIPsIPFamily Failed to retrieve ClusterIPs IPFamily for ["None"] None: ${error}`)
    },
  ],
  [
    '18 a failed write is repeated with the same address',
    p24,
    async world => {
      world.kube.fail = verb => {
        if (verb === 'replace/status') throw new KubeError('CONFLICT', 'conflict')
      }
      await world.put('A')
      world.said('A', assigned('10.0.0.0'))
      world.shows({ A: '' })
      world.kube.fail = () => {}
      await world.put('B')
      world.clock.advance(5)
      await world.settle()
      world.shows({ A: '10.0.0.0', B: '10.0.0.1' })
      world.said('A', assigned('10.0.0.0'))
    },
  ],
  [
    '19 Services without ports do not share by accident',
    p24,
    async world => {
      await fill(world, 'AB', { ports: [] })
      world.shows({ A: '10.0.0.0', B: '10.0.0.1' })
    },
  ],
]

const both = 'service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP'

const requested: Example[] = [
  ['20 a requested address', two, grants({ lbIP: '10.0.0.2' }, '10.0.0.2', 'p4')],
  ['21 outside every pool', two, refuses({ lbIP: '10.9.9.9' }, '["10.9.9.9"] is not allowed in config')],
  [
    '22 taken',
    two,
    async world => {
      await world.put('A', { lbIP: '10.0.0.2' })
      await refuses({ lbIP: '10.0.0.2' }, `can't change sharing key for "d/N", address also in use by d/A`)(world)
    },
  ],
  ['23 requested twice', two, refuses({ lbIP: '10.0.0.1', ips: '10.0.0.1' }, both)],
  [
    '24 requested twice while held',
    two,
    async world => {
      await world.put('A')
      world.said('A', assigned('10.0.0.0'))
      await world.put('A', { lbIP: '10.0.0.1', ips: '10.0.0.1' })
      world.shows({ A: '10.0.0.0' })
      world.said('A', `Warning LoadBalancerFailed invalid requested loadbalancer IPs: ${both}`)
    },
  ],
  ['25 no address', two, refuses({ lbIP: 'foo' }, 'invalid spec.loadBalancerIP "foo"')],
  [
    '26 one of two no address',
    two,
    refuses({ ips: '10.0.0.1,foo' }, 'invalid metallb.io/loadBalancerIPs: "10.0.0.1,foo"'),
  ],
  ['27 an empty element', two, refuses({ ips: '10.0.0.5,' }, 'invalid metallb.io/loadBalancerIPs: "10.0.0.5,"')],
  ['27 blanks only', two, refuses({ ips: ' ' }, 'invalid metallb.io/loadBalancerIPs: " "')],
  [
    '28 two of one family',
    two,
    refuses({ ips: '10.0.0.1,10.0.0.3' }, 'IPFamilyForAddresses: same address family ["10.0.0.1" "10.0.0.3"]'),
  ],
  [
    '29 three',
    two,
    refuses(
      { ips: '10.0.0.1,fd00::1,fd00::2' },
      'IPFamilyForAddresses: invalid ips length 3 ["10.0.0.1" "fd00::1" "fd00::2"]',
    ),
  ],
  [
    '30 the other family',
    two,
    refuses({ ips: 'fd00::1' }, 'requested loadBalancer IP(s) ["fd00::1"] does not match the ipFamily of the service'),
  ],
  ['31 autoAssign plays no part', two, grants({ lbIP: '10.0.1.1' }, '10.0.1.1', 'q')],
  [
    '32 address and pool disagree',
    two,
    async world => {
      const error = 'requested loadBalancer IP(s) ["10.0.0.3"] is not compatible with requested address pool q'
      await refuses({ lbIP: '10.0.0.3', pool: 'q' }, error)(world)
      await world.put('B', { lbIP: '10.0.0.3' })
      world.shows({ B: '10.0.0.3' })
    },
  ],
  [
    '33 a request that cannot be met costs the address',
    two,
    async world => {
      await fill(world, 'AB')
      world.said('B', assigned('10.0.0.1'))
      await world.put('B', { lbIP: '10.0.0.0' })
      world.shows({ A: '10.0.0.0', B: '' })
      world.said('B', failed('B', `can't change sharing key for "d/B", address also in use by d/A`))
    },
  ],
  [
    '34 a move wakes who waits for the address (D13)',
    two,
    async world => {
      await world.put('A')
      await world.put('W', { lbIP: '10.0.0.0' })
      world.shows({ W: '' })
      await world.put('A', { lbIP: '10.0.0.3' })
      world.shows({ A: '10.0.0.3', W: '10.0.0.0' })
    },
  ],
  [
    '35 the request goes, the address stays',
    [poolOf('p', ['10.1.0.0/24'])],
    async world => {
      await world.put('A', { ips: '10.1.0.4' })
      world.said('A', assigned('10.1.0.4'))
      await world.put('A', { ips: undefined })
      world.shows({ A: '10.1.0.4' })
      world.said('A')
    },
  ],
  ['36 leading zeros', p24, refuses({ lbIP: '010.000.000.001' }, 'invalid spec.loadBalancerIP "010.000.000.001"')],
  ['36 a leading blank', p24, refuses({ lbIP: ' 10.0.0.9' }, 'invalid spec.loadBalancerIP " 10.0.0.9"')],
  ['37 blanks around', mixed, grants({ ...require2, ips: ' 10.0.0.1 ,\tfd00::1 ' }, '10.0.0.1 fd00::1')],
  ['38 an IPv4-mapped address', p24, grants({ lbIP: '::ffff:10.0.0.3' }, '10.0.0.3')],
  ['39 IPv6 in long form', mixed, grants({ cluster: V6, lbIP: 'FD00:0:0::000A' }, 'fd00::a')],
  [
    '40 order requested is order given, in one write (D9)',
    mixed,
    async world => {
      await world.put('A', { ...require2, ips: 'fd00::5, 10.0.0.9' })
      world.said('A', assigned('fd00::5', '10.0.0.9'))
      await world.put('A')
      world.shows({ A: 'fd00::5 10.0.0.9' })
      assert.equal(world.writes, 1)
    },
  ],
  [
    '41 the same with IPv4 first (D9)',
    [poolOf('p', ['203.0.113.0/24', '2001:db8::/112'])],
    async world => {
      await world.put('A', { ...require2, ips: '203.0.113.9,2001:db8::5' })
      await world.put('A')
      world.shows({ A: '203.0.113.9 2001:db8::5' })
    },
  ],
  [
    '42 one pool must cover both',
    families,
    refuses({ ...require2, ips: '10.0.0.1,fd00::1' }, '["10.0.0.1" "fd00::1"] is not allowed in config'),
  ],
  [
    '43 avoidBuggyIPs refuses a request',
    [poolOf('p', ['10.0.0.0/24'], { avoidBuggyIPs: true })],
    refuses({ lbIP: '10.0.0.255' }, '["10.0.0.255"] is not allowed in config'),
  ],
  [
    '43 avoidBuggyIPs grants others',
    [poolOf('p', ['10.0.0.0/24'], { avoidBuggyIPs: true })],
    grants({ lbIP: '10.0.0.254' }, '10.0.0.254'),
  ],
  [
    '44 one of two requested, RequireDualStack',
    mixed,
    refuses(
      { ...require2, ips: '10.0.0.7' },
      'requested loadBalancer IP(s) ["10.0.0.7"] does not match the ipFamily of the service',
    ),
  ],
  ['44 one of two requested, PreferDualStack (D15)', mixed, grants({ ...prefer2, ips: '10.0.0.7' }, '10.0.0.7 fd00::')],
  [
    '45 the deprecated prefix',
    p24,
    async world => {
      await world.put('A', { annotations: { 'metallb.universe.tf/loadBalancerIPs': '10.0.0.9' } })
      world.shows({ A: '10.0.0.9' })
      const key = 'metallb.universe.tf/loadBalancerIPs'
      world.said('A', assigned('10.0.0.9'), `Warning deprecatedAnnotation Service uses deprecated annotation ${key}`)
    },
  ],
  [
    '46 both prefixes',
    two,
    async world => {
      await world.put('A', { pool: 'p4', annotations: { 'metallb.universe.tf/address-pool': 'q' } })
      assert.equal(world.poolOf('A'), 'p4')
      world.said('A', assigned('10.0.0.0'), 'Warning deprecatedAnnotation Service uses deprecated annotation')
    },
  ],
  [
    '47 an empty new key hides the old one',
    p24,
    grants({ ips: '', annotations: { 'metallb.universe.tf/loadBalancerIPs': '10.0.0.9' } }, '10.0.0.0'),
  ],
  [
    '48 a bad value under the old key',
    p24,
    refuses(
      { annotations: { 'metallb.universe.tf/loadBalancerIPs': 'bad' } },
      'invalid metallb.io/loadBalancerIPs: "bad"',
    ),
  ],
]

const prioritised = [
  poolOf('p0', ['10.0.1.0/32'], pin({ ns: ['d'], prio: 0 })),
  poolOf('p5', ['10.0.2.0/32'], pin({ ns: ['d'], prio: 5 })),
  poolOf('p2', ['10.0.3.0/32'], pin({ app: ['x'], prio: 2 })),
  poolOf('free', ['10.0.9.0/24']),
]

const pools: Example[] = [
  [
    '49 autoAssign false',
    [poolOf('p', ['10.0.0.0/24'], { autoAssign: false })],
    async world => {
      await refuses({}, 'no available IPs')(world)
      await world.put('B', { pool: 'p' })
      world.shows({ B: '10.0.0.0' })
    },
  ],
  ['50 unknown pool', two, refuses({ pool: 'nope' }, 'unknown pool "nope"')],
  [
    '51 requested pool full',
    [poolOf('p', ['10.0.0.0/32'])],
    async world => {
      await world.put('A')
      await refuses({ pool: 'p' }, 'no available IPs in pool p')(world)
    },
  ],
  [
    '52 requested pool without the family (D8)',
    two,
    refuses({ cluster: V6, pool: 'p4' }, 'no available IPs in pool p4 for ipv6 IPFamily'),
  ],
  [
    '53-54 another pool requested, then none, then an unknown one',
    two,
    async world => {
      await world.put('A')
      await world.put('A', { pool: 'q' })
      world.shows({ A: '10.0.1.0' })
      world.said('A', assigned('10.0.0.0'), assigned('10.0.1.0'))
      await world.put('A', { pool: undefined })
      world.shows({ A: '10.0.1.0' })
      await world.put('A', { pool: 'zzz' })
      world.shows({ A: '' })
      world.said('A', failed('A', 'unknown pool "zzz"'))
    },
  ],
  [
    '55-57 priorities, fall-through, other namespaces',
    prioritised,
    async world => {
      await fill(world, 'ABCDE', { app: 'x' })
      assert.deepEqual(
        [...'ABCDE'].map(name => world.poolOf(name)),
        ['p2', 'p5', 'p0', 'free', 'free'],
      )
      await world.put('other/F', { app: 'x' })
      assert.equal(world.poolOf('other/F'), 'free')
      await world.put('other/G', { pool: 'p5' })
      world.said('other/G', failed('other/G', 'no available IPs in pool p5'))
      await world.put('other/H', { lbIP: '10.0.2.0' })
      world.said('other/H', failed('other/H', 'pool p5 not compatible for ip assignment'))
    },
  ],
  [
    '58 namespace and selector',
    [poolOf('p', ['10.0.0.0/24'], pin({ ns: ['d'], app: ['x'] }))],
    async world => {
      await world.put('A')
      await world.put('B', { app: 'x' })
      await world.put('o/C', { app: 'x' })
      world.shows({ A: '', B: '10.0.0.0', 'o/C': '' })
    },
  ],
  [
    '59 selectors of namespaces that match none admit nobody (D6)',
    [poolOf('p', ['10.0.0.0/24'], pin({ ns: [] }))],
    async world => {
      await world.put('A')
      world.shows({ A: '' })
      await world.put('B', { pool: 'p' })
      world.said('B', failed('B', 'pool p not compatible for ip assignment'))
      await world.put('C', { lbIP: '10.0.0.5' })
      world.said('C', failed('C', 'pool p not compatible for ip assignment'))
    },
  ],
  [
    '60 an empty serviceAllocation comes first',
    [poolOf('a', ['10.0.1.0/24']), poolOf('p', ['10.0.0.0/24'], pin({}))],
    grants({}, '10.0.0.0', 'p'),
  ],
  [
    '61 pinned without autoAssign',
    [poolOf('p', ['10.0.0.0/24'], { ...pin({ ns: ['d'] }), autoAssign: false })],
    async world => {
      await world.put('A')
      await world.put('B', { pool: 'p' })
      await world.put('o/C', { pool: 'p' })
      world.shows({ A: '', B: '10.0.0.0', 'o/C': '' })
      world.said('o/C', failed('o/C', 'pool p not compatible for ip assignment'))
    },
  ],
  [
    '62 a label change excludes the holder',
    [poolOf('p', ['10.0.0.0/24'], pin({ app: ['x'] }))],
    async world => {
      await world.put('A', { app: 'x' })
      world.said('A', assigned('10.0.0.0'))
      await world.put('A', { app: 'y' })
      world.shows({ A: '' })
      world.said('A', cleared('A', 'pool p not compatible for ip assignment'), failed('A', 'no available IPs'))
    },
  ],
  [
    '63 equal priorities by name (D14)',
    [
      poolOf('c', ['10.0.3.0/32'], pin({ prio: 7 })),
      poolOf('z', ['10.0.4.0/32'], pin({ prio: 0 })),
      poolOf('b', ['10.0.2.0/32'], pin({ prio: 7 })),
      poolOf('a', ['10.0.1.0/32'], pin({ prio: -1 })),
    ],
    async world => {
      await fill(world, 'ABCD')
      assert.deepEqual(
        [...'ABCD'].map(name => world.poolOf(name)),
        ['b', 'c', 'a', 'z'],
      )
    },
  ],
]

const clash = (name: string, others: string) =>
  `can't change sharing key for "${name}", address also in use by ${others}`

const sharing: Example[] = [
  [
    '64-66 keys and ports',
    three,
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      await world.put('C', { key: 'k' })
      await world.put('E', { key: 'k', ports: ['UDP/80'] })
      world.shows({ A: '10.0.0.1', B: '10.0.0.1', C: '10.0.0.2', E: '10.0.0.1' })
      await world.put('F', { key: 'z', ports: ['TCP/81'], lbIP: '10.0.0.1' })
      world.said('F', failed('F', clash('d/F', 'd/A,d/B,d/E')))
      await world.put('G', { key: 'k', lbIP: '10.0.0.1' })
      world.said('G', failed('G', 'port TCP/80 is already in use on "10.0.0.1"'))
    },
  ],
  [
    '67 no key against a key',
    three,
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('C', { lbIP: '10.0.0.1', ports: ['TCP/1'] })
      world.said('C', failed('C', clash('d/C', 'd/A')))
    },
  ],
  [
    '68-69 a key against no key, until the holder gets it',
    [poolOf('p', ['10.0.0.1/32'])],
    async world => {
      await world.put('A')
      await world.put('B', { key: 'k', ports: ['TCP/443'], lbIP: '10.0.0.1' })
      await world.put('C', { key: 'k', ports: ['TCP/444'] })
      world.said('B', failed('B', clash('d/B', 'd/A')))
      await world.put('A', { key: 'k' })
      world.shows({ A: '10.0.0.1', B: '10.0.0.1', C: '10.0.0.1' })
    },
  ],
  [
    '70 a lower free address wins over a shared one',
    three,
    async world => {
      await world.put('A', { key: 'k', lbIP: '10.0.0.2' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      world.shows({ B: '10.0.0.1' })
    },
  ],
  [
    '71 a sharer changes its key',
    three,
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      await world.put('B', { key: 'k2' })
      world.said('B', assigned('10.0.0.1'), cleared('B', clash('d/B', 'd/A')), assigned('10.0.0.2'))
      world.shows({ B: '10.0.0.2' })
    },
  ],
  [
    '72 a sharer becomes Local',
    three,
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      await world.put('B', { local: 'b' })
      world.said('B', assigned('10.0.0.1'), cleared('B', clash('d/B', 'd/A')), assigned('10.0.0.2'))
    },
  ],
  [
    '73 Local shares with the same selector in the same namespace (D7)',
    [poolOf('p', ['10.0.0.1-10.0.0.9'])],
    async world => {
      await world.put('A', { key: 'k', local: 'x' })
      await world.put('B', { key: 'k', ports: ['TCP/443'], local: 'y' })
      await world.put('n2/C', { key: 'k', ports: ['TCP/444'], local: 'x' })
      await world.put('E', { key: 'k', ports: ['TCP/445'] })
      await world.put('F', { key: 'k', ports: ['TCP/446'], local: 'x' })
      world.shows({ A: '10.0.0.1', B: '10.0.0.2', 'n2/C': '10.0.0.3', E: '10.0.0.4', F: '10.0.0.1' })
    },
  ],
  [
    '74 Local without selector shares with Cluster',
    three,
    async world => {
      await world.put('A', { key: 'k', local: '' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      world.shows({ B: '10.0.0.1' })
    },
  ],
  [
    '75 a port that clashes',
    [poolOf('p', ['10.0.0.1/32'])],
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { key: 'k', ports: ['TCP/443'] })
      await world.put('B', { ports: ['TCP/80'] })
      world.shows({ A: '10.0.0.1', B: '' })
      const port = 'port TCP/80 is already in use on "10.0.0.1"'
      world.said('B', assigned('10.0.0.1'), cleared('B', port), failed('B', 'no available IPs'))
    },
  ],
  [
    '76 a port that is dropped wakes who waits for it (D13)',
    [poolOf('p', ['10.0.0.1/32'])],
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { key: 'k' })
      world.shows({ B: '' })
      await world.put('A', { ports: ['TCP/81'] })
      world.shows({ A: '10.0.0.1', B: '10.0.0.1' })
    },
  ],
  [
    '77 empty keys do not share',
    three,
    async world => {
      await world.put('A', { key: '' })
      await world.put('B', { key: '', ports: ['TCP/443'] })
      world.shows({ A: '10.0.0.1', B: '10.0.0.2' })
    },
  ],
  [
    '78 a dual Service shares one family',
    [poolOf('p', ['10.0.0.1-10.0.0.3', 'fd00::1-fd00::3'])],
    async world => {
      await world.put('A', { key: 'k' })
      await world.put('B', { ...require2, key: 'k', ports: ['TCP/443'] })
      world.shows({ A: '10.0.0.1', B: '10.0.0.1 fd00::1' })
      const usage = world.controller.usage('p')!
      assert.deepEqual(usage.assigned, { ipv4: 1n, ipv6: 1n })
      assert.deepEqual(usage.available, { ipv4: 2n, ipv6: 2n })
    },
  ],
  [
    '79-80 a sharer leaves',
    [poolOf('p', ['10.0.0.0/24'])],
    async world => {
      await world.put('A', { key: 'k', lbIP: '10.0.0.9' })
      await world.put('B', { key: 'k', ports: ['TCP/443'], lbIP: '10.0.0.9' })
      await world.put('C', { key: 'k', ports: ['TCP/444'], lbIP: '10.0.0.9' })
      await world.put('B', { lbIP: '10.0.0.8' })
      world.shows({ A: '10.0.0.9', B: '10.0.0.8', C: '10.0.0.9' })
      await world.remove('A')
      world.shows({ C: '10.0.0.9' })
      assert.equal(world.controller.usage('p')!.assigned.ipv4, 2n)
    },
  ],
]

const hi = poolOf('hi', ['10.0.0.0/24'], pin({ ns: ['d'], prio: 1 }))
const lo = poolOf('lo', ['10.1.0.0/24', 'fd00::/112'], pin({ ns: ['d'], prio: 9 }))
const open = poolOf('o', ['10.2.0.0/24', 'fd02::/112'])

/** X takes .0 and goes, A is left on .1. */
async function secondInLine(world: ServiceWorld) {
  await fill(world, 'XA')
  await world.remove('X')
  world.said('A', assigned('10.0.0.1'))
}

const families5: Example[] = [
  [
    '81 one cluster IP, RequireDualStack',
    mixed,
    async world => {
      await world.put('A', { policy: 'RequireDualStack' })
      world.shows({ A: '' })
      world.said('A', 'Warning not enough clusterips Service requires dual stack but not enough clusterips [10.96.0.1]')
    },
  ],
  [
    '82 IPv4 first',
    [poolOf('p', ['fd00::/112', '10.0.0.0/24'])],
    grants(
      { cluster: ['fd01::1', '10.96.0.1'], families: ['IPv6', 'IPv4'], policy: 'RequireDualStack' },
      '10.0.0.0 fd00::',
    ),
  ],
  ['83 a pool each family', families, refuses(require2, 'no available IPs')],
  [
    '84 PreferDualStack takes one, and says once what is missing (D8)',
    families,
    async world => {
      await world.put('A', prefer2)
      await world.put('A')
      world.shows({ A: '10.0.0.0' })
      const missing = 'cannot assign additional IP in PreferDualStack: no available IPs in pool p4 for ipv6 IPFamily'
      world.said('A', assigned('10.0.0.0'), `Normal AdditionalAssignFailed ${missing}`)
    },
  ],
  ['85 the primary family', families, grants({ ...prefer2, families: ['IPv6', 'IPv4'] }, 'fd00::', 'p6')],
  [
    '86 both from one pool',
    families,
    refuses({ ...require2, pool: 'p4' }, 'no available IPs in pool p4 for dual IPFamily'),
  ],
  ['87 one from the requested pool', families, grants({ ...prefer2, pool: 'p6' }, 'fd00::', 'p6')],
  ['88 a dual pool beats a better one', [hi, lo], grants(prefer2, '10.1.0.0 fd00::', 'lo')],
  ['88 SingleStack', [hi, lo], grants({}, '10.0.0.0', 'hi')],
  ['88 RequireDualStack', [hi, lo], grants(require2, '10.1.0.0 fd00::', 'lo')],
  ['89 pinned pools are exhausted first', [hi, open], grants(prefer2, '10.0.0.0', 'hi')],
  ['89 RequireDualStack goes on to open pools', [hi, open], grants(require2, '10.2.0.0 fd02::', 'o')],
  [
    '90-91 one family is full, then free',
    [poolOf('p', ['10.0.0.1/32', 'fd00::1-fd00::9'])],
    async world => {
      await world.put('A')
      await world.put('C', prefer2)
      await world.put('B', require2)
      world.shows({ A: '10.0.0.1', B: '', C: 'fd00::1' })
      await world.remove('A')
      world.shows({ B: '', C: 'fd00::1 10.0.0.1' })
      world.said(
        'C',
        assigned('fd00::1'),
        'Normal AdditionalAssignFailed',
        'Normal IPAllocated Assigned additional IP "10.0.0.1"',
      )
    },
  ],
  [
    '92-93 the pool gains a family and loses it',
    p24,
    async world => {
      await world.put('A', prefer2)
      await world.pools(...mixed)
      world.shows({ A: '10.0.0.0 fd00::' })
      world.said(
        'A',
        assigned('10.0.0.0'),
        'Normal AdditionalAssignFailed',
        'Normal IPAllocated Assigned additional IP "fd00::"',
      )
      await world.pools(...p24)
      world.shows({ A: '10.0.0.0' })
      world.said('A', cleared('A', '["10.0.0.0" "fd00::"] is not allowed in config'), 'Normal AdditionalAssignFailed')
    },
  ],
  [
    '94-95 SingleStack, PreferDualStack and back keep the address (D3)',
    mixed,
    async world => {
      await secondInLine(world)
      await world.put('A', prefer2)
      world.shows({ A: '10.0.0.1 fd00::' })
      await world.put('A', { cluster: ['10.96.0.1'], policy: 'SingleStack' })
      world.shows({ A: '10.0.0.1' })
    },
  ],
  [
    '96 RequireDualStack keeps the address (D3)',
    mixed,
    async world => {
      await secondInLine(world)
      await world.put('A', require2)
      world.shows({ A: '10.0.0.1 fd00::' })
    },
  ],
  [
    '96 RequireDualStack goes elsewhere where the pool held cannot give both (D3)',
    [poolOf('a', ['10.0.0.0/24']), poolOf('b', ['10.1.0.0/24', 'fd00::/112'])],
    async world => {
      await world.put('A')
      await world.put('A', require2)
      world.shows({ A: '10.1.0.0 fd00::' })
    },
  ],
  [
    '97 PreferDualStack with one cluster IP is content (D4)',
    mixed,
    async world => {
      await world.put('A', { policy: 'PreferDualStack' })
      await world.put('A')
      world.shows({ A: '10.0.0.0' })
      world.said('A', assigned('10.0.0.0'))
      assert.equal(world.writes, 1)
    },
  ],
  ['98 two cluster IPs, no policy', mixed, refuses({ cluster: DUAL }, 'no available IPs')],
  [
    '99 one requested of two (D15)',
    mixed,
    async world => {
      await world.put('A', { ...prefer2, ips: '10.0.0.7', status: [{ ip: '10.0.0.7' }] })
      await world.put('A')
      world.shows({ A: '10.0.0.7 fd00::' })
      world.said('A', 'Normal IPAllocated Assigned additional IP "fd00::"')
    },
  ],
  [
    '100 an address of the wrong family',
    mixed,
    async world => {
      await world.put('A', { status: [{ ip: 'fd00::1' }] })
      world.shows({ A: '10.0.0.0' })
      world.said('A', assigned('10.0.0.0'))
    },
  ],
]

const lifecycle: Example[] = [
  [
    '101 the pool is renamed',
    p24,
    async world => {
      await world.put('A')
      world.said('A', assigned('10.0.0.0'))
      await world.pools(poolOf('new', ['10.0.0.0/24']))
      world.shows({ A: '10.0.0.0' })
      assert.equal(world.poolOf('A'), 'new')
      world.said('A')
      assert.equal(world.controller.usage('p'), undefined)
      assert.equal(world.controller.usage('new')!.assigned.ipv4, 1n)
    },
  ],
  [
    '102 the range shrinks',
    p24,
    async world => {
      await world.put('A')
      await world.pools(poolOf('p', ['10.0.0.1-10.0.0.9']))
      world.shows({ A: '10.0.0.1' })
      world.said('A', assigned('10.0.0.0'), cleared('A', '["10.0.0.0"] is not allowed in config'), assigned('10.0.0.1'))
    },
  ],
  [
    '103-104 all pools go and come back',
    p24,
    async world => {
      await fill(world, 'AB')
      await world.remove('A')
      world.said('B', assigned('10.0.0.1'))
      await world.pools()
      world.shows({ B: '' })
      world.said('B')
      await world.pools(...p24)
      world.shows({ B: '10.0.0.0' })
    },
  ],
  [
    '105-106 the pool is split, then the old one requested',
    p24,
    async world => {
      await world.put('B')
      await world.put('A', { lbIP: '10.0.0.200' })
      await world.pools(poolOf('lo', ['10.0.0.0/25']), poolOf('hi', ['10.0.0.128/25']))
      world.shows({ A: '10.0.0.200', B: '10.0.0.0' })
      assert.deepEqual([world.poolOf('A'), world.poolOf('B')], ['hi', 'lo'])
      for (const name of ['lo', 'hi']) {
        assert.equal(world.controller.usage(name)!.assigned.ipv4, 1n)
        assert.equal(world.controller.usage(name)!.available.ipv4, 127n)
      }
      await world.put('B', { pool: 'p' })
      world.shows({ B: '' })
      world.said('B', assigned('10.0.0.0'), failed('B', 'unknown pool "p"'))
    },
  ],
  [
    '107 avoidBuggyIPs is switched on',
    p24,
    async world => {
      await world.put('A')
      await world.pools(poolOf('p', ['10.0.0.0/24'], { avoidBuggyIPs: true }))
      world.shows({ A: '10.0.0.1' })
      world.said('A', assigned('10.0.0.0'), cleared('A', '["10.0.0.0"] is not allowed'), assigned('10.0.0.1'))
    },
  ],
  [
    '108 autoAssign is switched off',
    p24,
    async world => {
      await world.put('A')
      await world.pools(poolOf('p', ['10.0.0.0/24'], { autoAssign: false }))
      world.shows({ A: '10.0.0.0' })
    },
  ],
  [
    '109 the pool is pinned elsewhere',
    p24,
    async world => {
      await world.put('A')
      await world.pools(poolOf('p', ['10.0.0.0/24'], pin({ ns: ['zz'] })), poolOf('q', ['10.1.0.0/24']))
      world.shows({ A: '10.1.0.0' })
      world.said(
        'A',
        assigned('10.0.0.0'),
        cleared('A', 'pool p not compatible for ip assignment'),
        assigned('10.1.0.0'),
      )
    },
  ],
  [
    '111 LoadBalancer becomes ClusterIP, who waits is served',
    [poolOf('p', ['10.0.0.0/32'])],
    async world => {
      await fill(world, 'AB')
      world.said('A', assigned('10.0.0.0'))
      await world.put('A', { type: 'ClusterIP' })
      world.shows({ A: '', B: '10.0.0.0' })
      world.said('A')
    },
  ],
  [
    '112-114 others edit status and annotation',
    p24,
    async world => {
      await world.put('A')
      world.said('A', assigned('10.0.0.0'))
      await world.put('A', { status: [{ ip: '10.0.0.77' }] })
      world.shows({ A: '10.0.0.77' })
      world.said('A')
      await world.put('A', { status: [] })
      world.shows({ A: '10.0.0.0' })
      world.said('A', assigned('10.0.0.0'))
      await world.put('A', { annotations: { 'metallb.io/ip-allocated-from-pool': 'stale' } })
      world.said('A')
      assert.equal(world.poolOf('A'), 'p')
    },
  ],
  [
    '115 two of one family in the status',
    p24,
    async world => {
      await world.put('A', { status: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] })
      const error = 'IPFamilyForAddresses: same address family ["10.0.0.1" "10.0.0.2"]'
      const event = `Warning nolbIPsIPFamily Failed to retrieve LBIPs IPFamily for ["10.0.0.1" "10.0.0.2"]: ${error}`
      world.said('A', event, assigned('10.0.0.0'))
    },
  ],
  [
    '116 junk in the status',
    p24,
    async world => {
      await world.put('A', { status: [{ ip: 'junk' }] })
      const error = '["<nil>"]: IPFamilyForAddresses: Invalid address ["<nil>"]'
      world.said('A', `Warning nolbIPsIPFamily Failed to retrieve LBIPs IPFamily for ${error}`, assigned('10.0.0.0'))
      world.shows({ A: '10.0.0.0' })
    },
  ],
  ['117 only a hostname', p24, grants({ status: [{ hostname: 'lb.example' }] }, '10.0.0.0')],
  [
    '118 a ClusterIP Service with leftovers',
    p24,
    async world => {
      const annotations = { 'metallb.io/ip-allocated-from-pool': 'p' }
      await world.put('A', { type: 'ClusterIP', status: [{ ip: '1.2.3.4' }], annotations })
      world.shows({ A: '' })
    },
  ],
  [
    '119 ipMode is kept and nothing is written (D5)',
    p24,
    async world => {
      const annotations = { 'metallb.io/ip-allocated-from-pool': 'p' }
      await world.put('A', { status: [{ ip: '10.0.0.3', ipMode: 'VIP' }], annotations })
      assert.equal(world.writes, 0)
      await world.put('A', { ...prefer2, ...{ annotations } })
      await world.pools(...mixed)
      const ingress = [{ ip: '10.0.0.3', ipMode: 'VIP' }, { ip: 'fd00::' }]
      assert.deepEqual(world.resource('A').status?.loadBalancer?.ingress, ingress)
    },
  ],
  [
    '120 a foreign address',
    p24,
    async world => {
      await world.put('A', { status: [{ ip: '1.2.3.4' }] })
      world.shows({ A: '10.0.0.0' })
      world.said('A', cleared('A', '["1.2.3.4"] is not allowed in config'), assigned('10.0.0.0'))
    },
  ],
]

for (const [name, given, run] of [...basics, ...requested, ...pools, ...sharing, ...families5, ...lifecycle]) {
  test(`example ${name}`, async () => {
    const world = await ServiceWorld.of(given)
    await run(world)
    await world.controller.stop()
  })
}

/** Examples of section 5.7 that begin before the controller does. */
const starts: [name: string, pool: Pool, before: Record<string, string>, after: Record<string, string>][] = [
  ['121 the claim is first', poolOf('p', ['10.0.0.5/32']), { A: '', B: '10.0.0.5' }, { A: '', B: '10.0.0.5' }],
  [
    '122 two claims to one address: the oldest keeps it (D1)',
    poolOf('p', ['10.0.0.5-10.0.0.7']),
    { N: '', A: '10.0.0.5', B: '10.0.0.5' },
    { A: '10.0.0.5', B: '10.0.0.6', N: '10.0.0.7' },
  ],
  [
    '123 nobody else is moved (D1)',
    poolOf('p', ['10.0.0.5-10.0.0.9']),
    { A: '10.0.0.5', B: '10.0.0.5', C: '10.0.0.6' },
    { A: '10.0.0.5', B: '10.0.0.7', C: '10.0.0.6' },
  ],
  [
    '124 a lost address is replaced by a free one (D1)',
    poolOf('p', ['10.0.0.5-10.0.0.9']),
    { A: '172.16.0.1', C: '10.0.0.5' },
    { A: '10.0.0.6', C: '10.0.0.5' },
  ],
]

for (const [name, pool, before, after] of starts)
  test(`example ${name}`, async () => {
    const world = new ServiceWorld()
    for (const [service, ip] of Object.entries(before)) world.write(service, { status: ip ? [{ ip }] : [] })
    await world.settle()
    assert.equal(world.writes, 0) // 125: nothing is touched before a configuration is in force
    await world.pools(pool)
    world.shows(after)
    await world.controller.stop()
  })

test('example 126: a Service before the first configuration is counted, and served later', async () => {
  const world = new ServiceWorld()
  await world.put('A')
  assert.equal(world.metrics.series.get('metallb_k8s_client_updates_total'), 1)
  world.said('A')
  await world.pools(...p24)
  world.shows({ A: '10.0.0.0' })
})

test('examples 127-128: only Services of the class are served', async () => {
  for (const lbClass of ['', 'foo']) {
    const world = await ServiceWorld.of(p24, { lbClass })
    await world.put('A')
    await world.put('B', { cls: 'foo' })
    await world.put('C', { cls: 'bar' })
    world.shows({ A: lbClass === '' ? '10.0.0.0' : '', B: lbClass === 'foo' ? '10.0.0.0' : '', C: '' })
  }
})

test('example 129: a Service that is no longer ours gives its address back (D16)', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/32'])], { lbClass: 'foo' })
  await world.put('A', { cls: 'foo' })
  await world.put('B', { cls: 'foo' })
  await world.put('A', { cls: undefined, type: 'ClusterIP' })
  world.shows({ A: '', B: '10.0.0.0' })
  await world.put('B', { cls: 'other' })
  assert.equal(world.ips('B'), '10.0.0.0')
  assert.equal(world.poolOf('B'), undefined)
  assert.equal(world.controller.usage('p')!.services, 0)
})

test('example 130: deleting a Service that held nothing does nothing', async () => {
  const world = await ServiceWorld.of([], { conditions: false })
  await world.put('A')
  await world.remove('A')
  assert.equal(world.writes, 0)
})

test('example 139: a stale cache does not move a Service (D2)', async () => {
  const world = await ServiceWorld.of(three)
  await fill(world, 'AB')
  await world.remove('A')
  const stale = { ...world.resource('B'), status: {}, metadata: { ...world.resource('B').metadata, annotations: {} } }
  world.kube.put(services, stale)
  await world.settle()
  world.shows({ B: '10.0.0.1' }) // seen and then emptied: re-allocated as ever
})
