// Chapter 01 section 6.B.
import assert from 'node:assert/strict'
import type { Config, Peer, Problem } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import { type Example, snapshotOfYaml, testExamples } from '../../testing/acceptance.ts'
import { parseConfig } from './index.ts'

const BASE = 'myASN: 64600, peerASN: 64700, peerAddress: 192.0.2.1'

const peer = (spec: string, name = 'tor1') => `{kind: BGPPeer, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`

const secret = (more: string) => `{kind: Secret, metadata: {name: bgp-auth}, ${more}}`

const refused = (name: string, spec: string, ...texts: string[]): Example => ({
  name,
  yaml: peer(spec),
  refused: texts,
})

/** Accepted, and the first peer has these fields. */
function accepted(name: string, yaml: string, fields: Partial<Peer>, warnings: string[] = []): Example {
  return {
    name,
    yaml,
    accepted: (config: Config, given: readonly Problem[]) => {
      const first = config.bgp!.peers[0]!
      for (const [field, value] of Object.entries(fields)) assert.deepEqual(first[field as keyof Peer], value, field)
      assert.deepEqual(
        given.map(({ path, message }) => `${path} ${message}`),
        warnings,
      )
    },
  }
}

const withTtlSecurity = (value: string) =>
  `{kind: BGPPeer, metadata: {name: tor1, annotations: {metallb.io/ttl-security: '${value}'}}, spec: {${BASE}}}\n---\n`

const LONG_LIVED = 'metallb.io/long-lived-graceful-restart'
const ROLE = 'metallb.io/bgp-role'
const ADD_PATH = 'metallb.io/add-path'
const RESTARTS = ', enableGracefulRestart: true'

const withAnnotation = (name: string, value: string, more = '') =>
  `{kind: BGPPeer, metadata: {name: tor1, annotations: {${name}: '${value}'}}, spec: {${BASE}${more}}}\n---\n`

testExamples([
  accepted('TTL security, one hop', withTtlSecurity('1'), { ttlSecurityHops: 1 }),
  accepted('TTL security, the most', withTtlSecurity('254'), { ttlSecurityHops: 254 }),
  ...['0', '255', 'yes', '-1', ''].map(value => ({
    name: `TTL security of '${value}'`,
    yaml: withTtlSecurity(value),
    refused: [
      `metadata.annotations[metallb.io/ttl-security] parsing peer tor1 invalid number "${value}", must be from 1 to 254`,
    ],
  })),
  accepted('long-lived graceful restart', withAnnotation(LONG_LIVED, '16777215', RESTARTS), {
    gracefulRestart: true,
    longLivedStaleSeconds: 16_777_215,
  }),
  ...['0', '16777216', '1h'].map(value => ({
    name: `long-lived graceful restart of '${value}'`,
    yaml: withAnnotation(LONG_LIVED, value, RESTARTS),
    refused: [
      `metadata.annotations[${LONG_LIVED}] parsing peer tor1 invalid number "${value}", must be from 1 to 16777215`,
    ],
  })),
  {
    name: 'long-lived graceful restart without graceful restart',
    yaml: withAnnotation(LONG_LIVED, '3600'),
    refused: [`metadata.annotations[${LONG_LIVED}] parsing peer tor1 has no meaning without enableGracefulRestart`],
  },
  accepted('add-path, one path', withAnnotation(ADD_PATH, '1'), { maxPaths: 1 }),
  accepted('add-path, the most', withAnnotation(ADD_PATH, '64'), { maxPaths: 64 }),
  ...['0', '65', 'all', ''].map(value => ({
    name: `add-path of '${value}'`,
    yaml: withAnnotation(ADD_PATH, value),
    refused: [`metadata.annotations[${ADD_PATH}] parsing peer tor1 invalid number "${value}", must be from 1 to 64`],
  })),
  ...(['provider', 'rs', 'rs-client', 'customer', 'peer'] as const).map(role =>
    accepted(`role ${role}`, withAnnotation(ROLE, role), { role }),
  ),
  {
    name: 'a role that nobody has',
    yaml: withAnnotation(ROLE, 'boss'),
    refused: [
      `metadata.annotations[${ROLE}] parsing peer tor1 invalid role "boss", must be one of provider, rs, rs-client, customer, peer`,
    ],
  },
  ...['peerASN: 64600', 'dynamicASN: internal', 'peerASN: 64700, localASN: 64700'].map(ases => ({
    name: `a role within the AS: ${ases}`,
    yaml: withAnnotation(ROLE, 'customer').replace('peerASN: 64700', ases),
    refused: [`metadata.annotations[${ROLE}] parsing peer tor1 has no meaning for a peer of the same AS`],
  })),
  accepted('passive', withAnnotation('metallb.io/passive', 'true'), { passive: true }),
  accepted('not passive', withAnnotation('metallb.io/passive', 'false'), { passive: undefined }),
  {
    name: 'passive, perhaps',
    yaml: withAnnotation('metallb.io/passive', 'yes'),
    refused: [
      'metadata.annotations[metallb.io/passive] parsing peer tor1 invalid value "yes", must be "true" or "false"',
    ],
  },
  ...(
    [
      ['of 81 bytes', 'x'.repeat(81), 'has 81 bytes, at most 80 are possible'],
      ['of 27 characters and 81 bytes', '€'.repeat(27), 'has 81 bytes, at most 80 are possible'],
      ['with a line break', '"s\\n"', 'contains a line break'],
    ] as const
  ).map(([name, password, why]) =>
    accepted(`109 a password ${name} is warned of`, peer(`${BASE}, password: ${password}`), { name: 'tor1' }, [
      `spec.password the password ${why}: there will be no session`,
    ]),
  ),
  accepted('109 a password of 80 bytes', peer(`${BASE}, password: ${'x'.repeat(80)}`), { name: 'tor1' }),
  {
    name: '24 a minimal peer',
    yaml: peer(BASE),
    accepted: config =>
      assert.deepEqual(config.bgp!.peers, [
        {
          name: 'tor1',
          myAsn: 64600,
          remoteAs: 64700,
          endpoint: { address: { family: 'ipv4', value: 0xc0000201n } },
          port: 179,
          nodeSelectors: [],
          gracefulRestart: false,
          ebgpMultiHop: false,
          disableMP: false,
          dualStackAddressFamily: false,
        },
      ]),
  },
  refused('25 local ASN zero', BASE.replace('64600', '0'), 'spec.myASN parsing peer tor1 missing local ASN'),
  refused(
    '26 no remote ASN at all',
    'myASN: 64600, peerAddress: 192.0.2.1',
    'spec.peerASN parsing peer tor1 missing peer ASN and dynamicASN',
  ),
  refused(
    '27 both kinds of remote ASN',
    `${BASE}, dynamicASN: external`,
    'spec.dynamicASN parsing peer tor1 both peer ASN and dynamicASN specified',
  ),
  refused(
    'an unknown dynamicASN',
    'myASN: 64600, dynamicASN: both, peerAddress: 192.0.2.1',
    'spec.dynamicASN parsing peer tor1 invalid dynamicASN both',
  ),
  refused(
    '28 multihop on an iBGP peer',
    `${BASE.replace('64700', '64600')}, ebgpMultiHop: true`,
    'spec.ebgpMultiHop parsing peer tor1 invalid ebgp-multihop parameter set for an ibgp peer',
  ),
  refused(
    '29 neither address nor interface',
    'myASN: 64600, peerASN: 64700',
    'spec.peerAddress parsing peer tor1 peer has no Address or Interface specified',
  ),
  refused(
    '30 address and interface',
    `${BASE}, interface: ens7`,
    'spec.interface parsing peer tor1 peer has both Address and Interface specified',
  ),
  refused(
    '31 a host name',
    BASE.replace('192.0.2.1', 'router.example'),
    'spec.peerAddress parsing peer tor1 invalid BGPPeer address "router.example"',
  ),
  refused('32 a bad router ID', `${BASE}, routerID: "7"`, 'spec.routerID parsing peer tor1 invalid router ID "7"'),
  refused(
    '33 a bad source address',
    `${BASE}, sourceAddress: 192.0.2.300`,
    'spec.sourceAddress parsing peer tor1 invalid source IP "192.0.2.300"',
  ),
  accepted('34 hold time only: keepalive is a third', peer(`${BASE}, holdTime: 100s`), {
    holdMs: 100_000,
    keepaliveMs: 33_333.333333,
  }),
  accepted('35 keepalive only: hold time is three times', peer(`${BASE}, keepaliveTime: 7s`), {
    holdMs: 21_000,
    keepaliveMs: 7000,
  }),
  refused(
    '36 hold time below three seconds',
    `${BASE}, holdTime: 2900ms`,
    'spec.holdTime parsing peer tor1 invalid BGPPeer timers: invalid hold time "2.9s": must be 0 or >=3s',
  ),
  accepted('37 a sub-second hold time passes as zero', peer(`${BASE}, holdTime: 900ms`), {
    holdMs: 900,
    keepaliveMs: 300,
  }),
  refused(
    '38 keepalive only, too small',
    `${BASE}, keepaliveTime: 600ms`,
    'spec.holdTime parsing peer tor1 invalid BGPPeer timers: invalid hold time "nil": must be 0 or >=3s',
  ),
  refused(
    '39 keepalive above hold time',
    `${BASE}, holdTime: 30s, keepaliveTime: 95s`,
    'spec.keepaliveTime parsing peer tor1 invalid BGPPeer timers: invalid keepaliveTime "1m35s", must be lower than holdTime "30s"',
  ),
  refused(
    'a negative keepalive time',
    `${BASE}, holdTime: 30s, keepaliveTime: -1s`,
    'spec.keepaliveTime parsing peer tor1 invalid BGPPeer timers: invalid keepaliveTime "-1s", must be lower than holdTime "30s"',
  ),
  accepted('40 both timers zero', peer(`${BASE}, holdTime: 0s, keepaliveTime: 0s`), { holdMs: 0, keepaliveMs: 0 }),
  accepted('equal timers', peer(`${BASE}, holdTime: 9s, keepaliveTime: 9s`), { holdMs: 9000, keepaliveMs: 9000 }),
  accepted('no timers', peer(BASE), { holdMs: undefined, keepaliveMs: undefined }),
  refused(
    'a duration that is none',
    `${BASE}, holdTime: soon`,
    'spec.holdTime parsing peer tor1 invalid duration "soon"',
  ),
  refused(
    '41 duplicate node selectors',
    `${BASE}, nodeSelectors: [{matchLabels: {rack: r1}}, {matchLabels: {rack: r1}}]`,
    'spec.nodeSelectors[0] parsing peer tor1 duplicate definition of nodeSelectors "rack=r1"',
  ),
  refused(
    '42 a requirement twice',
    `${BASE}, nodeSelectors: [{matchExpressions: [{key: rack, operator: Exists}, {key: rack, operator: Exists}]}]`,
    'spec.nodeSelectors[0].matchExpressions[0] parsing peer tor1 duplicate definition of match expressions "rack"',
  ),
  refused(
    '43 a value twice',
    `${BASE}, nodeSelectors: [{matchExpressions: [{key: rack, operator: In, values: [r2, r1, r2]}]}]`,
    'spec.nodeSelectors[0].matchExpressions[0].values parsing peer tor1 duplicate definition of match expression value in label selector "r2"',
  ),
  refused(
    '193 a node selector that cannot be used (REF-BUG 11)',
    `${BASE}, nodeSelectors: [{matchExpressions: [{key: r, operator: Near}]}]`,
    'spec.nodeSelectors[0].matchExpressions[0].operator parsing peer tor1 failed to convert peer tor1 node selector "r Near ()": "Near" is not a valid label selector operator',
  ),
  refused(
    '44 password and secret together',
    `${BASE}, password: pw, passwordSecret: {name: bgp-auth}`,
    'spec.passwordSecret parsing peer tor1 can not have both password and secret ref set in peer config "metallb-system"/"tor1"',
  ),
  refused(
    '45 no such secret',
    `${BASE}, passwordSecret: {name: bgp-auth}`,
    'spec.passwordSecret parsing peer tor1 failed to parse peer tor1 password secret: secret ref not found for peer config "metallb-system"/"tor1"',
  ),
  {
    name: '46 a secret of the wrong type',
    yaml: peer(`${BASE}, passwordSecret: {name: bgp-auth}`) + secret('type: Opaque, stringData: {password: s3cr}'),
    refused: [
      'spec.passwordSecret parsing peer tor1 failed to parse peer tor1 password secret: secret type mismatch on "metallb-system"/"bgp-auth", type "kubernetes.io/basic-auth" is expected',
    ],
  },
  {
    name: '47 a secret without the password key',
    yaml:
      peer(`${BASE}, passwordSecret: {name: bgp-auth}`) +
      secret('type: kubernetes.io/basic-auth, stringData: {username: u}'),
    refused: [
      'spec.passwordSecret parsing peer tor1 failed to parse peer tor1 password secret: password not specified in the secret "metallb-system"/"bgp-auth"',
    ],
  },
  accepted(
    '48 the namespace of the reference is ignored',
    peer(`${BASE}, passwordSecret: {name: bgp-auth, namespace: elsewhere}`) +
      secret('type: kubernetes.io/basic-auth, data: {password: czNjcsO8}'),
    { password: 's3crü', passwordSecret: { name: 'bgp-auth', namespace: 'elsewhere' } },
  ),
  {
    name: 'a secret that is not text',
    yaml:
      peer(`${BASE}, passwordSecret: {name: bgp-auth}`) +
      secret('type: kubernetes.io/basic-auth, data: {password: "/w=="}'),
    refused: [/password in the secret "metallb-system"\/"bgp-auth" is not text$/],
  },
  refused(
    '50 an unknown BFD profile',
    `${BASE}, bfdProfile: fast`,
    'spec.bfdProfile peer tor1 referencing non existing bfd profile fast',
  ),
  accepted(
    '51 an IPv6 router ID is taken and not used (REF-BUG 20)',
    peer(`${BASE}, routerID: "2001:db8::5"`),
    { routerId: undefined },
    ['spec.routerID parsing peer tor1 router ID "2001:db8::5" is not an IPv4 address and is not used'].map(text =>
      text.replace('parsing peer tor1 ', ''),
    ),
  ),
  accepted(
    '52 the multihop rule does not look at dynamicASN (REF-BUG 21: a warning)',
    peer('myASN: 64600, dynamicASN: internal, peerAddress: 192.0.2.1, ebgpMultiHop: true'),
    { remoteAs: 'internal', ebgpMultiHop: true },
    ['spec.ebgpMultiHop has no effect for a peer of the same AS'],
  ),
  refused(
    '53 an address with a zone',
    BASE.replace('192.0.2.1', '"fe80::1%ens7"'),
    'spec.peerAddress parsing peer tor1 invalid BGPPeer address "fe80::1%ens7"',
  ),
  {
    name: '127 everything wrong with a peer is told',
    yaml: `${peer('myASN: 0, routerID: x, connectTime: 1500ms', 'p1')}{kind: IPAddressPool, metadata: {name: x}, spec: {addresses: [nope]}}`,
    refused: [
      'spec.myASN parsing peer p1 missing local ASN',
      'spec.peerASN parsing peer p1 missing peer ASN and dynamicASN',
      'spec.peerAddress parsing peer p1 peer has no Address or Interface specified',
      'spec.connectTime parsing peer p1 connect time should contain a whole number of seconds',
      'spec.routerID parsing peer p1 invalid router ID "x"',
      /^spec\.addresses\[0\] parsing address pool x/,
    ],
  },
  accepted(
    'a v1beta1 peer in a file is converted: its zero timers are none (REF-BUG 2)',
    `{apiVersion: metallb.io/v1beta1, ${peer(`${BASE}, holdTime: 90s, keepaliveTime: 0s`).slice(1)}`,
    { holdMs: 90_000, keepaliveMs: 30_000 },
  ),
  {
    name: 'a peer without spec has no local ASN',
    yaml: '{kind: BGPPeer, metadata: {name: tor1}}',
    refused: [/missing local ASN$/, /missing peer ASN and dynamicASN$/, /no Address or Interface specified$/],
  },
  {
    name: 'numbers out of their bounds',
    yaml: peer(`${BASE.replace('64700', '4294967296')}, peerPort: 20000, localASN: 0`),
    refused: [
      'spec.peerASN invalid value 4294967296, must be in 0-4294967295 range',
      'spec.localASN invalid value 0, must be in 1-4294967295 range',
      'spec.peerPort invalid value 20000, must be in 1-16384 range',
    ],
  },
])

const yaml49 = peer(`${BASE}, passwordSecret: {name: bgp-auth}`)
testExamples(
  [
    accepted('49 passed through, a secret is not looked up', yaml49, {
      password: undefined,
      passwordSecret: { name: 'bgp-auth' },
    }),
  ],
  snapshot => parseConfig(snapshot, { mode: 'frr-k8s', secretPassThrough: true }),
)

const RACKS = `{kind: Node, metadata: {name: n1, labels: {rack: r1}}}
---
{kind: Node, metadata: {name: n2, labels: {rack: r2}}}
---
`
const forRack2 = RACKS + peer(`${BASE.replace('192.0.2.1', 'oops')}, nodeSelectors: [{matchLabels: {rack: r2}}]`, 'p1')

testExamples(
  [
    {
      name: '130 a broken peer for another node is not seen',
      yaml: forRack2,
      accepted: config => assert.deepEqual(config.bgp!.peers, []),
    },
  ],
  snapshot => parseConfig(snapshot, { node: 'n1' }),
)
testExamples(
  [
    {
      name: '131 the same peer on its own node',
      yaml: forRack2,
      refused: ['spec.peerAddress parsing peer p1 invalid BGPPeer address "oops"'],
    },
  ],
  snapshot => parseConfig(snapshot, { node: 'n2' }),
)

testExamples(
  [
    {
      name: 'a source address in frr-k8s mode is warned about (decision 8)',
      yaml: peer(`${BASE}, sourceAddress: 192.0.2.9`),
      accepted: (config, warnings) => {
        assert.equal(formatAddress(config.bgp!.peers[0]!.sourceAddress!), '192.0.2.9')
        assert.deepEqual(
          warnings.map(({ path }) => path),
          ['spec.sourceAddress'],
        )
      },
    },
  ],
  snapshot => parseConfig(snapshot, { mode: 'frr-k8s' }),
)

// What may still appear is marked (section 2.11).
const missing = parseConfig(snapshotOfYaml(peer(`${BASE}, bfdProfile: fast, passwordSecret: {name: later}`)))
assert.ok('problems' in missing)
assert.deepEqual(
  missing.problems.map(({ transient }) => transient),
  [true, true],
)
