// Reading configuration at scale: parse, and compare with the configuration in force.
import { mkdirSync, writeFileSync } from 'node:fs'
import { type ConfigSnapshot, parseConfig } from '../src/api/index.ts'
import { sameConfig } from '../src/core/config/index.ts'

function snapshotOf(pools: number, nodes: number, peers: number): ConfigSnapshot {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
  const rack = (index: number) => `r${index % 40}`
  const pool = (index: number) => ({
    metadata: { name: `pool-${index}`, namespace: 'metallb-system', labels: { zone: `z${index % 10}` } },
    spec: {
      addresses: [
        `10.${index >> 8}.${index & 255}.0/25`,
        `10.${index >> 8}.${index & 255}.130-10.${index >> 8}.${index & 255}.250`,
      ],
    },
  })
  const advertisement = (index: number) => ({
    metadata: { name: `adv-${index}`, namespace: 'metallb-system' },
    spec: {
      ipAddressPoolSelectors: [{ matchLabels: { zone: `z${index % 10}` } }],
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: [rack(index), rack(index + 1)] }] }],
    },
  })
  return {
    pools: numbers(pools).map(pool),
    l2Advertisements: numbers(pools / 10).map(advertisement),
    bgpAdvertisements: numbers(pools / 10).map(advertisement),
    nodes: numbers(nodes).map(index => ({ metadata: { name: `node-${index}`, labels: { rack: rack(index) } } })),
    peers: numbers(peers).map(index => ({
      metadata: { name: `peer-${index}`, namespace: 'metallb-system' },
      spec: { myASN: 64600, peerASN: 64700, peerAddress: `192.0.${index >> 8}.${index & 255}` },
    })),
    bfdProfiles: [],
    communities: [],
    namespaces: numbers(200).map(index => ({ metadata: { name: `ns-${index}` } })),
  }
}

function median(run: () => void): number {
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return times.sort((a, b) => a - b)[4]!
}

const rows = [
  [10, 5, 2],
  [100, 100, 20],
  [1000, 500, 200],
  [4000, 5000, 500],
].map(([pools, nodes, peers]) => {
  const snapshot = snapshotOf(pools!, nodes!, peers!)
  const [parsed, again] = [parseConfig(snapshot, { mode: 'frr' }), parseConfig(snapshot, { mode: 'frr' })]
  if (!('config' in parsed && 'config' in again)) throw new Error(JSON.stringify(parsed))
  const parseMs = median(() => void parseConfig(snapshot, { mode: 'frr' }))
  const compareMs = median(() => void sameConfig(parsed.config, again.config))
  return { pools, nodes, peers, parseMs: Number(parseMs.toFixed(2)), compareMs: Number(compareMs.toFixed(2)) }
})
console.table(rows)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/config.json', `${JSON.stringify(rows, null, 2)}\n`)
