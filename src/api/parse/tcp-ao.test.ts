// Chapter 04 section 6.12: keys of TCP-AO.
import assert from 'node:assert/strict'
import { type Example, testExamples } from '../../testing/acceptance.ts'

const peer = (more = '') =>
  `{kind: BGPPeer, metadata: {name: tor1, annotations: {metallb.io/tcp-ao-secret: keys}},
    spec: {myASN: 64600, peerASN: 64700, peerAddress: 192.0.2.1${more}}}\n---\n`
const secret = (entries: string, type = 'metallb.io/tcp-ao') =>
  `{kind: Secret, type: ${type}, metadata: {name: keys}, stringData: {${entries}}}`

const accepted = (name: string, entries: string, keys: string[]): Example => ({
  name,
  yaml: peer() + secret(entries),
  accepted: ({ bgp }) =>
    assert.deepEqual(
      bgp!.peers[0]!.aoKeys?.map(key => `${key.sendId} ${key.receiveId} ${key.algorithm} ${key.secret}`),
      keys,
    ),
})

const refused = (name: string, yaml: string, why: string): Example => ({
  name,
  yaml,
  refused: [`metadata.annotations[metallb.io/tcp-ao-secret] parsing peer tor1 ${why}`],
})
const wrong = (name: string, entries: string, why: string) =>
  refused(name, peer() + secret(entries), `secret "keys": ${why}`)

testExamples([
  accepted('one key', 'key-1: a', ['1 1 hmac-sha-1-96 a']),
  accepted('the lowest number signs', 'key-10: b, key-2: a', ['2 2 hmac-sha-1-96 a', '10 10 hmac-sha-1-96 b']),
  accepted('another one signs', 'key-1: a, key-2: b, current: key-2', ['2 2 hmac-sha-1-96 b', '1 1 hmac-sha-1-96 a']),
  accepted('the router counts otherwise', 'key-1-101: a, algorithm: aes-128-cmac-96', ['1 101 aes-128-cmac-96 a']),
  accepted('the ends of the range', 'key-0: a, key-255: b', ['0 0 hmac-sha-1-96 a', '255 255 hmac-sha-1-96 b']),
  wrong('no key', 'password: a', 'it has no entry key-NUMBER'),
  wrong('no number', 'key-one: a', 'entry key-one must be key-NUMBER, of 0 to 255'),
  wrong('a number too high', 'key-256: a', 'entry key-256 must be key-NUMBER, of 0 to 255'),
  wrong('a number twice, sent', 'key-1: a, key-1-2: b', 'two keys have the number 1'),
  wrong('a number twice, received', 'key-1-3: a, key-2-3: b', 'two keys have the number 3'),
  wrong('an empty key', 'key-1: ""', 'entry key-1 is empty'),
  wrong('a long key', `key-1: ${'x'.repeat(81)}`, 'entry key-1 has 81 bytes, at most 80 are possible'),
  wrong('an unknown algorithm', 'key-1: a, algorithm: md5', 'algorithm must be one of hmac-sha-1-96, aes-128-cmac-96'),
  wrong('nobody signs', 'key-1: a, current: key-2', 'current must name one of key-1'),
  refused('no Secret', peer(), 'secret "keys" not found'),
  refused(
    'of another type',
    peer() + secret('key-1: a', 'Opaque'),
    'secret "keys" must be of type "metallb.io/tcp-ao"',
  ),
  refused('a password too', peer(', password: x') + secret('key-1: a'), 'TCP-AO and a password exclude each other'),
])
