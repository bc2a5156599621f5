// List and watch of 10,000 Services of 2 KB: time, longest block of the event loop, peak memory. Server and client are
// processes of their own, the client is bundled as the daemons are. Run: node bench/watch.ts
import { execFileSync, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const COUNT = 10_000
const RUNS = 5

interface Phase {
  readonly ms: number
  readonly blockMs: number
  readonly peakMiB: number
}

interface Run {
  readonly baseMiB: number
  readonly list: Phase
  readonly modified: Phase
}

const here = import.meta.dirname
const work = mkdtempSync(join(tmpdir(), 'bench-watch-'))
const bundle = join(work, 'client.mjs')
await build({
  entryPoints: [join(here, 'watch-client.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['yaml'],
})

const server = fork(join(here, 'watch-server.ts'), [String(COUNT)])
const port = await new Promise<number>(resolve =>
  server.once('message', message => resolve((message as { port: number }).port)),
)
const runs: Run[] = []
for (let run = 0; run < RUNS; run++) {
  const output = execFileSync(process.execPath, [bundle, `http://127.0.0.1:${port}`, String(COUNT)], {
    encoding: 'utf8',
  })
  runs.push(JSON.parse(output) as Run)
}
server.disconnect()
rmSync(work, { recursive: true })

function median(pick: (run: Run) => number): number {
  const sorted = runs.map(pick).sort((a, b) => a - b)
  return Math.round((sorted[sorted.length >> 1] ?? 0) * 10) / 10
}

const rows = (['list', 'modified'] as const).map(phase => ({
  what: phase === 'list' ? `list of ${COUNT} Services until synced` : `${COUNT} MODIFIED on the watch`,
  ms: median(run => run[phase].ms),
  'longest block, ms': median(run => run[phase].blockMs),
  'peak RSS, MiB': median(run => run[phase].peakMiB),
}))
console.log(`median of ${RUNS} runs; RSS before: ${median(run => run.baseMiB)} MiB`)
console.table(rows)
mkdirSync(join(here, 'results'), { recursive: true })
writeFileSync(join(here, 'results', 'watch.json'), `${JSON.stringify({ count: COUNT, runs, median: rows }, null, 2)}\n`)
