// How long a speaker takes to look at every Service, as it does after each membership event: this is part of every failover.
// Run: node bench/announce.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { formatAddress } from '../src/core/ip/index.ts'
import { admit, holdersIn, Layer2Planner, type World } from '../src/core/plan/index.ts'
import { aNode, anAdvertisement, anEndpoint, aPool, aService, aWorld } from '../src/testing/layer2-world.ts'

interface Row {
  readonly services: number
  readonly nodes: number
  readonly sharers: number
  readonly balanced: boolean
  readonly totalMs: number
  readonly eachUs: number
}

/** Every Service decided once, with nothing remembered from before; the median of five runs. */
function measure(count: number, nodeCount: number, sharers: number, balanced = false): Row {
  const names = Array.from({ length: nodeCount }, (_, n) => `node-${n}`)
  const services = Array.from({ length: count }, (_, n) => {
    const value = 0x0a00_0000n + BigInt(Math.floor(n / sharers))
    return aService({ name: `s${n}`, ips: [formatAddress({ family: 'ipv4', value })] })
  })
  const world: World = {
    ...aWorld({
      members: names,
      nodes: names.map(name => aNode(name)),
      pools: [aPool({ entries: ['10.0.0.0/16'] })],
      ads: [anAdvertisement({ nodes: new Set(names) })],
      endpoints: [anEndpoint('node-0')],
      balanced,
    }),
    holdersOf: holdersIn(services),
    services: () => services,
  }
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    const planner = new Layer2Planner(world)
    for (const service of services) {
      const admission = admit(service, world.config)
      if (!('pool' in admission)) throw new Error(`${service.key}: ${admission.reasons[0].message}`)
      planner.decide(admission, 'node-0')
    }
    return performance.now() - start
  }).sort((a, b) => a - b)
  const totalMs = Math.round(times[2]! * 10) / 10
  const eachUs = Math.round((totalMs / count) * 10_000) / 10
  return { services: count, nodes: nodeCount, sharers, balanced, totalMs, eachUs }
}

const rows = [
  measure(1000, 3, 1),
  measure(10_000, 3, 1),
  measure(10_000, 3, 100),
  measure(10_000, 20, 1),
  measure(10_000, 100, 1),
  measure(1000, 3, 1, true),
  measure(10_000, 3, 1, true),
  measure(10_000, 20, 1, true),
  measure(1000, 100, 1, true),
  measure(10_000, 100, 1, true),
]
console.table(rows)
mkdirSync(new URL('results/', import.meta.url), { recursive: true })
writeFileSync(new URL('results/announce.json', import.meta.url), `${JSON.stringify({ rows }, null, 2)}\n`)
