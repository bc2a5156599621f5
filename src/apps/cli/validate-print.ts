/** A verdict as text for people, and as JSON for programs (docs/guide/validate.md). */
import { type Config, formatCommunity, formatDuration, formatProblem, type Peer } from '../../core/config/index.ts'
import { formatAddress, type Range } from '../../core/ip/index.ts'
import { style } from './terminal.ts'
import type { PlacedProblem, Verdict } from './validate-check.ts'

export function verdictText({ valid, problems, config, notes }: Verdict): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const counts = `${plural(errors, 'error')}, ${plural(problems.length - errors, 'warning')}`
  const summary = valid
    ? `${style('valid', 'green')}: ${contents(config)}, ${counts}`
    : `${style('invalid', 'red')}: ${counts}`
  return [...problems.map(problemText), ...notes.map(note => `note: ${note}\n`), `${summary}\n`].join('')
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function contents(config: Config | undefined): string {
  const { pools = [], l2Advertisements = [], bgp } = config ?? {}
  const advertisements = l2Advertisements.length + (bgp?.advertisements.length ?? 0)
  const parts = [
    plural(pools.length, 'pool'),
    plural(advertisements, 'advertisement'),
    plural(bgp?.peers.length ?? 0, 'peer'),
  ]
  return parts.join(', ')
}

function problemText(problem: PlacedProblem): string {
  const { place, severity, hint } = problem
  const where = place === undefined ? '' : `${style(`${place.file}:${place.line}:${place.column}:`, 'bold')} `
  const lines = [`${where}${style(severity, severity === 'error' ? 'red' : 'bold')}: ${formatProblem(problem)}`]
  if (place !== undefined && !mayBeSecret(problem)) lines.push(...excerpt(place))
  if (hint !== undefined) lines.push(`    hint: ${hint}`)
  return `${lines.join('\n')}\n`
}

/** A line that holds a password, or belongs to a Secret, is not repeated: reports end up in the logs of CI. */
function mayBeSecret({ kind, place }: PlacedProblem): boolean {
  return kind === 'Secret' || /password["']?\s*:/i.test(place?.text ?? '')
}

const WIDEST = 160

function excerpt({ text, line, column, length }: NonNullable<PlacedProblem['place']>): string[] {
  if (text.length > WIDEST) return []
  const margin = ' '.repeat(String(line).length)
  const before = text.slice(0, column - 1).replace(/[^\t]/g, ' ')
  const pointer = style('^'.repeat(Math.min(length, Math.max(text.length - column + 1, 1))), 'red')
  return [`  ${style(`${line} |`, 'dim')} ${text}`, `  ${margin} ${style('|', 'dim')} ${before}${pointer}`]
}

export function verdictJson({ valid, problems, config, notes }: Verdict) {
  return {
    valid,
    problems: problems.map(({ severity, kind, name, namespace, path, message, hint, place }) => ({
      ...{ severity, kind, name, namespace: namespace ?? '', path, message, hint: hint ?? '' },
      ...(place === undefined ? {} : { file: place.file, line: place.line, column: place.column }),
    })),
    notes,
    ...(config === undefined ? {} : { config: configJson(config) }),
  }
}

/** Addresses and durations as text, sets as sorted lists, passwords not at all. */
export function configJson({ pools, l2Advertisements, bgp }: Config) {
  return {
    pools: pools.map(({ ranges, allocation, ...pool }) => ({
      ...pool,
      ranges: ranges.map(rangeText),
      ...(allocation === undefined
        ? {}
        : {
            allocation: {
              ...allocation,
              ...(allocation.namespaces ? { namespaces: sorted(allocation.namespaces) } : {}),
            },
          }),
    })),
    l2Advertisements: l2Advertisements.map(({ nodes, pools, interfaces, preferredNodes, ...rest }) => ({
      ...rest,
      nodes: sorted(nodes),
      pools: sorted(pools),
      interfaces: sorted(interfaces),
      preferredNodes: Object.fromEntries([...preferredNodes].sort(([a], [b]) => (a < b ? -1 : 1))),
    })),
    ...(bgp === undefined
      ? {}
      : {
          bgp: {
            ...bgp,
            peers: bgp.peers.map(peerJson),
            advertisements: bgp.advertisements.map(({ nodes, pools, peers, communities, ...rest }) => ({
              ...rest,
              nodes: sorted(nodes),
              pools: sorted(pools),
              peers: sorted(peers),
              communities: communities.map(formatCommunity),
            })),
          },
        }),
  }
}

function peerJson({ endpoint, sourceAddress, routerId, password, holdMs, keepaliveMs, connectMs, ...rest }: Peer) {
  return {
    ...rest,
    endpoint: 'address' in endpoint ? { address: formatAddress(endpoint.address) } : endpoint,
    ...(sourceAddress === undefined ? {} : { sourceAddress: formatAddress(sourceAddress) }),
    ...(routerId === undefined ? {} : { routerId: formatAddress(routerId) }),
    ...durations({ holdTime: holdMs, keepaliveTime: keepaliveMs, connectTime: connectMs }),
    ...(password === undefined ? {} : { password: '(redacted)' }),
  }
}

function durations(times: Record<string, number | undefined>): Record<string, string> {
  const given = Object.entries(times).filter((entry): entry is [string, number] => entry[1] !== undefined)
  return Object.fromEntries(given.map(([name, ms]) => [name, formatDuration(BigInt(Math.round(ms * 1e6)))]))
}

function rangeText({ family, first, last }: Range): string {
  return `${formatAddress({ family, value: first })}-${formatAddress({ family, value: last })}`
}

function sorted(names: ReadonlySet<string> | 'all'): string[] | 'all' {
  return names === 'all' ? 'all' : [...names].sort()
}
