// False takeovers: a lab cluster that nobody strikes, with every core busy and packets lost on every node's LAN interface.
// Target (issue 5): none in 10 minutes. Needs root.
// Run: node bench/soak.ts [--minutes=10] [--nodes=3] [--loss=1] [--busy=CORES]; loss in percent each way of each node.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { services } from '../src/api/kubernetes/index.ts'
import { DEMO_MANIFEST } from '../src/apps/cli/demo-manifest.ts'
import { table } from '../src/apps/cli/terminal.ts'
import { type Lab, startLab, waitFor } from '../src/apps/lab/index.ts'

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    nodes: { type: 'string', default: '3' },
    loss: { type: 'string', default: '1' },
    busy: { type: 'string', default: String(availableParallelism()) },
  },
})
const [minutes, nodes, loss, busy] = [given.minutes, given.nodes, given.loss, given.busy].map(Number) as [
  ...[number, number, number, number],
]
const SERVICES = 10
const STEP_MS = 30_000
/** What the logs say of members and of Services that move. */
const COUNTED = {
  left: /"node event":"NodeLeave"/,
  announced: /"event":"serviceAnnounced"/,
  withdrawn: /"event":"serviceWithdrawn"/,
}
type Counts = Record<keyof typeof COUNTED, number>

const lab = await startLab({ name: 'benchsoak', nodes, log: line => console.log(line) })
const burners: ChildProcess[] = []
let seen: Counts = { left: 0, announced: 0, withdrawn: 0 }
try {
  await lab.apply(DEMO_MANIFEST + manyServices())
  await waitFor(async () => (await addressed(lab)) === SERVICES + 1, 'every Service to have an address')
  await waitFor(() => count(lab).announced - count(lab).withdrawn === SERVICES + 1, 'every Service to have an owner')
  for (let core = 0; core < busy; core++)
    burners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  for (const { name } of lab.plan.nodes) await lab.loss(name, loss)
  const before = count(lab)
  const old = new Set(linesOf(lab, 'left'))
  const begun = performance.now()
  while (performance.now() - begun < minutes * 60_000) {
    await new Promise(resolve => setTimeout(resolve, Math.min(STEP_MS, minutes * 60_000)))
    seen = difference(count(lab), before)
    console.log(`${Math.round((performance.now() - begun) / 1000)} s: ${JSON.stringify(seen)}`)
  }
  for (const line of linesOf(lab, 'left').filter(text => !old.has(text))) console.log(line)
} finally {
  for (const burner of burners) burner.kill('SIGKILL')
  await lab.close()
}

const met = seen.left === 0 && seen.announced === 0
console.log(
  table([
    ['in the logs of all speakers', 'seen', 'target'],
    ['members given up', String(seen.left), '0'],
    ['Services taken over', String(seen.announced), '0'],
  ]),
)
const dir = new URL('./results/', import.meta.url)
mkdirSync(dir, { recursive: true })
writeFileSync(new URL('soak.json', dir), `${JSON.stringify({ met, minutes, nodes, loss, busy, seen }, null, 2)}\n`)
if (!met) process.exitCode = 1

function manyServices(): string {
  const spec = '{ type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }'
  const one = (n: number) => `---
apiVersion: v1
kind: Service
metadata: { name: soak-${n}, namespace: default }
spec: ${spec}
`
  return Array.from({ length: SERVICES }, (_, n) => one(n)).join('')
}

async function addressed({ kube }: Lab): Promise<number> {
  const all = await kube.list(services, { namespace: 'default' })
  return all.filter(({ status }) => status?.loadBalancer?.ingress?.[0]?.ip).length
}

function linesOf(of: Lab, kind: keyof typeof COUNTED): string[] {
  const logs = of.plan.nodes.map(({ name }) => ({ name, lines: of.logs(`speaker-${name}`).split('\n') }))
  return logs.flatMap(({ name, lines }) =>
    lines.filter(line => COUNTED[kind].test(line)).map(line => `${name}: ${line}`),
  )
}

function count(of: Lab): Counts {
  const [left, announced, withdrawn] = (['left', 'announced', 'withdrawn'] as const).map(
    kind => linesOf(of, kind).length,
  )
  return { left: left!, announced: announced!, withdrawn: withdrawn! }
}

function difference(after: Counts, before: Counts): Counts {
  const less = (kind: keyof typeof COUNTED) => after[kind] - before[kind]
  return { left: less('left'), announced: less('announced'), withdrawn: less('withdrawn') }
}
