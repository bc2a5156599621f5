import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceResource } from '../../api/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { withOutcome } from './write-back.ts'

type Ingress = NonNullable<NonNullable<NonNullable<ServiceResource['status']>['loadBalancer']>['ingress']>

const vip = { ip: '10.0.0.1', ipMode: 'VIP', ports: [{ port: 80, protocol: 'TCP' }] }
const host = { hostname: 'lb.example' }

const cases: [name: string, before: Ingress, addresses: string[], after: Ingress | undefined][] = [
  ['the same addresses leave everything as it is', [host, vip], ['10.0.0.1'], [host, vip]],
  ['the same address, spelled otherwise', [{ ip: 'FD00:0::1' }], ['fd00::1'], [{ ip: 'FD00:0::1' }]],
  ['an added address says ip only', [vip], ['10.0.0.1', 'fd00::1'], [vip, { ip: 'fd00::1' }]],
  ['another order keeps the entries', [{ ip: 'fd00::1' }, vip], ['10.0.0.1', 'fd00::1'], [vip, { ip: 'fd00::1' }]],
  ['a replaced address takes foreign entries with it', [host, vip], ['10.0.0.2'], [{ ip: '10.0.0.2' }]],
  ['no address leaves nothing', [host, vip], [], undefined],
]

for (const [name, ingress, addresses, after] of cases)
  test(name, () => {
    const metadata = { name: 'a', annotations: { other: 'x', 'metallb.io/ip-allocated-from-pool': 'old' } }
    const conditions = [{ type: 'x', status: 'True', reason: '', message: '', lastTransitionTime: '' }]
    const resource = { metadata, status: { loadBalancer: { ingress }, conditions } }
    const untouched = structuredClone(resource)
    const pool = after && 'p'
    const written = withOutcome(resource, { addresses: addresses.map(text => parseAddress(text)!), pool })
    assert.deepEqual(written.status, { loadBalancer: after ? { ingress: after } : {}, conditions })
    const expected = after ? { other: 'x', 'metallb.io/ip-allocated-from-pool': 'p' } : { other: 'x' }
    assert.deepEqual(written.metadata.annotations, expected)
    assert.deepEqual(resource, untouched)
  })
