/** What `metallbctl explain` prints. */
import {
  type Explained,
  type Explanation,
  isTold,
  type ServiceView,
  type StaleProcess,
  type Told,
} from '../../control/explain/index.ts'
import { formatProblem } from '../../core/config/index.ts'
import { formatAddress } from '../../core/ip/index.ts'
import type { BgpNodeExplanation, NodeExplanation } from '../../core/plan/index.ts'
import { formatReason, type Reason } from '../../core/reason.ts'
import { style, table } from './terminal.ts'

export function explanationText(explanation: Explanation, key: string): string {
  switch (explanation.kind) {
    case 'no such service':
      return `Service ${key}: there is no such Service\n`
    case 'invalid configuration': {
      const { problems, views, stale } = explanation
      const first = `Service ${key}: the configuration is not valid, so the last valid one stays in force:`
      const lines = [
        first,
        ...problems.map(problem => `  ${formatProblem(problem)}`),
        ...staleLines(views, stale),
        ...spokenLines(views),
      ]
      return `${lines.join('\n')}\n`
    }
    case 'explained':
      return explainedText(explanation)
  }
}

function explainedText(explained: Explained): string {
  const { service, allocation, layer2, bgp, reported, views, stale, assumptions } = explained
  const lines = [style(`Service ${service.key}`, 'bold'), '', `Address: ${allocation.summary}`]
  lines.push(...allocation.reasons.map(reason => `  ${formatReason(reason)}`))
  if (allocation.sharedWith.length > 0) lines.push(`  shared with ${allocation.sharedWith.join(', ')}`)
  lines.push('', `Layer 2: ${headline(layer2.nodes)}`, ...rowsOr(layer2.refused, layer2.nodes, nodeRow))
  lines.push(`  ServiceL2Status: ${reported.length === 0 ? 'no node reports it' : `${reported.join(', ')} reports it`}`)
  if (bgp.configured) {
    const rowOf = (row: Told<BgpNodeExplanation>) => bgpRow(row, views)
    lines.push('', `BGP: ${bgpHeadline(bgp.nodes, views)}`, ...rowsOr(bgp.refused, bgp.nodes, rowOf))
  }
  lines.push(...staleLines(views, stale))
  if (assumptions.length > 0) lines.push('', 'Not known:', ...assumptions.map(assumption => `  ${assumption}`))
  return `${lines.join('\n')}\n`
}

/** Where the configuration of the cluster is in force nowhere, there is only what the speakers say. */
function spokenLines(views: readonly ServiceView[]): string[] {
  const said = views.flatMap(({ verdict }) => verdict ?? [])
  const layer2 = said.map(({ layer2 }): Told<NodeExplanation> => ({ ...layer2, by: 'speaker' }))
  const bgp = said.map(({ bgp }): Told<BgpNodeExplanation> => ({ ...bgp, by: 'speaker' }))
  if (said.length === 0) return ['', 'Not known: what the speakers announce, none was heard']
  return [
    ...['', `Layer 2: ${headline(layer2)}`, ...rowsOr([], layer2, nodeRow)],
    ...['', `BGP: ${bgpHeadline(bgp, views)}`, ...rowsOr([], bgp, row => bgpRow(row, views))],
  ]
}

/** What is not announced for a reason that holds everywhere needs no row a node, unless some speaker sees it otherwise. */
function rowsOr<R extends { announces: boolean }>(
  refused: readonly Reason[],
  rows: readonly R[],
  rowOf: (row: R) => string[],
): string[] {
  const all = refused.length > 0 && !rows.some(({ announces }) => announces)
  return all ? refused.map(reason => `  ${formatReason(reason)}`) : [table(rows.map(rowOf), '  ')]
}

function headline(rows: readonly { node: string; announces: boolean }[]): string {
  const owners = rows.filter(({ announces }) => announces).map(({ node }) => node)
  return owners.length === 0 ? 'no node announces it' : `announced from node ${owners.join(', ')}`
}

/** What nodes would announce reaches nobody without a session. */
function bgpHeadline(rows: readonly Told<BgpNodeExplanation>[], views: readonly ServiceView[]): string {
  const told = rows.filter(row => isTold(row, views))
  return told.length === 0 && rows.some(({ announces }) => announces) ? 'no router is told of it' : headline(told)
}

function nodeRow({
  node,
  announces,
  reasons,
}: Told<Pick<NodeExplanation, 'node' | 'announces' | 'reasons'>>): string[] {
  const does = announces ? style('announces', 'green') : style('does not', 'red')
  return [node, does, reasons.map(reasonText).join('; ')]
}

function bgpRow(row: Told<BgpNodeExplanation>, views: readonly ServiceView[]): string[] {
  const [node, does, why] = nodeRow(row) as [string, string, string]
  const sessions = views.find(view => view.node === row.node)?.sessions ?? []
  const told = row.announces ? [`to ${row.peers.map(peer => peerText(peer, sessions)).join(', ') || 'nobody'}`] : []
  return [node, does, [why, ...told, ...row.warnings.map(reasonText)].join('; ')]
}

/** A peer with what keeps it from knowing. */
function peerText(name: string, sessions: ServiceView['sessions']): string {
  const session = sessions.find(({ peer }) => peer === name)
  if (session === undefined) return name
  const { state, why, notSent } = session
  const down = state === 'established' ? [] : [`session is ${state}${why === undefined ? '' : `: ${why}`}`]
  const troubles = [...down, ...notSent]
  return troubles.length === 0 ? name : `${name} (${troubles.join('; ')})`
}

/** The configuration in force, where it is not that of the cluster; processes that say the same are told of together. */
function staleLines(views: readonly ServiceView[], stale: readonly StaleProcess[]): string[] {
  const groups = new Map<string, string[]>()
  const say = (who: string, ...lines: string[]) =>
    void groups.set(lines.join('\n'), [...(groups.get(lines.join('\n')) ?? []), who])
  const refusals = (text: string) => text.split('\n').map(why => `  refused: ${why}`)
  for (const { node, configuration } of views) {
    const { since, refused, differs } = configuration
    if (refused === undefined) continue
    const from = since === undefined ? 'none' : `that of ${since}`
    say(`speaker-${node}`, `in force is ${from}`, ...differs.map(one => `  since then: ${one}`), ...refusals(refused))
  }
  for (const { process, since, refused } of stale)
    say(process, `not the newest is in force${since === undefined ? '' : `, since ${since}`}`, ...refusals(refused))
  return [...groups].flatMap(([text, who]) => ['', ...`Configuration of ${who.join(', ')}: ${text}`.split('\n')])
}

function reasonText(reason: Reason): string {
  return `${reason.code}: ${formatReason(reason)}`
}

/** Addresses as text; everything else as the decisions hand it back. */
export function explanationJson(explanation: Explanation): string {
  if (explanation.kind !== 'explained') return `${JSON.stringify(explanation, null, 2)}\n`
  const { service, allocation, layer2 } = explanation
  const addresses = (list: Explained['allocation']['addresses']) => list.map(formatAddress)
  const body = {
    ...explanation,
    service: service.key,
    allocation: { ...allocation, addresses: addresses(allocation.addresses), next: addresses(allocation.next) },
    layer2: { ...layer2, addresses: addresses(layer2.addresses) },
  }
  return `${JSON.stringify(body, null, 2)}\n`
}
