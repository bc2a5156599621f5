/** From API objects to the configuration, or to everything that is wrong with them: chapter 01 section 2. */
import type { Config, Problem } from '../../core/config/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { parseCommunities } from './communities.ts'
import { parseL2Advertisements } from './l2-advertisements.ts'
import { type Report, readObjects } from './objects.ts'
import { parsePools } from './pools.ts'
import type { ConfigSnapshot, Labelled } from './snapshot.ts'

export { groupObjects } from './group.ts'
export type { ConfigSnapshot } from './snapshot.ts'

export type ParsedConfig = { config: Config; warnings: Problem[] } | { problems: Problem[] }

/**
 * Every problem at once, in the order of section 2.2 and by name, whatever the order of the lists. Never throws: objects
 * that are not even of the right shape are problems as well.
 */
export function parseConfig(snapshot: ConfigSnapshot): ParsedConfig {
  const problems: Problem[] = []
  const report: Report = problem => void problems.push(problem)
  const nodes = labelled('Node', snapshot.nodes, report)
  const namespaces = labelled('Namespace', snapshot.namespaces, report)
  parseCommunities(snapshot.communities ?? [], report)
  const pools = parsePools(snapshot.pools ?? [], namespaces, report)
  const l2Advertisements = parseL2Advertisements(snapshot.l2Advertisements ?? [], pools, nodes, report)
  if (problems.some(({ severity }) => severity === 'error')) return { problems }
  return { config: { pools: pools.map(({ pool }) => pool), l2Advertisements }, warnings: problems }
}

function labelled(kind: string, objects: readonly KubeObject[] = [], report: Report): Labelled[] {
  const reading = { kind, noun: kind.toLowerCase(), fields: {} }
  return readObjects(reading, objects, report).map(({ metadata: { name, labels = {} } }) => ({ name, labels }))
}
