// How long an ARP answer takes, idle and with the speaker's main thread blocked for 200 ms at a time, beside a plain C
// poll() responder in the same run and topology. Needs root and gcc. client ns -- bridge ns -- node ns.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { NODE_FLAGS } from '../src/apps/lab/programs.ts'

const BASE = '10.77.0.0'
const COUNT = 1000
const RATE = 1000
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const OUTSTANDING = 64
const PREFIX = `arpbench${process.pid}`
const NS = { client: `${PREFIX}c`, bridge: `${PREFIX}b`, node: `${PREFIX}n` }

/** The speaker as root, with real-time scheduling, and with NET_RAW as its only capability. */
type Responder = 'c' | 'speaker' | 'speaker, NET_RAW only'
type Load = 'idle' | 'blocked'
interface Result {
  latencies: number[]
  lost: number
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
    for (const load of ['idle', 'blocked'] as const)
      for (const responder of ['c', 'speaker', 'speaker, NET_RAW only'] as const) {
        const key = `${responder} ${load}`
        console.error(`round ${round} of ${ROUNDS}: ${key}`)
        const result = results.get(key) ?? { latencies: [], lost: 0, perSecond: [] }
        results.set(key, result)
        await runOne(program, responder, load, result)
      }
  return results
}

async function runOne(program: string, responder: Responder, load: Load, result: Result): Promise<void> {
  const processes = await start(program, responder, load)
  const client = (mode: string, ...values: number[]) =>
    run(['netns', 'exec', NS.client, program, mode, 'eth0', BASE, String(COUNT), ...values.map(String)])
  try {
    await client('load', RATE, 1) // warms up caches and compilers
    for (const line of (await client('load', RATE, SECONDS)).trim().split('\n'))
      if (line === 'lost') result.lost++
      else result.latencies.push(Number(line) / 1000)
    result.perSecond.push(Number(await client('flood', OUTSTANDING, 2)))
  } finally {
    for (const child of processes) child.kill('SIGKILL')
    await Promise.all(processes.map(child => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
  }
}

/** Beside the C responder the same busy loop runs in a process of its own. */
async function start(program: string, responder: Responder, load: Load): Promise<ChildProcess[]> {
  const inNode = ['netns', 'exec', NS.node]
  if (responder !== 'c') {
    const words = [...inNode, process.execPath, ...NODE_FLAGS, SPEAKER, 'speaker', load, BASE, String(COUNT)]
    const env = { ...process.env, REALTIME: responder === 'speaker' ? '1' : '0' }
    const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'], env })
    await Promise.race([
      once(child.stdout!, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the speaker ended'))),
    ])
    return [child]
  }
  const burn = spawn(process.execPath, [SPEAKER, 'burn', load], { stdio: 'ignore' })
  const respond = spawn('ip', [...inNode, program, 'respond', 'eth0', BASE, String(COUNT)], { stdio: 'inherit' })
  return [burn, respond]
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
  const ratio = (of: 'p50' | 'p99') => rows['speaker blocked']![of] / rows['c blocked']![of]
  const targets = { 'p50 ratio, target 2.5': ratio('p50'), 'p99 ratio, target 3': ratio('p99') }
  console.table(targets)
  const directory = here('./results/')
  mkdirSync(directory, { recursive: true })
  const setting = { addresses: COUNT, rate: RATE, seconds: SECONDS, rounds: ROUNDS, unit: 'us', loadavg: loadavg() }
  writeFileSync(`${directory}arp.json`, `${JSON.stringify({ setting, rows, targets }, null, 2)}\n`)
}

function summary({ latencies, lost, perSecond }: Result) {
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(10 * sorted[Math.ceil(share * sorted.length) - 1]!) / 10
  const max = Math.max(...perSecond)
  return { p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999), max: at(1), lost, 'answers/s': max }
}
