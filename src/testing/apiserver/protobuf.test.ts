import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProtobuf } from './protobuf.ts'

const field = (number: number, bytes: Buffer) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
const text = (number: number, value: string) => field(number, Buffer.from(value))
const int = (number: number, value: number) => Buffer.from([number << 3, value])
const message = (...parts: Buffer[]) => Buffer.concat(parts)

function envelope(kind: string, raw: Buffer, apiVersion = 'v1'): Buffer {
  return message(Buffer.from('k8s\0'), field(1, message(text(1, apiVersion), text(2, kind))), field(2, raw))
}

const labels = (key: string, value: string) => field(11, message(text(1, key), text(2, value)))
const metadata = message(
  text(1, 'web'),
  text(2, ''),
  text(3, 'shop'),
  labels('app', 'web'),
  labels('empty', ''),
  field(8, Buffer.alloc(0)),
)
const byName = field(4, message(int(1, 1), int(2, 0), text(3, 'http')))
const byNumber = field(4, message(int(1, 0), int(2, 80), text(3, '')))
const ports = message(
  field(1, message(text(1, 'a'), int(3, 80), byName, int(5, 0))),
  field(1, message(int(3, 81), byNumber)),
)

const service = envelope(
  'Service',
  message(field(1, metadata), field(2, message(ports, text(4, 'ClusterIP'), int(13, 0)))),
)
const expected = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web', empty: '' } },
  spec: {
    ports: [
      { name: 'a', port: 80, targetPort: 'http' },
      { port: 81, targetPort: 80 },
    ],
    type: 'ClusterIP',
    publishNotReadyAddresses: false,
  },
}

test('a Service reads as JSON would say it', () => assert.deepEqual(decodeProtobuf(service), expected))

test('the bytes of a Secret come out in base64', () => {
  const data = field(2, message(text(1, 'key'), text(2, 'value')))
  assert.deepEqual(decodeProtobuf(envelope('Secret', data)), {
    apiVersion: 'v1',
    kind: 'Secret',
    data: { key: 'dmFsdWU=' },
  })
})

test('every prefix is refused or reads as something smaller, and never hangs', () => {
  for (let cut = 0; cut < service.length; cut++) {
    let read: unknown
    try {
      read = decodeProtobuf(service.subarray(0, cut))
    } catch (error) {
      assert.ok(error instanceof RangeError || (error as { code?: number }).code === 415, String(error))
    }
    assert.notDeepEqual(read, expected)
  }
})

test('a kind that is not in the table is refused by name', () => {
  assert.throws(() => decodeProtobuf(envelope('Deployment', Buffer.alloc(0))), { code: 415, message: /Deployment/ })
  assert.throws(() => decodeProtobuf(Buffer.from('{"kind":"Service"}')), { code: 415 })
})
