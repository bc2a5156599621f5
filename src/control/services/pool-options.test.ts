/** Quarantine, reservations and quotas, on the whole loop. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reservation } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { pin, poolOf, ServiceWorld } from '../../testing/service-world.ts'

const MINUTE = 60_000
const reserve = (text: string, owner?: string, note = ''): Reservation => {
  const { family, value } = parseAddress(text)!
  return { range: { family, first: value, last: value }, note, ...(owner !== undefined && { owner }) }
}
const two = ['10.0.0.0/31']

test('quarantine: a released address rests, then the one who waits is served without any other event', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.1/32'], { quarantineMs: 10 * MINUTE })])
  await world.put('A')
  await world.put('B')
  await world.remove('A')
  world.shows({ B: '' })
  await world.put('B', { app: 'x' })
  assert.match(
    world.resource('B').status!.conditions![0]!.message,
    /exhausted \(0\/1 ipv4 addresses in use, 1 reserved/,
  )
  world.clock.advance(10 * MINUTE - 1)
  await world.settle()
  world.shows({ B: '' })
  world.clock.advance(1)
  await world.settle()
  world.shows({ B: '10.0.0.1' })
})

test('quarantine: the Service of the same name has its address back, another cannot ask for it', async () => {
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/29'], { quarantineMs: MINUTE })])
  await world.put('A')
  await world.put('B')
  await world.remove('B')
  await world.put('C', { lbIP: '10.0.0.1' })
  world.shows({ C: '' })
  world.said('C', 'Warning AllocationFailed Failed to allocate IP for "d/C": "10.0.0.1" is in quarantine')
  await world.remove('A')
  await world.put('B')
  world.shows({ B: '10.0.0.1' })
  await world.remove('C')
  await world.put('D')
  world.shows({ D: '10.0.0.2' })
})

test('quarantine: a changed pool keeps back what was kept back', async () => {
  const world = await ServiceWorld.of([poolOf('p', two, { quarantineMs: MINUTE })])
  await world.put('A')
  await world.remove('A')
  await world.pools(poolOf('q', ['10.0.0.0/30'], { quarantineMs: MINUTE }))
  await world.put('B')
  world.shows({ B: '10.0.0.1' })
})

test('reservation: only the owner gets the address, by choice and by request', async () => {
  const reservations = [reserve('10.0.0.0', 'd/owner', 'printed on paper'), reserve('10.0.0.2')]
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/30'], { reservations })])
  await world.put('A')
  await world.put('B', { lbIP: '10.0.0.0' })
  world.said(
    'B',
    'Warning AllocationFailed Failed to allocate IP for "d/B": "10.0.0.0" is reserved for d/owner (printed',
  )
  await world.put('C')
  await world.put('owner')
  await world.put('D')
  world.shows({ A: '10.0.0.1', B: '', C: '10.0.0.3', owner: '10.0.0.0', D: '' })
})

test('reservation: who holds the address already keeps it', async () => {
  const world = await ServiceWorld.of([poolOf('p', two)])
  await world.put('A')
  await world.pools(poolOf('p', two, { reservations: [reserve('10.0.0.0', 'd/other')] }))
  await world.put('A', { ports: ['TCP/443'] })
  await world.put('other')
  world.shows({ A: '10.0.0.0', other: '10.0.0.1' })
})

test('quota: so many Services of a namespace, the next one waits until one of them is gone', async () => {
  const quotas = new Map([
    ['d', 1],
    ['*', 2],
  ])
  const world = await ServiceWorld.of([poolOf('p', ['10.0.0.0/24'], { quotas })])
  for (const name of ['A', 'B', 'e/X', 'e/Y', 'e/Z']) await world.put(name)
  world.shows({ A: '10.0.0.0', B: '', 'e/X': '10.0.0.1', 'e/Y': '10.0.0.2', 'e/Z': '' })
  assert.match(world.resource('B').status!.conditions![0]!.message, /quota of namespace "d" reached \(1\/1 services\)/)
  await world.put('C', { lbIP: '10.0.0.9' })
  world.shows({ C: '' })
  await world.remove('A')
  world.shows({ B: '10.0.0.0', C: '' })
  await world.put('e/X', { ports: ['TCP/443'] })
  world.shows({ 'e/X': '10.0.0.1' })
})

test('quota and quarantine together: room in the quota wakes who waits, with another address', async () => {
  const rest = { quotas: new Map([['d', 1]]), quarantineMs: MINUTE }
  const world = await ServiceWorld.of([poolOf('p', two, rest)])
  await world.put('A')
  await world.put('B')
  await world.remove('A')
  world.shows({ B: '10.0.0.1' })
})

test('exclusive: who is admitted by the pool gets nothing from open pools, and waits for it (D22)', async () => {
  const own = poolOf('own', ['10.1.0.0/32'], { ...pin({ ns: ['d'] }), exclusive: true })
  const world = await ServiceWorld.of([own, poolOf('open', ['10.0.0.0/24'])])
  for (const name of ['A', 'B', 'e/X']) await world.put(name)
  world.shows({ A: '10.1.0.0', B: '', 'e/X': '10.0.0.0' })
  assert.match(
    world.resource('B').status!.conditions![0]!.message,
    /own: exhausted .*; IPAddressPool metallb-system\/open: not used: pool own serves this service exclusively/,
  )
  await world.remove('A')
  world.shows({ B: '10.1.0.0' })
})

test('quarantine: a shorter one counts for what rests already, and holds up nobody', async () => {
  const world = await ServiceWorld.of([poolOf('p', two, { quarantineMs: 60 * MINUTE })])
  await world.put('A')
  await world.put('B')
  await world.remove('A')
  await world.pools(poolOf('p', two, { quarantineMs: MINUTE }))
  await world.remove('B')
  await world.put('C')
  await world.put('D')
  world.shows({ C: '', D: '' })
  world.clock.advance(MINUTE)
  await world.settle()
  world.shows({ C: '10.0.0.0', D: '10.0.0.1' })
})
