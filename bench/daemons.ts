// Start and memory of the daemons as a cluster would run them: the controller from its start to /readyz, the resident
// memory of speakers and controller when nothing happens. Targets (issue 2): under 1.5 s, under 90 MB (MiB, as ps counts). Needs root.
// Run: node bench/daemons.ts [RUNS]. Builds the bundle first: that is what the images run.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { DEMO_MANIFEST } from '../src/apps/cli/demo-manifest.ts'
import { table } from '../src/apps/cli/terminal.ts'
import { startLab } from '../src/apps/lab/index.ts'

const READY_TARGET_MS = 1500
const RSS_TARGET_MB = 90
const IDLE_MS = 30_000 // the compiler has settled by then
const runs = Number(process.argv[2] ?? 10)

execFileSync(process.execPath, [new URL('../tools/build.ts', import.meta.url).pathname], { stdio: 'ignore' })
const lab = await startLab({ name: 'benchdaemons', log: line => console.log(line) })
const readyMs: number[] = []
let speakersMb: number[] = []
let controllerMb = 0
try {
  await lab.apply(DEMO_MANIFEST)
  for (let run = 0; run < runs; run++) {
    await lab.stopController()
    const begun = performance.now()
    await lab.restartController() // nothing is left to stop
    readyMs.push(Math.round(performance.now() - begun))
  }
  await new Promise(resolve => setTimeout(resolve, IDLE_MS))
  speakersMb = [1, 2, 3].map(node => residentMb(lab.pid(`speaker-node${node}`)))
  controllerMb = residentMb(lab.pid('controller'))
} finally {
  await lab.close()
}

readyMs.sort((a, b) => a - b)
const median = readyMs[Math.floor(readyMs.length / 2)]!
const rows = [
  ['', 'min', 'p50', 'max', 'target'],
  ['controller: start to ready, ms', ...[readyMs[0]!, median, readyMs.at(-1)!].map(String), `< ${READY_TARGET_MS}`],
  ['idle speaker: resident, MiB', '', '', String(Math.max(...speakersMb)), `< ${RSS_TARGET_MB}`],
  ['idle controller: resident, MiB', '', '', String(controllerMb), ''],
]
console.log(table(rows))
const met = readyMs.at(-1)! < READY_TARGET_MS && Math.max(...speakersMb) < RSS_TARGET_MB
const dir = new URL('./results/', import.meta.url)
mkdirSync(dir, { recursive: true })
writeFileSync(new URL('daemons.json', dir), `${JSON.stringify({ met, readyMs, speakersMb, controllerMb }, null, 2)}\n`)
if (!met) process.exitCode = 1

function residentMb(pid: number | undefined): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kilobytes) / 1024)
}
