/** `metallbctl plan`: what controller and speakers would do with files or a cluster, before and after a change. */
import { parseArgs } from 'node:util'
import { sha256 } from '../../adapters/system/hash.ts'
import { type Cluster, clusterOf, locate, objectsOf } from '../../control/explain/index.ts'
import {
  comparePlans,
  type Plan,
  type PlannedChange,
  type PlannedService,
  planCluster,
  withAssumedFields,
  withChange,
} from '../../control/plan/index.ts'
import { formatProblem, type Problem } from '../../core/config/index.ts'
import { formatReason } from '../../core/reason.ts'
import { EXIT } from './command.ts'
import { tellUnreadable } from './failure.ts'
import { readObjectFiles } from './files.ts'
import { connect, readCluster } from './live.ts'
import { style, table } from './terminal.ts'

const USAGE = `usage: metallbctl plan -f FILE|DIR|- [-f …] [--with CHANGE]… [-n NAMESPACE] [--lb-class CLASS] [--ignore-exclude-lb] [--balanced-placement] [-o text|json]
       metallbctl plan --live [--kubeconfig FILE] [--with CHANGE]… …
`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  live: { type: 'boolean', default: false },
  with: { type: 'string', multiple: true, default: [] as string[] },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  'lb-class': { type: 'string', default: '' },
  'ignore-exclude-lb': { type: 'boolean', default: false },
  'balanced-placement': { type: 'boolean', default: false },
  output: { type: 'string', short: 'o', default: 'text' },
} as const

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
  const { 'lb-class': lbClass, 'ignore-exclude-lb': ignoreExcludeLb, 'balanced-placement': balanced } = values
  const options = { hash: sha256, lbClass, ignoreExcludeLb, balanced }
  const change = readObjectFiles(values.with)
  const given = values.live
    ? await readCluster(await connect(values.kubeconfig), namespace)
    : clusterOf(readObjectFiles(values.file), namespace)
  const { cluster } = withAssumedFields(given)
  const today = planCluster(cluster, options)
  if (today.kind !== 'plan') return invalid(today.problems, 'the configuration')
  if (values.with.length === 0) {
    assume(given)
    return print(values, today.services, comparePlans(shownNow(cluster, today), today.services))
  }
  const located = change.map(object => locate(object, namespace))
  const changed = sameUnknowns(given, clusterOf(withChange(objectsOf(today.cluster), located), namespace))
  assume(changed)
  const tomorrow = planCluster(withAssumedFields(changed).cluster, options)
  if (tomorrow.kind !== 'plan') return invalid(tomorrow.problems, 'with the change the configuration')
  return print(values, tomorrow.services, comparePlans(today.services, tomorrow.services))
}

function assume(cluster: Cluster): void {
  for (const assumption of withAssumedFields(cluster).assumptions)
    process.stderr.write(`metallbctl plan: ${assumption}\n`)
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
function shownNow({ services }: Cluster, { services: planned }: Extract<Plan, { kind: 'plan' }>) {
  return planned.map(service => {
    const { namespace, name } = service
    const resource = services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
    const ingress = resource?.status?.loadBalancer?.ingress ?? []
    return { ...service, addresses: ingress.flatMap(({ ip }) => ip ?? []) }
  })
}

function print({ output }: Values, services: readonly PlannedService[], changes: readonly PlannedChange[]): number {
  const text = output === 'json' ? `${JSON.stringify({ services, changes }, null, 2)}\n` : textOf(services, changes)
  process.stdout.write(text)
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
      ? `  bgp: node ${one.node} announces ${one.prefix} to ${one.peers.join(', ')}`
      : `  layer2: node ${one.node} answers for ${one.address}`,
  )
  const why = reasons.map(reason => `  ${reason.code}: ${formatReason(reason)}`)
  return [`${title}: ${listOf(addresses)}${from}`, ...announced, ...why]
}

function listOf(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ')
}
