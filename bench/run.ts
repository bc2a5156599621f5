// npm run bench [-- NAME …]: runs benches one after another; without a name lists them. Each prints a table and writes
// bench/results/NAME.json.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const BENCHES: Readonly<Record<string, string>> = {
  allocator: '1k, 10k and 60k Services into a /16, one by one; refusals, re-learning, releases',
  announce: 'deciding who announces 10,000 Services',
  arp: 'ARP and NDP answers for 10,000 addresses, idle, blocked and on busy cores, beside a plain C responder (root, gcc)',
  'controller-scale': 'the controller with 1k, 10k and 50k Services: time, API calls, CPU, memory',
  bfd: 'BFD against FRR while every core is busy: false downs, detection of a dead peer (root, frr)',
  'bgp-codec': 'BGP messages read and written, 10,000 routes packed',
  'bgp-memory': 'memory of a speaker that tells four routers of 10,000 Services (root)',
  'bgp-path': 'how long a router with FRR or BIRD uses a node that died, with BFD at 50 ms × 3 (root, frr, bird2)',
  'bgp-speaker': '10,000 Services told to four routers over loopback; one change to the wire',
  config: 'parsing and comparing configurations',
  daemons: 'start of the controller, memory of both daemons (root)',
  failover: 'what a client sees when the owner of its address is killed, loses its carrier or restarts (root)',
  soak: 'false takeovers in minutes with every core busy and 1 % loss (root)',
  interfaces: 'how soon the responder follows a change of its interfaces (root)',
  validate: 'validating 1,000 pools with 1,000 advertisements of each kind and 100 peers',
  watch: 'list and watch of 10,000 Services: time, blocks of the event loop, memory',
}

/** As the image starts Node: its real-time threads must not wait for V8's helper threads. */
const FLAGS: Readonly<Record<string, readonly string[]>> = { bfd: ['--single-threaded-gc'] }

const [first, ...rest] = process.argv.slice(2)
const names = first === 'all' ? Object.keys(BENCHES) : first === undefined ? [] : [first]
const unknown = names.filter(name => !existsSync(new URL(`./${name}.ts`, import.meta.url)))
if (names.length === 0 || unknown.length > 0) {
  for (const name of unknown) console.error(`no such bench: ${name}`)
  console.log('npm run bench -- NAME [ARGUMENTS], or all:')
  for (const [name, summary] of Object.entries(BENCHES)) console.log(`  ${name.padEnd(10)} ${summary}`)
  process.exit(names.length === 0 ? 0 : 2)
}
let failed = 0
for (const name of names) {
  const file = new URL(`./${name}.ts`, import.meta.url).pathname
  const { status } = spawnSync(process.execPath, ['--expose-gc', ...(FLAGS[name] ?? []), file, ...rest], {
    stdio: 'inherit',
  })
  if (status !== 0) failed++
}
process.exit(failed > 0 ? 1 : 0)
