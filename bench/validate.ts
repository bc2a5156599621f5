// Validating at the size of issue 3: 1,000 pools, 1,000 advertisements of each kind in turn, 100 peers, under 100 ms.
import { mkdirSync, writeFileSync } from 'node:fs'
import { type ConfigSnapshot, parseConfig } from '../src/api/index.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const metadata = (name: string, index: number) => ({ name: `${name}-${index}`, namespace: 'metallb-system' })
const block = (index: number) => `10.${index >> 8}.${index & 255}.0/24`

const base: ConfigSnapshot = {
  pools: numbers(1000).map(index => ({
    metadata: { ...metadata('pool', index), labels: { zone: `z${index % 10}` } },
    spec: { addresses: [block(index)] },
  })),
  peers: numbers(100).map(index => ({
    metadata: metadata('peer', index),
    spec: { myASN: 64600, peerASN: 64700, peerAddress: `192.0.2.${index}` },
  })),
  nodes: numbers(100).map(index => ({ metadata: { name: `node-${index}`, labels: { rack: `r${index % 10}` } } })),
  namespaces: [],
  communities: [],
  bfdProfiles: [],
}
const byName = numbers(1000).map(index => ({
  metadata: metadata('adv', index),
  spec: { ipAddressPools: [`pool-${index}`], nodeSelectors: [{ matchLabels: { rack: `r${index % 10}` } }] },
}))
const byLabel = numbers(1000).map(index => ({
  metadata: metadata('adv', index),
  spec: { ipAddressPoolSelectors: [{ matchLabels: { zone: `z${index % 10}` } }] },
}))
const preferring = byLabel.map((object, index) => ({ ...object, spec: { ...object.spec, localPref: index % 10 } }))

const cases: [string, ConfigSnapshot][] = [
  ['BGP advertisements, a pool each', { ...base, bgpAdvertisements: byName }],
  ['BGP advertisements, 100 pools each by label', { ...base, bgpAdvertisements: byLabel }],
  ['BGP advertisements, a preference for each label', { ...base, bgpAdvertisements: preferring }],
  ['layer 2 advertisements, a pool each', { ...base, l2Advertisements: byName }],
  ['layer 2 advertisements, 100 pools each by label', { ...base, l2Advertisements: byLabel }],
]

function median(run: () => void): number {
  const times = numbers(7).map(() => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return Number(times.sort((a, b) => a - b)[3]!.toFixed(1))
}

const rows = cases.map(([name, snapshot]) => {
  const parsed = parseConfig(snapshot, { mode: 'native' })
  if (!('config' in parsed)) throw new Error(`${name}: ${JSON.stringify(parsed.problems[0])}`)
  return { case: name, parseMs: median(() => void parseConfig(snapshot, { mode: 'native' })) }
})
console.table(rows)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/validate.json', `${JSON.stringify(rows, null, 2)}\n`)
