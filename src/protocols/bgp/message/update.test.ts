import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfRib } from '../../../testing/end-of-rib.ts'
import { hex } from '../../../testing/hex.ts'
import type { FaultApproach } from '../attribute/index.ts'
import type { BgpErrorCode } from '../errors.ts'
import { PLAIN_WIRE } from '../wire.ts'
import { decodeMessage, endOfRibUpdate, prefixCount, type Update } from './index.ts'

const internal = { ...PLAIN_WIRE, internal: true }
const ORIGIN = '40010100'
const PATH = '40020602010000fbf4'
const HOP = '400304c000020a'
const PREF = '40050400000064'
const GOOD = ORIGIN + PATH + HOP

/** Attributes of an UPDATE that announces 203.0.113.7/32, and what RFC 7606 makes of them. */
const faults: [
  name: string,
  attributes: string,
  approach: FaultApproach,
  code: BgpErrorCode,
  wire?: typeof internal,
][] = [
  ['ORIGIN 3', `40010103 ${PATH} ${HOP}`, 'treat as withdraw', 'INVALID_ORIGIN'],
  ['ORIGIN of two bytes', `4001020000 ${PATH} ${HOP}`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['ORIGIN said to be optional', `c0010100 ${PATH} ${HOP}`, 'treat as withdraw', 'ATTRIBUTE_FLAGS'],
  ['AS_PATH with a segment of type 5', `${ORIGIN} 40020605010000fbf4 ${HOP}`, 'treat as withdraw', 'MALFORMED_AS_PATH'],
  ['AS_PATH with an empty segment', `${ORIGIN} 4002020200 ${HOP}`, 'treat as withdraw', 'MALFORMED_AS_PATH'],
  ['AS_PATH with a segment too long', `${ORIGIN} 40020602020000fbf4 ${HOP}`, 'treat as withdraw', 'MALFORMED_AS_PATH'],
  ['AS_PATH with one byte to spare', `${ORIGIN} 40020702010000fbf402 ${HOP}`, 'treat as withdraw', 'MALFORMED_AS_PATH'],
  ['NEXT_HOP of 3 bytes', `${ORIGIN} ${PATH} 400303c00002`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['MED of 3 bytes', `${GOOD} 800403000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['COMMUNITIES of 5 bytes', `${GOOD} c008050000000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['no COMMUNITIES in the attribute', `${GOOD} c00800`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['EXTENDED COMMUNITIES of 9 bytes', `${GOOD} c01009000000000000000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['LARGE COMMUNITIES of 4 bytes', `${GOOD} c0200400000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['ONLY_TO_CUSTOMER of 3 bytes', `${GOOD} c02303000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH'],
  ['unknown, but well-known', `${GOOD} 406300`, 'treat as withdraw', 'UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE'],
  ['no ORIGIN', `${PATH} ${HOP}`, 'treat as withdraw', 'MISSING_WELL_KNOWN_ATTRIBUTE'],
  ['no AS_PATH', `${ORIGIN} ${HOP}`, 'treat as withdraw', 'MISSING_WELL_KNOWN_ATTRIBUTE'],
  ['no NEXT_HOP', `${ORIGIN} ${PATH}`, 'treat as withdraw', 'MISSING_WELL_KNOWN_ATTRIBUTE'],
  ['no LOCAL_PREF, internal', GOOD, 'treat as withdraw', 'MISSING_WELL_KNOWN_ATTRIBUTE', internal],
  ['LOCAL_PREF of 3 bytes, internal', `${GOOD} 400503000064`, 'treat as withdraw', 'ATTRIBUTE_LENGTH', internal],
  ['ORIGINATOR_ID of 3, internal', `${GOOD} ${PREF} 800903000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH', internal],
  ['CLUSTER_LIST of 3, internal', `${GOOD} ${PREF} 800a03000000`, 'treat as withdraw', 'ATTRIBUTE_LENGTH', internal],
  ['an attribute that overruns the field', `${GOOD} c00810fbf4`, 'treat as withdraw', 'MALFORMED_ATTRIBUTE_LIST'],
  ['an attribute without a length', `${GOOD} c008`, 'treat as withdraw', 'MALFORMED_ATTRIBUTE_LIST'],
  ['LOCAL_PREF, external', `${GOOD} ${PREF}`, 'attribute discard', 'MALFORMED_ATTRIBUTE_LIST'],
  ['ORIGINATOR_ID, external', `${GOOD} 800904c0000201`, 'attribute discard', 'MALFORMED_ATTRIBUTE_LIST'],
  ['CLUSTER_LIST, external', `${GOOD} 800a04c0000201`, 'attribute discard', 'MALFORMED_ATTRIBUTE_LIST'],
  ['AGGREGATOR of 6 bytes', `${GOOD} c00706fbf4c0000201`, 'attribute discard', 'ATTRIBUTE_LENGTH'],
  ['ATOMIC_AGGREGATE of one byte', `${GOOD} 40060100`, 'attribute discard', 'ATTRIBUTE_LENGTH'],
  ['AS4_PATH malformed', `${GOOD} c011020200`, 'attribute discard', 'MALFORMED_AS_PATH'],
  ['AS4_AGGREGATOR of 4 bytes', `${GOOD} c01204c0000201`, 'attribute discard', 'ATTRIBUTE_LENGTH'],
  ['NEXT_HOP twice', `${GOOD} ${HOP}`, 'attribute discard', 'MALFORMED_ATTRIBUTE_LIST'],
]

for (const [name, attributes, approach, code, wire] of faults)
  test(`${name}: ${approach}, ${code}`, () => {
    const update = updateWith(attributes, '20cb007107', wire)
    assert.deepEqual(
      update.faults?.map(fault => [fault.approach, fault.code]),
      [[approach, code]],
    )
    const expected = approach === 'treat as withdraw' ? { announced: 0, withdrawn: 1 } : { announced: 1, withdrawn: 0 }
    assert.deepEqual(prefixCount(update), expected)
  })

test('a fault makes the prefixes of MP_REACH withdrawn ones too', () => {
  const reach = '800e26000201 10 20010db8000100000000000000000010 00 80 20010db8beef00000000000000000007'
  const update = updateWith(`${reach} 40010109 ${PATH}`, '')
  assert.deepEqual(
    update.attributes.map(attribute => attribute.kind),
    ['mp unreach'],
  )
  assert.deepEqual(prefixCount(update), { announced: 0, withdrawn: 1 })
})

test('the first of two attributes counts', () => {
  const { attributes } = updateWith(`${GOOD} 400304c0000263`, '20cb007107')
  assert.equal(attributes.filter(attribute => attribute.kind === 'next hop').length, 1)
  assert.equal(attributes.find(attribute => attribute.kind === 'next hop')?.address.value, 0xc000020an)
})

test('faults are told in words and by attribute', () => {
  assert.deepEqual(updateWith(`${GOOD} 800403000000`, '20cb007107').faults, [
    {
      approach: 'treat as withdraw',
      code: 'ATTRIBUTE_LENGTH',
      type: 4,
      message: 'attribute 4: 3 bytes of value instead of 4',
    },
  ])
})

test('trailing bits of a prefix do not matter', () => {
  assert.equal(updateWith(GOOD, '14 0a14ff').nlri[0]!.network, 0x0a14f000n)
  assert.equal(updateWith(GOOD, '00').nlri[0]!.network, 0n)
  const [unreach] = updateWith('800f09000201 21 20010db8ff', '').attributes
  assert.equal(unreach?.kind === 'mp unreach' && unreach.nlri[0]!.network, 0x20010db880000000n << 64n)
})

test('only an UPDATE that says nothing else ends the initial routes', () => {
  assert.equal(endOfRib(endOfRibUpdate('ipv4')), 'ipv4')
  assert.equal(endOfRib(endOfRibUpdate('ipv6')), 'ipv6')
  assert.equal(endOfRib(updateWith(GOOD, '20cb007107')), undefined)
  assert.equal(endOfRib(updateWith('800f05000201 08 20', '')), undefined)
})

function updateWith(attributes: string, nlri: string, wire = PLAIN_WIRE): Update {
  const list = hex`${attributes}`
  const body = Uint8Array.of(0, 0, list.length >> 8, list.length & 255, ...list, ...hex`${nlri}`)
  return decodeMessage({ type: 2, body }, wire) as Update
}
