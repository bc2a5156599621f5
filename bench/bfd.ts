// BFD against FRR's bfdd while both cores and the main thread are busy: false downs, and how soon a dead peer is noticed.
// Needs root and FRR. Run as the image runs: node --single-threaded-gc bench/bfd.ts [seconds of load, 30] [--target]; issue 6: 600 --target.
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { LinuxLiveness } from '../src/adapters/linux/index.ts'
import { systemClock } from '../src/adapters/system/clock.ts'
import { bfdWorkerUrl } from '../src/apps/speaker/bfd-worker-url.ts'
import { parseAddress } from '../src/core/ip/index.ts'
import { type LivenessChange, silent } from '../src/ports/index.ts'
import { FakeMetrics } from '../src/testing/fake-metrics.ts'
import { underLoad } from '../test/interop/bfd-load.ts'
import { addNamespace, becomeNode, cable, router, tearDown, until } from '../test/interop/bfd-segment.ts'

const SECONDS = Number(process.argv[2] ?? 30)
/** Only what the issue asks for: 50 ms with real-time scheduling. */
const targetOnly = process.argv.includes('--target')
const DEATHS = 5

interface Row {
  readonly what: string
  readonly value: number
  readonly target: string
  readonly met: boolean
}
const rows: Row[] = []

becomeNode()
const namespace = addNamespace('bench')
cable('eth0', namespace, 1)
const metrics = new FakeMetrics()

const frr = await router(namespace)

if (targetOnly) await measure(50, true)
else for (const realtime of [true, false]) for (const intervalMs of [50, 10]) await measure(intervalMs, realtime)

async function measure(intervalMs: number, realtime: boolean): Promise<void> {
  const liveness = new LinuxLiveness({ worker: bfdWorkerUrl, log: silent, metrics, clock: systemClock, realtime })
  liveness.start()
  const interval = [`receive-interval ${intervalMs}`, `transmit-interval ${intervalMs}`, 'no shutdown']
  await frr.configure('peer 10.77.1.1', ...interval)
  const profile = { name: 'bench', receiveIntervalMs: intervalMs, transmitIntervalMs: intervalMs }
  const changes: (LivenessChange & { at: number })[] = []
  const target = { peer: parseAddress('10.77.1.2')!, multihop: false }
  liveness.watch(target, { ...profile, echoMode: false, passiveMode: false }, change => {
    changes.push({ ...change, at: performance.now() })
  })
  const up = () => changes.at(-1)?.state === 'up'
  await until('up', up)
  await until('the agreed interval', () => liveness.sessions()[0]?.detectionTimeMs === 3 * intervalMs)
  const what = `${intervalMs} ms x 3${realtime ? ', real-time' : ''}`
  await underLoad(SECONDS)
  // What FRR saw is told in our changes: it says Down, and why.
  const falseDowns = changes.filter(({ before }) => before === 'up').length
  // The goal of the issue needs CAP_SYS_NICE: a thread without it shares the cores with everybody.
  const wanted = realtime && intervalMs >= 50
  record(`${what}: false downs in ${SECONDS} s`, falseDowns, wanted ? '0' : '-', falseDowns === 0 || !wanted)
  await until('up again', up)
  for (let death = 0; death < DEATHS; death++) await die(intervalMs, what, changes, up, interval)
  await liveness.stop()
  await frr.configure('no peer 10.77.1.1')
}

async function die(
  intervalMs: number,
  what: string,
  changes: readonly (LivenessChange & { at: number })[],
  up: () => boolean,
  interval: readonly string[],
): Promise<void> {
  const from = changes.length
  const killedAt = performance.now()
  await frr.killBfdd()
  const down = await until('down', () => changes.slice(from).find(({ before }) => before === 'up'))
  const tookMs = Math.round(down.at - killedAt)
  record(`${what}: dead peer noticed after, ms`, tookMs, `< ${3 * intervalMs + 50}`, tookMs < 3 * intervalMs + 50)
  await frr.startBfdd()
  await frr.configure('peer 10.77.1.1', ...interval)
  await until('up after a restart', up)
  await new Promise(resolve => setTimeout(resolve, 1500)) // past the slow start
}

function record(what: string, value: number, target: string, met: boolean): void {
  rows.push({ what, value, target, met })
}

await tearDown()
const late = metrics.series.get('metallb_bfd_scheduler_late_total') ?? 0
record('times the thread ran later than one interval', late, '-', true)
console.table(rows)
const dir = new URL('./results/', import.meta.url)
mkdirSync(dir, { recursive: true })
const report = { node: process.version, cores: availableParallelism(), seconds: SECONDS, rows }
writeFileSync(new URL('bfd.json', dir), `${JSON.stringify(report, null, 2)}\n`)
if (rows.some(({ met }) => !met)) process.exitCode = 1
