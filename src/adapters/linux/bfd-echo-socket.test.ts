import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress, parseMac } from '../../core/ip/index.ts'
import type { LivenessTarget, NetworkInterface } from '../../ports/index.ts'
import { anInterface } from '../../testing/fake-speaker.ts'
import { echoPath } from './bfd-echo-socket.ts'

const ip = (text: string) => parseAddress(text)!
const on = (index: number, name: string, ...texts: string[]): NetworkInterface =>
  anInterface(name, {
    index,
    mac: parseMac(`02:00:00:00:00:0${index}`)!,
    addresses: texts.map(text => ({ address: ip(text), length: 24 })),
  })
/** eth0 and eth1 are in one subnet; eth2 is a member of the VRF red. */
const INTERFACES = [
  { ...on(1, 'lo', '127.0.0.1'), mac: undefined },
  on(2, 'eth0', '192.0.2.10'),
  on(3, 'eth1', '192.0.2.11'),
  on(4, 'red'),
  on(5, 'eth2', '198.51.100.10'),
]

const CASES: [name: string, target: Partial<LivenessTarget>, device: string | undefined, local?: string][] = [
  ['the first in its subnet', { peer: ip('192.0.2.1') }, 'eth0', '192.0.2.10'],
  ['on the device', { peer: ip('192.0.2.1'), interface: 'eth1' }, 'eth1', '192.0.2.11'],
  ['from our address', { peer: ip('192.0.2.1'), local: ip('192.0.2.11') }, 'eth1', '192.0.2.11'],
  [
    'in a VRF, from our address',
    { peer: ip('198.51.100.1'), local: ip('198.51.100.10'), interface: 'red' },
    'eth2',
    '198.51.100.10',
  ],
  ['off the link', { peer: ip('203.0.113.1') }, undefined],
  ['from an address that is gone', { peer: ip('192.0.2.1'), local: ip('192.0.2.99') }, undefined],
]
for (const [name, target, device, local] of CASES)
  test(`the way of echo packets, ${name}: ${device}`, () => {
    const path = echoPath(INTERFACES, { peer: ip('192.0.2.1'), multihop: false, ...target })
    const expected = INTERFACES.find(one => one.name === device)
    assert.deepEqual(path, expected && { index: expected.index, mac: expected.mac, local: ip(local!) })
  })
