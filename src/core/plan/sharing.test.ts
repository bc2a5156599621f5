import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anEndpoint, aService, aWorld, NODES, type Scenario } from '../../testing/layer2-world.ts'
import { formatAddress } from '../ip/index.ts'
import type { Service } from '../service.ts'
import { explainLayer2 } from './index.ts'

const shared = { annotations: { 'metallb.io/allow-shared-ip': 'k' } }
const web = aService({ ...shared, name: 'web' })
const dns = aService({ ...shared, name: 'dns', created: '2026-01-02T00:00:00Z' })

function ownerOf(service: Service, scenario: Scenario, all: Service[]): string | undefined {
  const world = aWorld({ ...scenario, service, others: all.filter(other => other !== service) })
  const owners = explainLayer2(service, world).nodes.filter(({ announces }) => announces)
  assert.ok(owners.length <= 1)
  return owners[0]?.node
}

test('5 two Services on one address with equal candidates: one owner, the one each alone would have', () => {
  for (const service of [web, dns]) {
    assert.equal(ownerOf(service, {}, [web, dns]), 'node-a')
    assert.equal(ownerOf(service, {}, [service]), 'node-a')
  }
})

test('IMP-3: where the candidates differ, a node that can serve all of them wins', () => {
  const [local, other] = [web, dns].map(service => ({ ...service, localTrafficPolicy: true })) as [Service, Service]
  const endpoints = {
    'default/web': [anEndpoint('node-a'), anEndpoint('node-b')],
    'default/dns': [anEndpoint('node-b'), anEndpoint('node-c')],
  }
  assert.equal(ownerOf(local, { endpoints }, [local]), 'node-a') // alone
  for (const service of [local, other]) assert.equal(ownerOf(service, { endpoints }, [local, other]), 'node-b')
})

test('IMP-3: where no node can serve all, one node owns the address and the other Service says why', () => {
  const [local, other] = [web, dns].map(service => ({ ...service, localTrafficPolicy: true })) as [Service, Service]
  const endpoints = { 'default/web': [anEndpoint('node-b')], 'default/dns': [anEndpoint('node-c')] }
  assert.equal(ownerOf(other, { endpoints }, [local, other]), 'node-c')
  assert.equal(ownerOf(local, { endpoints }, [local, other]), undefined)
})

test('a Service nobody could announce does not disturb the others on its address', () => {
  const endpoints = { 'default/web': [anEndpoint('node-b')] }
  assert.equal(ownerOf(web, { endpoints }, [web, dns]), 'node-a')
  assert.equal(ownerOf(dns, { endpoints }, [web, dns]), undefined)
  const foreign = { ...dns, loadBalancerClass: 'foo', created: '2020-01-01T00:00:00Z' }
  assert.equal(ownerOf(web, {}, [web, foreign]), 'node-a')
})

test('IMP-3: a dual-stack and a single-stack Service on one IPv6 address have one owner, the older Service leads', () => {
  const dual = aService({ ...shared, name: 'dual', ips: ['192.168.1.240', '2001:db8::f'] })
  const single = aService({ ...shared, name: 'single', ips: ['2001:db8::f'], created: '2026-02-01T00:00:00Z' })
  assert.equal(ownerOf(single, {}, [single]), 'node-c')
  for (const service of [dual, single]) assert.equal(ownerOf(service, {}, [dual, single]), 'node-a')
})

test('whatever is shared with whatever, no address ever has two owners', () => {
  const ips = ['192.168.1.240', '192.168.1.241', '10.0.0.5', '2001:db8::f']
  const services = fc.array(
    fc.record({
      ips: fc.uniqueArray(fc.constantFrom(...ips), { minLength: 1, maxLength: 2 }),
      local: fc.boolean(),
      on: fc.subarray(NODES),
    }),
    { minLength: 1, maxLength: 6 },
  )
  const property = fc.property(services, drawn => {
    const all = drawn.map(({ ips, local }, n) => aService({ ...shared, name: `s${n}`, ips, localTrafficPolicy: local }))
    const endpoints = Object.fromEntries(drawn.map(({ on }, n) => [`default/s${n}`, on.map(node => anEndpoint(node))]))
    const ownersOf = new Map<string, Set<string>>()
    for (const service of all) {
      const owner = ownerOf(service, { endpoints }, all)
      for (const { address } of service.ingress) {
        const owners = ownersOf.get(formatAddress(address!)) ?? new Set()
        if (owner !== undefined) owners.add(owner)
        ownersOf.set(formatAddress(address!), owners)
      }
    }
    for (const [address, owners] of ownersOf) assert.ok(owners.size <= 1, `${address}: ${[...owners]}`)
  })
  fc.assert(property, { numRuns: 300 })
})
