import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignatureFaults } from '../../ports/index.ts'
import { BgpError, type CloseReason } from '../../protocols/bgp/index.ts'
import { SignatureWatch, signatureNote } from './signatures.ts'

const SIGNED = { md5Password: 'x' }
const AO = { aoKeys: [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha-1-96', secret: 'x' }] } as const
const SILENT: CloseReason = { kind: 'transport', message: 'the peer did not answer in time' }
const TIMEOUT: CloseReason = { kind: 'transport', message: 'connect ETIMEDOUT 192.0.2.1:179' }
const RESET: CloseReason = { kind: 'transport', message: 'read ECONNRESET' }
const EXPIRED: CloseReason = { kind: 'error', error: new BgpError('HOLD_TIMER_EXPIRED', 'nothing heard') }
const ASN: CloseReason = { kind: 'error', error: new BgpError('BAD_PEER_AS', 'another') }

const NOTES: [reason: CloseReason, target: object, faults: Partial<SignatureFaults>, note: string | undefined][] = [
  [SILENT, {}, {}, undefined],
  [SILENT, {}, { wrong: 1, missing: 1 }, undefined], // of other peers
  [SILENT, {}, { unexpected: 2 }, 'MD5 signature rejected (segments: 2 signed, and no password is configured here)'],
  [SILENT, SIGNED, {}, 'as it does where its password is another one'],
  [TIMEOUT, SIGNED, {}, 'as it does where its password is another one'],
  [SILENT, SIGNED, { wrong: 3 }, 'MD5 signature rejected (segments: 3 with another password)'],
  [SILENT, AO, { wrong: 3 }, 'TCP-AO signature rejected (segments: 3 with another password)'],
  [RESET, SIGNED, {}, undefined],
  [RESET, SIGNED, { missing: 1 }, 'MD5 signature rejected (segments: 1 without a signature)'],
  [
    EXPIRED,
    SIGNED,
    { wrong: 1, missing: 2, unexpected: 3 },
    'MD5 signature rejected (segments: 1 with another password, 2 without a signature, 3 with a signature that nobody expected)',
  ],
  [EXPIRED, SIGNED, {}, undefined],
  [ASN, SIGNED, { wrong: 3 }, undefined],
  [{ kind: 'stopped' }, SIGNED, { wrong: 3 }, undefined],
]
for (const [reason, target, faults, note] of NOTES)
  test(`${reason.kind}, ${Object.keys(target)} and ${JSON.stringify(faults)}: ${note}`, () => {
    let counts = { missing: 10, unexpected: 10, wrong: 10 }
    const watch = new SignatureWatch({ signatureFaults: () => counts })
    const more = { missing: 0, unexpected: 0, wrong: 0, ...faults }
    counts = { missing: 10 + more.missing, unexpected: 10 + more.unexpected, wrong: 10 + more.wrong }
    assert.equal(signatureNote(reason, target, watch), note)
    assert.equal(watch.take(target), undefined, 'each is told once')
  })

test('what was rejected before the peer was heard is not its fault', () => {
  let wrong = 0
  const watch = new SignatureWatch({ signatureFaults: () => ({ missing: 0, unexpected: 0, wrong }) })
  wrong = 5
  watch.heard(0)
  assert.match(watch.take(SIGNED) ?? '', /5 with/)
  wrong = 6
  watch.heard(1)
  assert.equal(watch.take(SIGNED), undefined)
})

test('where nobody counts there is nothing to say', () => assert.equal(new SignatureWatch({}).take(SIGNED), undefined))
