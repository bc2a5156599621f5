// A speaker's BGP side with 10,000 Services and four routers, all in this process over loopback: from nothing to all
// known, and one change to the last router. Targets: issue 6. Run: node --expose-gc bench/bgp-speaker.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { linuxStreams } from '../src/adapters/linux/tcp.ts'
import { systemClock as clock } from '../src/adapters/system/clock.ts'
import { systemRandom as random } from '../src/adapters/system/random.ts'
import { BgpProtocol } from '../src/control/bgp/index.ts'
import { type Prefix, parseAddress } from '../src/core/ip/index.ts'
import { silent } from '../src/ports/index.ts'
import { Session } from '../src/protocols/bgp/index.ts'
import { aBgpPeer } from '../src/testing/bgp-peer.ts'
import { theirSettings } from '../src/testing/bgp-settings.ts'
import { FakeRecorder } from '../src/testing/fake-kube.ts'
import { FakeMetrics } from '../src/testing/fake-metrics.ts'
import { FakeInterfaces } from '../src/testing/fake-speaker.ts'

const SERVICES = 10_000
const CHANGES = 500
const PORT = 11_790
const ROUTERS = [2, 3, 4, 5].map(last => parseAddress(`127.0.0.${last}`)!)

const routers = ROUTERS.map(address => {
  const waits = { connectRetryMs: 10_000, passive: true, listens: true }
  const settings = theirSettings({ identifier: address, families: ['ipv4'], ...waits })
  const localAddresses = () => ({ connection: address })
  const options = { settings, target: { address, port: 1 }, defaultLocalPref: 100, localAddresses }
  return new Session(options, { clock, random, streams: linuxStreams })
})
const listeners = await Promise.all(
  routers.map((router, n) => {
    router.start()
    return linuxStreams.listen({ address: ROUTERS[n], port: PORT }, stream => router.accept(stream))
  }),
)

const seams = { clock, random, streams: linuxStreams, interfaces: new FakeInterfaces(), metrics: new FakeMetrics() }
const bgp = new BgpProtocol({ ...seams, node: 'n', namespace: 'm', recorder: new FakeRecorder(), log: silent })
for (let n = 0; n < SERVICES; n++) announce(n)
await bgp.commit()
bgp.complete()

const begin = performance.now()
const peers = ROUTERS.map((address, n) => aBgpPeer({ name: `tor-${n}`, endpoint: { address }, port: PORT }))
bgp.setPeers({ peers, bfdProfiles: [] })
await received(SERVICES)
const allMs = performance.now() - begin

const changes: number[] = []
let expected = SERVICES
for (let n = 0; n < CHANGES; n++) {
  const start = performance.now()
  announce(SERVICES + n)
  await bgp.commit()
  await received(++expected)
  changes.push(performance.now() - start)
}
changes.sort((a, b) => a - b)
const at = (share: number) => changes[Math.floor(share * (changes.length - 1))]!
globalThis.gc?.()
const rssMb = process.memoryUsage().rss / 1e6

const rows = [
  { what: `${SERVICES} routes to 4 routers, from configuration`, value: allMs, unit: 'ms', target: 2000 },
  { what: 'one change to the last router, median', value: at(0.5), unit: 'ms', target: 20 },
  { what: 'one change to the last router, p99', value: at(0.99), unit: 'ms', target: 20 },
  { what: 'memory, the four routers included', value: rssMb, unit: 'MB', target: 200 },
].map(row => ({ ...row, value: Number(row.value.toFixed(2)), met: row.value <= row.target }))
console.table(rows)
mkdirSync(new URL('./results/', import.meta.url), { recursive: true })
const result = { cpus: availableParallelism(), node: process.version, rows }
writeFileSync(new URL('./results/bgp-speaker.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`)
await bgp.stop()
await Promise.all(listeners.map(listener => listener.close()))
process.exit(0)

function announce(n: number): void {
  const prefix: Prefix = { family: 'ipv4', network: 0x0a000000n + BigInt(n), length: 32 }
  const routes = [{ prefix, advertisement: 'A', peers: 'all' as const, communities: [] }]
  bgp.setBalancer(`default/s${n}`, { pool: 'p', addresses: [], routes })
}

async function received(prefixes: number): Promise<void> {
  while (!routers.every(router => router.status.prefixesReceived >= prefixes))
    await new Promise(resolve => setImmediate(resolve))
}
