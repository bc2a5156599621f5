import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, generationsOf } from './standing.ts'

const pool = (name: string, generation: number, resourceVersion = '1') => ({
  metadata: { name, namespace: 'metallb-system', generation, resourceVersion },
  spec: { addresses: [] },
})

test('what differs from the configuration in force is named; a status is no difference', () => {
  const inForce = generationsOf({ pools: [pool('a', 1), pool('b', 1), pool('c', 1)] })
  const now = generationsOf({
    pools: [pool('c', 1, '9'), pool('b', 2)],
    l2Advertisements: [{ ...pool('tor', 1), spec: {} }],
  })
  assert.deepEqual(differences(inForce, now), [
    'IPAddressPool metallb-system/a removed',
    'IPAddressPool metallb-system/b changed',
    'L2Advertisement metallb-system/tor added',
  ])
  assert.deepEqual(differences(inForce, inForce), [])
})
