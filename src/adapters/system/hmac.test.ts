import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hmacSha256 } from './hmac.ts'

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap(part => [...Buffer.from(part as string)]))

/** RFC 4231 section 4: cases 1, 2, 3, 6 and 7. */
const CASES: [key: Uint8Array, data: Uint8Array, digest: string][] = [
  [
    new Uint8Array(20).fill(0x0b),
    bytes('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    bytes('Jefe'),
    bytes('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    new Uint8Array(20).fill(0xaa),
    new Uint8Array(50).fill(0xdd),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    new Uint8Array(131).fill(0xaa),
    bytes('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    new Uint8Array(131).fill(0xaa),
    bytes(
      'This is a test using a larger than block-size key and a larger than block-size data. ',
      'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
]
for (const [place, [key, data, digest]] of CASES.entries())
  test(`HMAC-SHA256, vector ${place + 1}`, () => {
    assert.equal(Buffer.from(hmacSha256(key)(data)).toString('hex'), digest)
  })
