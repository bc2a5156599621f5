import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BGP_ERROR_CODES, BgpError } from './errors.ts'
import type { Notification } from './message/index.ts'
import {
  CEASE_SUBCODES,
  type CeaseReason,
  cease,
  describeNotification,
  hardReset,
  isHardReset,
  notificationText,
  shutdownCommunication,
} from './notification.ts'

const of = (code: number, subcode: number, ...data: number[]): Notification => ({
  kind: 'notification',
  code,
  subcode,
  data: Uint8Array.from(data),
})

const described: [Notification, string][] = [
  [of(2, 2), '0x0202 (Bad peer AS)'],
  [of(4, 0), '0x0400 (Hold Timer Expired (unspecific))'],
  [of(6, 2), '0x0602 (Administrative Shutdown)'],
  [of(5, 3), '0x0503 (Receive Unexpected Message in Established State)'],
  [of(3, 11), '0x030b (Malformed AS_PATH)'],
  [of(8, 0), '0x0800 (Send Hold Timer Expired)'],
  [of(6, 10), '0x060a (BFD Down)'],
  [of(6, 99), '0x0663 (unknown code)'],
  [of(200, 1), '0xc801 (unknown code)'],
  [cease('administrative shutdown', 'node drain'), '0x0602 (Administrative Shutdown): "node drain"'],
  [
    hardReset(cease('administrative reset', 'back soon')),
    '0x0609 (Hard Reset), 0x0604 (Administrative Reset): "back soon"',
  ],
  [of(6, 9), '0x0609 (Hard Reset)'],
  [of(6, 2, 3, 0x61, 0x0a, 0x62), '0x0602 (Administrative Shutdown): "a b"'],
  [of(6, 2, 9, 0x61), '0x0602 (Administrative Shutdown): "a"'],
  [of(6, 2, 2, 0xff, 0x61), '0x0602 (Administrative Shutdown): "\ufffda"'],
  [of(6, 2, 0), '0x0602 (Administrative Shutdown)'],
  [of(6, 3, 1, 0x61), '0x0603 (Peer De-configured)'],
]
for (const [notification, text] of described) test(text, () => assert.equal(describeNotification(notification), text))

test('every fault that we answer has a text', () => {
  for (const code of BGP_ERROR_CODES) {
    const { answer } = new BgpError(code, '')
    assert.notEqual(notificationText(answer), 'unknown code', code)
  }
})

test('every cease has a text', () => {
  for (const reason of Object.keys(CEASE_SUBCODES) as CeaseReason[])
    assert.notEqual(notificationText(cease(reason)), 'unknown code', reason)
})

test('56: the text of a shutdown is UTF-8', () => {
  const { data } = cease('administrative shutdown', 'Wartung bis 14:00 – node-1')
  assert.equal(data[0], 0x1c)
  assert.equal(data.length, 29)
})

test('a long text is cut to 255 bytes, never within a character', () => {
  const cut = cease('administrative shutdown', `${'x'.repeat(253)}€`)
  assert.equal(cut.data[0], 253)
  assert.equal(shutdownCommunication(cut), 'x'.repeat(253))
  assert.equal(cease('administrative shutdown', '😀'.repeat(70)).data[0], 252)
  assert.equal(shutdownCommunication(cease('administrative reset', '😀\ud800')), '😀\ufffd')
})

test('a hard reset within a hard reset ends the search', () => {
  const twice = hardReset(hardReset(cease('administrative shutdown', 'x')))
  assert.ok(isHardReset(twice))
  assert.equal(shutdownCommunication(twice), undefined)
})
