// How long an answer takes to ARP and NDP for 10,000 addresses: idle, with the speaker's main thread blocked for 200 ms at
// a time, and with every core kept busy by others; beside a plain C poll() responder under the same scheduling class in the
// same run and topology. Targets (issue 5): p99 within 2.5 times the C program, none unanswered, also of 10,000 requests
// at once, and with real-time scheduling p99.9 under 1 ms while the cores are busy. Needs root and gcc.
// client ns -- bridge ns -- node ns.
// Run: node bench/arp.ts (20 minutes); BENCH_SECONDS and BENCH_ROUNDS change how long and how often, BENCH_LOADS=idle,busy
// which loads.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { NODE_FLAGS } from '../src/apps/lab/programs.ts'

const BASES = { ARP: '10.77.0.0', NDP: '2001:db8:77::' } as const
const COUNT = 10_000
const RATE = 1000
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const TARGET_RATIO = 2.5
const TARGET_BUSY_US = 1000
const OUTSTANDING = 64
const BURSTS = 3
const PREFIX = `arpbench${process.pid}`
const NS = { client: `${PREFIX}c`, bridge: `${PREFIX}b`, node: `${PREFIX}n` }

type Protocol = keyof typeof BASES
/** Real-time scheduling as CAP_SYS_NICE grants it, or none, as the manifests have it. */
const RESPONDERS = ['c', 'speaker', 'c, real-time', 'speaker, real-time'] as const
type Responder = (typeof RESPONDERS)[number]
/** Announcing: right after the start, when all addresses are announced in rounds; the others begin after that. */
const ALL_LOADS = ['announcing', 'idle', 'blocked', 'busy'] as const
type Load = (typeof ALL_LOADS)[number]
const LOADS = ALL_LOADS.filter(load => process.env.BENCH_LOADS?.split(',').includes(load) ?? true)
const QUIET_MS = 2000

interface Result {
  latencies: number[]
  lost: number
  /** Of bursts of COUNT requests. */
  lostOfBursts: number
  perSecond: number[]
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SPEAKER = here('../build/bench/arp-speaker.js')

await main()

async function main(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('bench/arp.ts needs root: it makes network namespaces')
  const directory = mkdtempSync(join(tmpdir(), 'arp-bench-'))
  const program = join(directory, 'arp-responder')
  execFileSync('gcc', ['-O2', '-o', program, here('./arp-responder.c')])
  // Bundled as in production: what type stripping leaves in the heap would be measured too.
  const outdir = here('../build/bench/')
  const entryPoints = ['./arp-speaker.ts', '../src/apps/speaker/responder-worker.ts'].map(here)
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
  const options = { bundle: true, platform: 'node', format: 'esm', external: ['koffi'], banner } satisfies BuildOptions
  await build({ ...options, entryPoints, outdir, entryNames: '[name]' })
  try {
    setUp()
    report(await measure(program))
  } finally {
    for (const name of Object.values(NS)) execFileSync('ip', ['netns', 'del', name])
    rmSync(directory, { recursive: true })
  }
}

function setUp(): void {
  const ip = (...words: string[]) => execFileSync('ip', words.join(' ').split(' '))
  for (const name of Object.values(NS)) ip('netns add', name)
  ip('-n', NS.bridge, 'link add br0 type bridge')
  ip('-n', NS.bridge, 'link set br0 up')
  for (const [end, name] of [
    ['client', NS.client],
    ['node', NS.node],
  ] as const) {
    ip('link add eth0 netns', name, 'type veth peer name', end, 'netns', NS.bridge)
    ip('-n', NS.bridge, 'link set', end, 'master br0 up')
    ip('-n', name, 'link set eth0 up')
  }
}

async function measure(program: string): Promise<Map<string, Result>> {
  const results = new Map<string, Result>()
  for (let round = 1; round <= ROUNDS; round++)
    for (const protocol of Object.keys(BASES) as Protocol[])
      for (const load of LOADS)
        for (const responder of RESPONDERS) {
          const key = keyOf(protocol, load, responder)
          console.error(`round ${round} of ${ROUNDS}: ${key}`)
          const result = results.get(key) ?? { latencies: [], lost: 0, lostOfBursts: 0, perSecond: [] }
          results.set(key, result)
          await runOne(program, protocol, responder, load, result)
        }
  return results
}

function keyOf(protocol: Protocol, load: Load, responder: Responder): string {
  return `${protocol} ${load}: ${responder}`
}

async function runOne(program: string, protocol: Protocol, responder: Responder, load: Load, result: Result) {
  const base = BASES[protocol]
  const processes = await start(program, base, responder, load)
  const client = (mode: string, ...values: number[]) =>
    run(['netns', 'exec', NS.client, program, mode, 'eth0', base, String(COUNT), ...values.map(String)])
  try {
    if (load !== 'announcing') await quiet()
    await client('load', RATE, 1) // warms up caches and compilers
    for (const line of (await client('load', RATE, SECONDS)).trim().split('\n'))
      if (line === 'lost') result.lost++
      else result.latencies.push(Number(line) / 1000)
    for (let burst = 0; burst < BURSTS; burst++) result.lostOfBursts += Number(await client('burst'))
    if (load === 'idle') result.perSecond.push(Number(await client('flood', OUTSTANDING, 2)))
  } finally {
    for (const child of processes) child.kill('SIGKILL')
    await Promise.all(processes.map(child => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
  }
}

/** Until the node has sent nothing for longer than rounds of announcements are apart: on busy cores they take their time. */
async function quiet(): Promise<void> {
  const sent = () => execFileSync('ip', ['-n', NS.node, '-s', '-j', 'link', 'show', 'eth0'], { encoding: 'utf8' })
  const packets = () => (JSON.parse(sent()) as { stats64: { tx: { packets: number } } }[])[0]!.stats64.tx.packets
  for (let before = -1, now = packets(); now > before; now = packets()) {
    before = now
    await sleep(QUIET_MS)
  }
}

/** Beside the C responder the speaker's busy loop runs in a process of its own. */
async function start(program: string, base: string, responder: Responder, load: Load): Promise<ChildProcess[]> {
  const inNode = ['netns', 'exec', NS.node]
  const realtime = responder.endsWith('real-time')
  const others = load === 'busy' ? Array.from({ length: availableParallelism() }, burn) : []
  if (responder.startsWith('c')) {
    const own = spawn(process.execPath, [SPEAKER, 'burn', load], { stdio: 'ignore' })
    const words = [...inNode, program, 'respond', 'eth0', base, String(COUNT), ...(realtime ? ['fifo'] : [])]
    const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return [...others, own, child]
  }
  const words = [...inNode, process.execPath, ...NODE_FLAGS, SPEAKER, 'speaker', load, base, String(COUNT)]
  const env = { ...process.env, REALTIME: realtime ? '1' : '0' }
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'], env })
  await Promise.race([
    once(child.stdout!, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the speaker ended'))),
  ])
  return [...others, child]
}

/** Keeps a core busy. */
function burn(): ChildProcess {
  return spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' })
}

async function run(words: string[]): Promise<string> {
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout!.on('data', chunk => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ip ${words.join(' ')} ended with ${code}`)
  return output
}

function report(results: Map<string, Result>): void {
  const rows = Object.fromEntries([...results].map(([key, result]) => [key, summary(result)]))
  console.table(rows)
  const judged = (Object.keys(BASES) as Protocol[]).flatMap(protocol =>
    LOADS.flatMap(load => judge(protocol, load, rows)),
  )
  console.table(judged)
  const directory = here('./results/')
  mkdirSync(directory, { recursive: true })
  const setting = { addresses: COUNT, rate: RATE, seconds: SECONDS, rounds: ROUNDS, unit: 'us', loadavg: loadavg() }
  writeFileSync(`${directory}arp.json`, `${JSON.stringify({ setting, rows, judged }, null, 2)}\n`)
  if (judged.some(({ met }) => !met)) process.exitCode = 1
}

type Row = ReturnType<typeof summary>

function judge(protocol: Protocol, load: Load, rows: Readonly<Record<string, Row>>) {
  const of = (responder: Responder) => rows[keyOf(protocol, load, responder)]!
  const what = `${protocol} ${load}`
  const ratio = (ours: Responder, theirs: Responder) => {
    const value = of(ours).p99 / of(theirs).p99
    return { what: `${what}: ${ours}, p99 beside C`, value, target: TARGET_RATIO, met: value <= TARGET_RATIO }
  }
  const ours = [of('speaker'), of('speaker, real-time')]
  const lost = ours.reduce((sum, row) => sum + row.lost, 0)
  const lostOfBursts = ours.reduce((sum, row) => sum + row.lostOfBursts, 0)
  const late = of('speaker, real-time')['p99.9']
  return [
    ...(load === 'announcing' ? [] : [ratio('speaker', 'c'), ratio('speaker, real-time', 'c, real-time')]),
    { what: `${what}: unanswered`, value: lost, target: 0, met: lost === 0 },
    { what: `${what}: unanswered of bursts`, value: lostOfBursts, target: 0, met: lostOfBursts === 0 },
    ...(load === 'busy'
      ? [{ what: `${what}: real-time, p99.9 in us`, value: late, target: TARGET_BUSY_US, met: late < TARGET_BUSY_US }]
      : []),
  ]
}

function summary({ latencies, lost, lostOfBursts, perSecond }: Result) {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(10 * sorted[Math.ceil(share * sorted.length) - 1]!) / 10
  return {
    p50: at(0.5),
    p99: at(0.99),
    'p99.9': at(0.999),
    max: at(1),
    lost,
    lostOfBursts,
    'answers/s': Math.max(0, ...perSecond),
  }
}
