import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TcpAoKey } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import type { PeerSecrets } from '../../ports/index.ts'
import { hex } from '../../testing/hex.ts'
import { SystemError } from './ffi.ts'
import { parseSignatureFaults } from './signature-faults.ts'
import { encodeAoAdd, encodeAoCurrent, encodeAoDelete, encodeMd5, Signatures } from './tcp-signature.ts'

const PEER = parseAddress('192.0.2.1')!
const PEER6 = parseAddress('2001:db8::1')!
const KEY: TcpAoKey = { sendId: 1, receiveId: 101, algorithm: 'hmac-sha-1-96', secret: 'secret' }
const NEXT: TcpAoKey = { sendId: 2, receiveId: 102, algorithm: 'aes-128-cmac-96', secret: 'other' }
const zeros = (count: number) => '00'.repeat(count)

// As on little-endian machines, which all that we build for are.
const STRUCTS: [name: string, bytes: Uint8Array, wanted: Uint8Array][] = [
  [
    'tcp_md5sig',
    encodeMd5(PEER, 'secret'),
    hex`
    0200 0000 c0000201 ${zeros(120)}  # AF_INET, port 0, address, rest of sockaddr_storage
    00 00 0600 00000000               # flags, prefix length, key length, interface
    736563726574 ${zeros(74)}`,
  ],
  [
    'tcp_ao_add, current',
    encodeAoAdd(PEER, KEY, true),
    hex`
    0200 0000 c0000201 ${zeros(120)}
    686d6163287368613129 ${zeros(54)} # hmac(sha1)
    00000000 03000000 0000            # interface, set_current and set_rnext, reserved
    20 01 65 0c 00 06                 # prefix, SendID, RecvID, MAC length, flags, key length
    736563726574 ${zeros(74)}`,
  ],
  [
    'tcp_ao_add over IPv6, one more key',
    encodeAoAdd(PEER6, NEXT, false),
    hex`
    0a00 0000 00000000 20010db8000000000000000000000001 00000000 ${zeros(100)}
    636d61632861657331323829 ${zeros(52)} # cmac(aes128)
    00000000 00000000 0000
    80 02 66 0c 00 05
    6f74686572 ${zeros(75)}`,
  ],
  [
    'tcp_ao_del',
    encodeAoDelete(PEER, KEY),
    hex`
    0200 0000 c0000201 ${zeros(120)}
    00000000 00000000 0000            # interface, flags, reserved
    20 01 65                          # prefix, SendID, RecvID
    00 00 00`,
  ],
  ['tcp_ao_info_opt', encodeAoCurrent(KEY), hex`03000000 0000 01 65 ${zeros(40)}`],
]
for (const [name, bytes, wanted] of STRUCTS)
  test(`struct ${name}`, () => assert.deepEqual(new Uint8Array(bytes), new Uint8Array(wanted)))

const NAMES: Readonly<Record<number, string>> = { 14: 'md5', 38: 'add', 39: 'delete', 40: 'current' }

/** What a socket was told: the option, and of the key its numbers. */
function recorded(listens: boolean, inherited?: PeerSecrets[]): { signatures: Signatures; told: string[] } {
  const told: string[] = []
  const set = (name: number, value: Uint8Array) => {
    const where = name === 38 ? 203 : name === 39 ? 139 : 6
    const current = name === 38 && value[196] !== 0 ? ' current' : ''
    told.push(name === 14 ? `md5 of ${value[130]} bytes` : `${NAMES[name]} ${value[where]}${current}`)
  }
  return { signatures: new Signatures(set, listens, inherited), told }
}

const STEPS: [name: string, before: Partial<PeerSecrets>, after: Partial<PeerSecrets>, told: string[]][] = [
  ['nothing', {}, {}, []],
  ['the same', { md5Password: 'a' }, { md5Password: 'a' }, []],
  ['a new password', { md5Password: 'a' }, { md5Password: 'other' }, ['md5 of 5 bytes']],
  ['no password any more', { md5Password: 'a' }, {}, ['md5 of 0 bytes']],
  ['two keys, the first signs', {}, { aoKeys: [KEY, NEXT] }, ['add 1 current', 'add 2']],
  ['the next key joins', { aoKeys: [KEY] }, { aoKeys: [KEY, NEXT] }, ['add 2', 'current 1']],
  ['the next key signs', { aoKeys: [KEY, NEXT] }, { aoKeys: [NEXT, KEY] }, ['current 2']],
  ['the old key goes', { aoKeys: [NEXT, KEY] }, { aoKeys: [NEXT] }, ['current 2', 'delete 1']],
  ['all at once', { aoKeys: [KEY] }, { aoKeys: [NEXT] }, ['add 2 current', 'delete 1']],
  ['another secret', { aoKeys: [KEY] }, { aoKeys: [{ ...KEY, secret: 'x' }] }, ['delete 1', 'add 1 current']],
]
for (const [name, before, after, wanted] of STEPS)
  test(`steps to other keys: ${name}`, () => {
    const { signatures, told } = recorded(false, [{ address: PEER, ...before }])
    assert.deepEqual(signatures.replace([{ address: PEER, ...after }]), [])
    assert.deepEqual(told, wanted)
  })

test('a listener has keys of many peers, none of them current, and forgets those of peers that are gone', () => {
  const { signatures, told } = recorded(true)
  signatures.replace([
    { address: PEER, md5Password: 'a' },
    { address: PEER6, aoKeys: [KEY, NEXT] },
  ]) // prettier-ignore
  signatures.replace([{ address: PEER6, aoKeys: [NEXT, KEY] }])
  assert.deepEqual(told, ['md5 of 1 bytes', 'add 1', 'add 2', 'md5 of 0 bytes'])
  assert.deepEqual([signatures.of(PEER), signatures.of(PEER6)?.aoKeys?.[0]], [undefined, NEXT])
})

test('a kernel that cannot says what it lacks, and the keys of other peers are set all the same', () => {
  const told: number[] = []
  const set = (name: number) => {
    if (name === 38) throw new SystemError('setsockopt', 92)
    told.push(name)
  }
  const signatures = new Signatures(set, true)
  const problems = signatures.replace([
    { address: PEER, aoKeys: [KEY] },
    { address: PEER6, md5Password: 'a' },
  ])
  assert.deepEqual(problems, ['keys of 192.0.2.1: the kernel has no TCP-AO (Linux 6.7 with CONFIG_TCP_AO)'])
  assert.deepEqual(told, [14])
  assert.doesNotMatch(problems.join(), /secret/)
})

const NETSTAT = `TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPAORequired TCPAOBad TCPAOKeyNotFound
TcpExt: 9 1 2 3 10 20 30
IpExt: InNoRoutes TCPMD5Failure
IpExt: 7 99
`
const COUNTS: [name: string, text: string, faults: number[]][] = [
  ['with TCP-AO', NETSTAT, [11, 32, 23]],
  ['without', NETSTAT.replaceAll(/ TCPAO\w+/g, '').replace(' 10 20 30', ''), [1, 2, 3]],
  ['none at all', '', [0, 0, 0]],
]
for (const [name, text, wanted] of COUNTS)
  test(`/proc/net/netstat: ${name}`, () => {
    const { missing, unexpected, wrong } = parseSignatureFaults(text)
    assert.deepEqual([missing, unexpected, wrong], wanted)
  })
