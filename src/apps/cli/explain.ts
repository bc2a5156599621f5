/** `metallbctl explain service NS/NAME`: the decisions of controller and speakers, with their reasons. */
import { parseArgs } from 'node:util'
import { sha256 } from '../../adapters/system/hash.ts'
import { type Cluster, clusterOf, type Explanation, explainService } from '../../control/explain/index.ts'
import { formatProblem } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type { NodeExplanation } from '../../core/plan/index.ts'
import { formatReason, type Reason } from '../../core/reason.ts'
import { EXIT } from './command.ts'
import { tellUnreadable } from './failure.ts'
import { readObjectFiles } from './files.ts'
import { connect, readCluster } from './live.ts'
import { style, table } from './terminal.ts'

const USAGE =
  'usage: metallbctl explain service NAMESPACE/NAME [-f FILE|DIR|-]… [-n NAMESPACE] [--kubeconfig FILE] [--lb-class CLASS] [--ignore-exclude-lb] [--balanced-placement] [-o text|json]\n'

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  'lb-class': { type: 'string', default: '' },
  'ignore-exclude-lb': { type: 'boolean', default: false },
  'balanced-placement': { type: 'boolean', default: false },
  output: { type: 'string', short: 'o', default: 'text' },
} as const

type Explained = Extract<Explanation, { kind: 'explained' }>

/** 0: it has an address and a node announces it; 1: not so; 2: the files are not readable; 3: usage; 4: no cluster. */
export async function explainCommand(args: string[]): Promise<number> {
  const parsed = read(args)
  if (typeof parsed === 'string') return complain(`${parsed}\n${USAGE}`, EXIT.usage)
  const { key, values } = parsed
  try {
    const cluster = await gather(values)
    const { 'lb-class': lbClass, 'ignore-exclude-lb': ignoreExcludeLb, 'balanced-placement': balanced } = values
    const options = { hash: sha256, lbClass, ignoreExcludeLb, balanced }
    const explanation = explainService(cluster, key, options)
    process.stdout.write(values.output === 'json' ? json(explanation) : text(explanation, key))
    return works(explanation) ? EXIT.ok : EXIT.failed
  } catch (error) {
    return tellUnreadable('explain', error)
  }
}

function complain(message: string, code: number): number {
  process.stderr.write(message)
  return code
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [what, name, ...more] = positionals
    if ((what !== 'service' && what !== 'svc') || name === undefined || more.length > 0) return 'which service?'
    if (!['text', 'json'].includes(values.output)) return `-o ${values.output}: text or json`
    return { key: name.includes('/') ? name : `default/${name}`, values }
  } catch (error) {
    return (error as Error).message
  }
}

async function gather(values: { file?: string[]; kubeconfig?: string; namespace: string }): Promise<Cluster> {
  const { file, kubeconfig, namespace } = values
  if (file !== undefined) return clusterOf(readObjectFiles(file), namespace)
  return readCluster(await connect(kubeconfig), namespace)
}

function works(explanation: Explanation): boolean {
  if (explanation.kind !== 'explained') return false
  const { allocation, layer2, bgp } = explanation
  const nodes = [...layer2.nodes, ...bgp.nodes]
  return allocation.addresses.length > 0 && nodes.some(({ announces }) => announces)
}

function text(explanation: Explanation, key: string): string {
  switch (explanation.kind) {
    case 'no such service':
      return `Service ${key}: there is no such Service\n`
    case 'invalid configuration': {
      const problems = explanation.problems.map(problem => `  ${formatProblem(problem)}\n`).join('')
      return `Service ${key}: the configuration is not valid, so the last valid one stays in force:\n${problems}`
    }
    case 'explained':
      return explainedText(explanation)
  }
}

function explainedText({ service, allocation, layer2, bgp, reported, assumptions }: Explained): string {
  const lines = [style(`Service ${service.key}`, 'bold'), '', `Address: ${allocation.summary}`]
  lines.push(...allocation.reasons.map(reason => `  ${formatReason(reason)}`))
  if (allocation.sharedWith.length > 0) lines.push(`  shared with ${allocation.sharedWith.join(', ')}`)
  lines.push('', `Layer 2: ${headline(layer2.nodes.filter(({ announces }) => announces).map(({ node }) => node))}`)
  if (layer2.refused.length > 0) lines.push(...layer2.refused.map(reason => `  ${formatReason(reason)}`))
  else lines.push(table(layer2.nodes.map(nodeRow), '  '))
  lines.push(`  ServiceL2Status: ${reported.length === 0 ? 'no node reports it' : `${reported.join(', ')} reports it`}`)
  if (bgp.configured) lines.push('', ...bgpLines(bgp))
  if (assumptions.length > 0) lines.push('', 'Not known:', ...assumptions.map(assumption => `  ${assumption}`))
  return `${lines.join('\n')}\n`
}

function bgpLines({ nodes, refused }: Explained['bgp']): string[] {
  const first = `BGP: ${headline(nodes.filter(({ announces }) => announces).map(({ node }) => node))}`
  if (refused.length > 0) return [first, ...refused.map(reason => `  ${formatReason(reason)}`)]
  const rows = nodes.map(one => {
    const [node, does, why] = nodeRow(one) as [string, string, string]
    const told = one.announces ? [`to ${one.peers.join(', ') || 'nobody'}`] : []
    return [node, does, [why, ...told, ...one.warnings.map(reasonText)].join('; ')]
  })
  return [first, table(rows, '  ')]
}

function headline(owners: readonly string[]): string {
  return owners.length === 0 ? 'no node announces it' : `announced from node ${owners.join(', ')}`
}

function nodeRow({ node, announces, reasons }: Pick<NodeExplanation, 'node' | 'announces' | 'reasons'>): string[] {
  const why = reasons.map(reasonText).join('; ')
  return [node, announces ? style('announces', 'green') : style('does not', 'red'), why]
}

function reasonText(reason: Reason): string {
  return `${reason.code}: ${formatReason(reason)}`
}

/** Addresses as text; everything else as the decisions hand it back. */
function json(explanation: Explanation): string {
  if (explanation.kind !== 'explained') return `${JSON.stringify(explanation, null, 2)}\n`
  const { service, allocation, layer2, bgp, reported, assumptions } = explanation
  const addresses = (list: Explained['allocation']['addresses']) => list.map(formatAddress)
  const body = {
    kind: explanation.kind,
    service: service.key,
    allocation: { ...allocation, addresses: addresses(allocation.addresses), next: addresses(allocation.next) },
    layer2: { ...layer2, addresses: addresses(layer2.addresses) },
    bgp,
    reported,
    assumptions,
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
