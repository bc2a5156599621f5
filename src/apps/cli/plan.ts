/** `metallbctl plan`: what controller and speakers would do with files or a cluster, before and after a change. */
import { parseArgs } from 'node:util'
import { type Cluster, clusterOf, locate, objectsOf } from '../../control/explain/index.ts'
import {
  comparePlans,
  type Plan,
  type PlannedChange,
  type PlannedService,
  planAssumptions,
  planCluster,
  withAssumedFields,
  withChange,
} from '../../control/plan/index.ts'
import { formatProblem, type Problem } from '../../core/config/index.ts'
import { formatReason } from '../../core/reason.ts'
import { EXIT } from './command.ts'
import { DECISION_FLAGS, DECISION_OPTIONS, decisionOptions } from './decision-flags.ts'
import { tellUnreadable } from './failure.ts'
import { readObjectFiles } from './files.ts'
import { connect, readCluster } from './live.ts'
import { style, table } from './terminal.ts'

const USAGE = `usage: metallbctl plan -f FILE|DIR|- [-f …] [--with CHANGE]… [-n NAMESPACE] [-o text|json]
       metallbctl plan --live [--kubeconfig FILE] [--with CHANGE]… …
       flags of controller and speakers: ${DECISION_FLAGS}
`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  live: { type: 'boolean', default: false },
  with: { type: 'string', multiple: true, default: [] as string[] },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  ...DECISION_OPTIONS,
  output: { type: 'string', short: 'o', default: 'text' },
} as const

type Planned = Extract<Plan, { kind: 'plan' }>
type Values = Exclude<ReturnType<typeof read>, string>

/** 0: planned; 1: the configuration is not valid; 2: a file is not readable; 3: usage; 4: the cluster does not answer. */
export async function planCommand(args: string[]): Promise<number> {
  const values = read(args)
  if (typeof values === 'string') return complain(`${values}\n${USAGE}`, EXIT.usage)
  try {
    return await run(values)
  } catch (error) {
    return tellUnreadable('plan', error)
  }
}

function complain(message: string, code: number): number {
  process.stderr.write(`metallbctl plan: ${message.trimEnd()}\n`)
  return code
}

function read(args: string[]) {
  try {
    const { values } = parseArgs({ args, options: OPTIONS })
    if (values.live === values.file.length > 0) return 'either -f or --live'
    return ['text', 'json'].includes(values.output) ? values : `-o ${values.output}: text or json`
  } catch (error) {
    return (error as Error).message
  }
}

async function run(values: Values): Promise<number> {
  const { namespace } = values
  const options = decisionOptions(values)
  const change = readObjectFiles(values.with)
  const given = values.live
    ? await readCluster(await connect(values.kubeconfig), namespace)
    : clusterOf(readObjectFiles(values.file), namespace)
  const { cluster, assumptions } = withAssumedFields(given)
  const today = planCluster(cluster, options)
  if (today.kind !== 'plan') return invalid(today.problems, 'the configuration')
  if (values.with.length === 0)
    return print(values, today, comparePlans(shownNow(cluster, today), today.services), assumptions)
  const located = change.map(object => locate(object, namespace))
  const changed = sameUnknowns(given, clusterOf(withChange(objectsOf(today.cluster), located), namespace))
  const after = withAssumedFields(changed)
  const tomorrow = planCluster(after.cluster, options)
  if (tomorrow.kind !== 'plan') return invalid(tomorrow.problems, 'with the change the configuration')
  return print(values, tomorrow, comparePlans(today.services, tomorrow.services), after.assumptions)
}

/** What could not be read from the cluster stays unknown, unless the change has it. */
function sameUnknowns({ snapshot: before }: Cluster, { snapshot, ...cluster }: Cluster): Cluster {
  const known = Object.entries(snapshot).filter(([list, objects]: [string, readonly unknown[] | undefined]) => {
    return (objects?.length ?? 0) > 0 || before[list as keyof typeof before] !== undefined
  })
  return { ...cluster, snapshot: Object.fromEntries(known) }
}

function invalid(problems: readonly Problem[], what: string): number {
  const lines = problems.map(problem => `\n  ${formatProblem(problem)}`)
  return complain(`${what} is not valid, so the last valid one stays in force:${lines.join('')}`, EXIT.failed)
}

/** Without a change, what differs is what the statuses do not show yet; who announces at present is not known. */
function shownNow({ services }: Cluster, { services: planned }: Planned) {
  return planned.map(service => {
    const { namespace, name } = service
    const resource = services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
    const ingress = resource?.status?.loadBalancer?.ingress ?? []
    return { ...service, addresses: ingress.flatMap(({ ip }) => ip ?? []) }
  })
}

function print(
  { output }: Values,
  { services, cluster }: Planned,
  changes: readonly PlannedChange[],
  assumed: readonly string[],
): number {
  const assumptions = [...assumed, ...planAssumptions(cluster, services)]
  for (const assumption of assumptions) process.stderr.write(`metallbctl plan: assumed: ${assumption}\n`)
  const json = () => `${JSON.stringify({ services, changes, assumptions }, null, 2)}\n`
  process.stdout.write(output === 'json' ? json() : textOf(services, changes))
  return EXIT.ok
}

function textOf(services: readonly PlannedService[], changes: readonly PlannedChange[]): string {
  const lines = services.flatMap(serviceLines)
  if (services.length === 0) lines.push('no Services of type LoadBalancer')
  lines.push('', style('Changes', 'bold'))
  const rows = changes.map(({ namespace, name, what, kind, before, after }) => {
    return [`${namespace}/${name}`, kind, what, `${listOf(before)} -> ${listOf(after)}`]
  })
  lines.push(rows.length === 0 ? '  none' : table(rows, '  '))
  return `${lines.join('\n')}\n`
}

function serviceLines({ namespace, name, addresses, pool, reasons, announcements }: PlannedService): string[] {
  const title = style(`Service ${namespace}/${name}`, 'bold')
  const from = pool === null ? '' : ` from pool ${pool}`
  const announced = announcements.map(one =>
    one.protocol === 'bgp'
      ? `  bgp: node ${one.node} announces ${one.prefix} to ${one.peers.join(', ')}${one.drained ? ', as the last choice' : ''}`
      : `  layer2: node ${one.node} answers for ${one.address}`,
  )
  const why = reasons.map(reason => `  ${reason.code}: ${formatReason(reason)}`)
  return [`${title}: ${listOf(addresses)}${from}`, ...announced, ...why]
}

function listOf(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ')
}
