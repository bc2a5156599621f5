/** `metallbctl lab`: a bare-metal cluster in network namespaces on this machine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  ask,
  inside,
  type Lab,
  labDirectory,
  netnsOf,
  planLab,
  removeOnSignal,
  report,
  runSupervisor,
  startLab,
  supervise,
  supervisorOf,
  tearDown,
  withRightsForLab,
  withRightsForNewLab,
} from '../lab/index.ts'
import { EXIT } from './command.ts'
import { answerRequest, labStatus, UsageError, VERBS } from './lab-requests.ts'
import { table } from './terminal.ts'

const OWN_VERBS = [
  ['up', '[--nodes N] [--bare] [--foreground]', 'build the cluster and leave it running; bare: without MetalLB'],
  ['exec', 'MACHINE COMMAND [ARGUMENT …]', 'run a command on client, router, a node, control, pod.NAMESPACE.NAME'],
  ['down', '', 'end every process and remove every namespace, also after a crash'],
]

function usage(): string {
  const rows = [...OWN_VERBS, ...Object.entries(VERBS).map(([verb, { usage, summary }]) => [verb, usage, summary])]
  return `usage: metallbctl lab VERB [--name NAME] …\n\n${table(rows, '  ')}\n`
}

/** Answers the exit code. */
export async function labCommand([verb = '', ...rest]: string[]): Promise<number> {
  try {
    if (verb === 'up') return await up(rest)
    if (verb === 'exec') return await exec(rest)
    if (verb === 'down') return await down(rest)
    if (Object.hasOwn(VERBS, verb)) return await request(verb, rest)
    throw new UsageError(usage())
  } catch (error) {
    const { message } = error as Error
    const isUsage = message.startsWith('usage:') // also one that came from the supervisor
    process.stderr.write(isUsage ? `${message.trimEnd()}\n` : `metallbctl lab: ${message}\n`)
    return isUsage || isParseError(error) ? EXIT.usage : EXIT.failed
  }
}

async function up(args: string[]): Promise<number> {
  const flag = { type: 'boolean' } as const
  const { name, values } = parse(args, { nodes: { type: 'string', default: '3' }, bare: flag, foreground: flag })
  const nodes = parseNodes(String(values.nodes))
  planLab(name, nodes) // complains before anything is made
  const elsewhere = await withRightsForNewLab()
  if (elsewhere !== undefined) return elsewhere
  if (!values.foreground) return await runSupervisor(['lab', 'up', '--foreground', ...args], line => console.log(line))
  const keepOnSignal = removeOnSignal(name)
  const lab = await startLab({ name, nodes, metallb: !values.bare, log: report })
  report(`\n${await labStatus(lab)}`)
  keepOnSignal()
  await superviseRequests(lab)
  return EXIT.ok
}

/** Serves the other verbs until a signal. */
export function superviseRequests(lab: Lab): Promise<void> {
  return supervise(lab, ({ verb, args }) => answerRequest(lab, verb, args))
}

async function request(verb: string, args: string[]): Promise<number> {
  const { name, positionals } = parse(args)
  ensureRunning(name)
  console.log(await ask(labDirectory(name), { verb, args: positionals }))
  return EXIT.ok
}

async function exec(args: string[]): Promise<number> {
  const named = args[0] === '--name' ? 2 : args[0]?.startsWith('--name=') ? 1 : 0
  const { name } = parse(args.slice(0, named))
  const [machine, ...command] = args.slice(named)
  if (machine === undefined || command.length === 0) throw new UsageError(usage())
  ensureRunning(name)
  const elsewhere = await withRightsForLab(name)
  if (elsewhere !== undefined) return elsewhere
  const netns = netnsOf(name, machine)
  if (!existsSync(`/run/netns/${netns}`)) throw new Error(`lab '${name}' has no machine '${machine}'`)
  const [program, ...rest] = [...inside(netns), ...command]
  const env = { ...process.env, KUBECONFIG: join(labDirectory(name), 'users', 'admin.kubeconfig') }
  const [code] = (await once(spawn(program!, rest, { stdio: 'inherit', env }), 'exit')) as [number | null]
  return code ?? EXIT.failed
}

async function down(args: string[]): Promise<number> {
  const { name } = parse(args)
  const elsewhere = await withRightsForLab(name)
  if (elsewhere !== undefined) return elsewhere
  await tearDown(name)
  console.log(`lab '${name}' is down`)
  return EXIT.ok
}

function ensureRunning(name: string): void {
  if (supervisorOf(name) === undefined)
    throw new Error(`no lab '${name}' runs here: 'metallbctl lab up --name ${name}' starts one`)
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>

function parse<T extends Options>(args: string[], options: T = {} as T) {
  const parsed = parseArgs({ args, allowPositionals: true, options: { name: { type: 'string' }, ...options } })
  const values = parsed.values as Record<string, string | boolean | undefined>
  const name = String(values.name ?? 'lab')
  planLab(name, 1)
  return { name, values, positionals: parsed.positionals }
}

/** Throws a RangeError where the text is no number. */
export function parseNodes(text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`--nodes: '${text}' is no number`)
  return Number(text)
}

function isParseError(error: unknown): boolean {
  return error instanceof RangeError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
}
