// Chapter 01 section 6.C.
import assert from 'node:assert/strict'
import { testExamples } from '../../testing/acceptance.ts'

const profile = (name: string, spec: string) => `{kind: BFDProfile, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`
const peer = (name: string, address: string, more = '') =>
  `{kind: BGPPeer, metadata: {name: ${name}}, spec: {myASN: 64600, peerASN: 64700, peerAddress: ${address}${more}}}\n---\n`
const SIX = '{kind: IPAddressPool, metadata: {name: six}, spec: {addresses: ["2001:db8:a::/120"]}}\n---\n'
const ECHO = profile('echoy', 'echoMode: true') + peer('tor6', '192.0.2.1', ', bfdProfile: echoy')

testExamples([
  {
    name: '54 defaults stay unset',
    yaml: profile('calm', 'passiveMode: true'),
    accepted: config =>
      assert.deepEqual(config.bgp!.bfdProfiles, [
        {
          name: 'calm',
          receiveIntervalMs: undefined,
          transmitIntervalMs: undefined,
          detectMultiplier: undefined,
          echoIntervalMs: undefined,
          echoMode: false,
          passiveMode: true,
          minimumTtl: undefined,
        },
      ]),
  },
  {
    name: '55 a multiplier that is too small',
    yaml: profile('aa', '') + profile('zz', 'detectMultiplier: 1'),
    refused: [
      'spec.detectMultiplier parsing bfd profile "zz": invalid detect multiplier value: invalid value 1, must be in 2-255 range',
    ],
  },
  {
    name: '56 a minimum TTL that is too high',
    yaml: profile('far', 'minimumTtl: 255'),
    refused: [
      'spec.minimumTtl parsing bfd profile "far": invalid minimum ttl value: invalid value 255, must be in 1-254 range',
    ],
  },
  {
    name: '57 every bad field',
    yaml: profile('multi', 'receiveInterval: 5, echoInterval: 70000'),
    refused: [
      'spec.receiveInterval parsing bfd profile "multi": invalid receive interval value: invalid value 5, must be in 10-60000 range',
      'spec.echoInterval parsing bfd profile "multi": invalid echo interval value: invalid value 70000, must be in 10-60000 range',
    ],
  },
  {
    name: '58 echo together with an IPv6 pool',
    yaml: `${ECHO + SIX}{kind: BGPAdvertisement, metadata: {name: out}, spec: {}}`,
    refused: [
      'spec.bfdProfile pool six has bgpadvertisement out which references peer tor6 which has bfd echo enabled, which is not possible',
    ],
  },
  {
    name: '59 echo with an IPv6 pool, announced to another peer',
    yaml: `${ECHO + peer('tor7', '192.0.2.2') + SIX}{kind: BGPAdvertisement, metadata: {name: out}, spec: {peers: [tor7]}}`,
    accepted: config => assert.equal(config.bgp!.peers.length, 2),
  },
  {
    name: 'echo with an IPv4 pool',
    yaml: `${ECHO + SIX.replace('2001:db8:a::/120', '172.20.8.0/24')}{kind: BGPAdvertisement, metadata: {name: out}}`,
    accepted: config => assert.equal(config.bgp!.peers.length, 1),
  },
  {
    name: '60 two profiles, only one referenced',
    yaml:
      profile('two', 'transmitInterval: 60000') +
      profile('one', 'receiveInterval: 10') +
      peer('tor1', '192.0.2.1', ', bfdProfile: two'),
    accepted: config =>
      assert.deepEqual(
        config.bgp!.bfdProfiles.map(({ name }) => name),
        ['one', 'two'],
      ),
  },
])
