import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EndpointSliceResource, parseEndpoints } from './endpoint-slice.ts'

type Given = NonNullable<EndpointSliceResource['endpoints']>[number]

// Chapter 04 section 1.6 and examples 3 to 6 of section 8.1
const ENDPOINTS: [name: string, endpoint: Given, canServe: boolean][] = [
  ['3 terminating, and still serving', { conditions: { ready: false, serving: true, terminating: true } }, true],
  ['3 terminating', { conditions: { ready: false, serving: false, terminating: true } }, false],
  ['4 not ready', { conditions: { ready: false, serving: false } }, false],
  ['6 ready is not set', { conditions: {} }, true],
  ['6 no conditions', {}, true],
  ['6 ready, without an address', { addresses: [], conditions: { ready: true } }, false],
]
for (const [name, endpoint, canServe] of ENDPOINTS)
  test(`an endpoint, ${name}: ${canServe ? 'can serve' : 'cannot serve'}`, () => {
    const metadata = { name: 'web-1', namespace: 'default' }
    const slice = { metadata, endpoints: [{ addresses: ['10.244.0.7'], ...endpoint }] } as EndpointSliceResource
    assert.deepEqual(
      parseEndpoints(slice).map(one => one.canServe),
      [canServe],
    )
  })
