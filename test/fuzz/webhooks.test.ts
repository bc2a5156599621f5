import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { handlers, property } from './webhooks.ts'

test('arbitrary JSON never makes a webhook throw, and always gets a proper answer', async () => {
  await fc.assert(property, { numRuns: 2000 })
})

test('a number that JSON does not hold as a version to convert to', async () => {
  const request = {
    desiredAPIVersion: [2n ** 70n],
    objects: [{ apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', metadata: {} }],
  }
  const review = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request }
  assert.equal((await handlers['/convert']!(review)).status, 200)
})
