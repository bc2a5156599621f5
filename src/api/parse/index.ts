/** From API objects to the configuration, or to everything that is wrong with them: chapter 01 section 2. */
import type { BgpConfig, Config, Problem } from '../../core/config/index.ts'
import { echoConflicts } from '../../core/config/rules/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { parseBfdProfiles, readBfdProfiles } from './bfd-profiles.ts'
import { parseBgpAdvertisements, readBgpAdvertisements } from './bgp-advertisements.ts'
import { parseCommunities, readCommunities } from './communities.ts'
import { parseExtras } from './extras.ts'
import { checkFrr, warnFrrK8s } from './frr.ts'
import { parseL2Advertisements } from './l2-advertisements.ts'
import { strictNativeProblems } from './native.ts'
import { type Report, readObjects, reportOn } from './objects.ts'
import { readSecrets } from './password.ts'
import { parsePeers, readPeers } from './peers.ts'
import { parsePools } from './pools.ts'
import type { ConfigSnapshot, Labelled, ParseOptions } from './snapshot.ts'
import { warnTwins } from './twins.ts'

export { decodeBase64Text, encodeBase64Ascii } from './base64.ts'
export { BGP_EXTRAS } from './extras.ts'
export { groupObjects } from './group.ts'
export type { BgpMode, ConfigSnapshot, ParseOptions } from './snapshot.ts'

export type ParsedConfig = { config: Config; warnings: Problem[] } | { problems: Problem[] }

/**
 * Every problem at once, in the order of section 2.2 and by name, whatever the order of the lists. Never throws: objects
 * that are not even of the right shape are problems as well.
 */
export function parseConfig(snapshot: ConfigSnapshot, options: ParseOptions = {}): ParsedConfig {
  const read = readAll(snapshot, options)
  const built = build(snapshot, read, options)
  const problems = [...read.problems, ...modeProblems(read, built, options), ...built.problems]
  if (problems.some(({ severity }) => severity === 'error')) return { problems }
  const { pools, l2Advertisements, bgp } = built
  const config = { pools: pools.map(({ pool }) => pool), l2Advertisements, ...(hasBgp(snapshot) ? { bgp } : {}) }
  return { config, warnings: problems }
}

/** The objects that are of the right shape, of those that this process has to look at. */
function readAll(snapshot: ConfigSnapshot, { node, secretPassThrough = false }: ParseOptions) {
  const problems: Problem[] = []
  const report: Report = problem => void problems.push(problem)
  const nodes = labelled('Node', snapshot.nodes, report)
  const own = node === undefined ? undefined : (nodes.find(({ name }) => name === node) ?? { name: node, labels: {} })
  const { secrets } = snapshot
  return {
    problems,
    own,
    nodes,
    namespaces: labelled('Namespace', snapshot.namespaces, report),
    bfdProfiles: readBfdProfiles(snapshot.bfdProfiles ?? [], report),
    peers: readPeers(snapshot.peers ?? [], own, report),
    secrets: secrets === undefined || secretPassThrough ? undefined : readSecrets(secrets, report),
    communities: readCommunities(snapshot.communities ?? [], report),
    bgpAdvertisements: readBgpAdvertisements(snapshot.bgpAdvertisements ?? [], own, report),
  }
}

type Read = ReturnType<typeof readAll>

/** The values, and what is wrong with their content. */
function build(snapshot: ConfigSnapshot, read: Read, options: ParseOptions) {
  const problems: Problem[] = []
  const report: Report = problem => void problems.push(problem)
  const bfdProfiles = parseBfdProfiles(read.bfdProfiles, report)
  const profiles = snapshot.bfdProfiles && new Set(snapshot.bfdProfiles.map(object => object?.metadata?.name))
  const peers = parsePeers(read.peers, { profiles, secrets: read.secrets, node: read.own }, report)
  if (options.mode === 'frr-k8s') warnFrrK8s(read.peers, report)
  const aliases = parseCommunities(read.communities, report)
  const pools = parsePools(snapshot.pools ?? [], read.namespaces, report)
  const l2Advertisements = parseL2Advertisements(snapshot.l2Advertisements ?? [], pools, read.nodes, report)
  const context = { pools, nodes: read.nodes, ...(snapshot.communities ? { aliases } : {}) }
  const advertisements = parseBgpAdvertisements(read.bgpAdvertisements, context, report)
  const extras = parseExtras(snapshot.configMaps ?? [], report)
  const bgp: BgpConfig = { peers, advertisements, bfdProfiles, extras }
  checkEcho(pools, bgp, read, report)
  return { problems, pools, l2Advertisements, bgp }
}

type Built = ReturnType<typeof build>

function modeProblems(read: Read, { pools, bgp }: Built, { mode, strictNative = false }: ParseOptions): Problem[] {
  const problems: Problem[] = []
  if (mode === 'frr' || mode === 'frr-k8s') checkFrr(read.peers, read.nodes, problem => void problems.push(problem))
  if (mode === 'native') warnTwins(read.peers, own(read), problem => void problems.push(problem))
  if (mode !== 'native' || !strictNative) return problems
  return strictNativeProblems({ ...read, pools, advertisements: bgp.advertisements })
}

/** Whose sessions are of interest: the own node, or all. */
function own({ own: node, nodes }: Read): Read['nodes'] {
  return node === undefined ? nodes : [node]
}

function checkEcho(pools: Built['pools'], bgp: BgpConfig, { peers }: Read, report: Report): void {
  const conflicts = echoConflicts(
    pools.map(({ pool }) => pool),
    bgp.advertisements,
    bgp.peers,
    bgp.bfdProfiles,
  )
  for (const { pool, advertisement, peer } of conflicts) {
    const which = `pool ${pool} has bgpadvertisement ${advertisement} which references peer ${peer}`
    reportOn('BGPPeer', peers.find(({ metadata }) => metadata.name === peer)!, report).error({
      path: 'spec.bfdProfile',
      message: `${which} which has bfd echo enabled, which is not possible`,
      hint: 'IPv6 has no BFD echo packets: use a profile without echoMode, or announce the pool to other peers',
    })
  }
}

/** Whether the process loads any of the BGP kinds. */
function hasBgp({ peers, bgpAdvertisements, bfdProfiles }: ConfigSnapshot): boolean {
  return (peers ?? bgpAdvertisements ?? bfdProfiles) !== undefined
}

function labelled(kind: string, objects: readonly KubeObject[] = [], report: Report): Labelled[] {
  const reading = { kind, noun: kind.toLowerCase(), fields: {} }
  return readObjects(reading, objects, report).map(({ metadata: { name, labels = {} } }) => ({ name, labels }))
}
