/** `metallbctl demo`: the main job in one command, on a cluster that is built for it and taken down again. */
import { parseArgs } from 'node:util'
import {
  type Lab,
  planLab,
  removeOnSignal,
  report,
  runSupervisor,
  startLab,
  tearDown,
  withRightsForNewLab,
} from '../lab/index.ts'
import { EXIT } from './command.ts'
import { tellStory } from './demo-story.ts'
import { parseNodes, superviseRequests } from './lab.ts'
import { kubectlHint } from './lab-requests.ts'
import { style, table } from './terminal.ts'

const NAME = 'demo'
const USAGE = `usage: metallbctl demo [--keep] [--nodes N]

  --keep     leave the cluster running and say what to try
  --nodes N  nodes of the cluster, 2 or more (default 3)
`

interface DemoOptions {
  readonly nodes: number
  readonly keep: boolean
  /** This process is the one that stays. */
  readonly staying: boolean
}

/** Answers 0 only where every step was observed. */
export async function demoCommand(args: string[]): Promise<number> {
  let options: DemoOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`metallbctl demo: ${(error as Error).message}\n\n${USAGE}`)
    return EXIT.usage
  }
  try {
    const elsewhere = await withRightsForNewLab()
    if (elsewhere !== undefined) return elsewhere
    if (options.keep && !options.staying)
      return await runSupervisor(['demo', '--staying', ...args], line => console.log(line))
    return await demo(options)
  } catch (error) {
    process.stderr.write(`${style('failed', 'red')}: ${(error as Error).message}\n`)
    return EXIT.failed
  }
}

function parseOptions(args: string[]): DemoOptions {
  const flag = { type: 'boolean', default: false } as const
  const options = { keep: flag, nodes: { type: 'string', default: '3' }, staying: flag } as const
  const { values } = parseArgs({ args, options })
  const nodes = parseNodes(values.nodes)
  planLab(NAME, nodes)
  if (nodes < 2) throw new RangeError('a takeover needs at least 2 nodes')
  return { nodes, keep: values.keep, staying: values.staying }
}

async function demo({ nodes, keep }: DemoOptions): Promise<number> {
  await tearDown(NAME) // what an earlier --keep left running
  const keepOnSignal = removeOnSignal(NAME)
  report(style(`A bare-metal cluster on this machine: ${nodes} nodes, a client, a router`, 'bold'))
  const lab = await startLab({ name: NAME, nodes, log: line => report(`  ${line}`) })
  try {
    await tellStory(lab, report)
    if (!keep) return EXIT.ok
    report(whatToTry(lab))
    keepOnSignal()
    await superviseRequests(lab)
    return EXIT.ok
  } finally {
    await lab.close()
    if (!keep) report('Cleaned up: no process, no namespace, no file is left.')
  }
}

function whatToTry(lab: Lab): string {
  const tries = [
    ['status', '', 'who owns what, what is broken'],
    ['heal', '', 'boot the node that was killed'],
    ['kill', 'node1', 'and then another one'],
    ['exec', 'client arping -c 3 192.168.10.200', 'run a command on a machine'],
    ['down', '', 'the end'],
  ]
  const rows = tries.map(([verb, rest, why]) => [`npx metallbctl lab ${verb} --name ${NAME} ${rest}`, `# ${why}`])
  return `\n${style('The cluster stays. Try:', 'bold')}\n${table(rows, '  ')}\n\n${kubectlHint(lab)}`
}
