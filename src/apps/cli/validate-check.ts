/** Everything that is wrong with a set of objects, each finding with its place, and the configuration they make. */
import {
  type BGPPeerV1Beta1Resource,
  checkSchema,
  groupObjects,
  isOurs,
  type ParseOptions,
  parseConfig,
  toV1Beta2,
} from '../../api/index.ts'
import type { Config, Problem } from '../../core/config/index.ts'
import type { KubeObject } from '../../core/object.ts'
import type { Written } from './files.ts'
import type { Part, Place } from './places.ts'

/** An object of a file, or of a cluster, which has no places. */
export type Checked = Pick<Written, 'object'> & Partial<Written>

export interface PlacedProblem extends Problem {
  readonly place?: Place
}

export interface Verdict {
  readonly valid: boolean
  /** In the order of the files and lines; what has no place comes last. */
  readonly problems: readonly PlacedProblem[]
  /** Present when valid. */
  readonly config?: Config
  /** What could not be checked. */
  readonly notes: readonly string[]
}

export interface CheckOptions extends Pick<ParseOptions, 'mode' | 'strictNative'> {
  /** The namespace of MetalLB; what names no namespace is in it. */
  readonly namespace: string
  /** Kinds that could not be read and are not checked. */
  readonly unread?: readonly string[]
}

const OTHER_KINDS = new Set(['Secret', 'ConfigMap', 'Node', 'Namespace'])
const CLUSTER_SCOPED = new Set(['Node', 'Namespace'])

export function check(given: readonly Checked[], options: CheckOptions): Verdict {
  const { namespace, unread = [] } = options
  const relevant = given.filter(({ object }) => isRelevant(object)).map(item => located(item, namespace))
  const { inPlace, astray } = byNamespace(relevant, namespace)
  const { first, again } = withoutTwins(inPlace)
  const schema = [...inPlace, ...astray].flatMap(schemaProblems)
  const notes = [...unread.map(kind => `${kind} objects could not be read, references to them are not checked`)]
  const parsed = parse(first, schema, options, notes)
  const found = 'problems' in parsed ? parsed.problems : parsed.warnings
  const parsedProblems = found.map(problem => placed(problem, first))
  const problems = [
    ...astray.filter(({ object }) => isOurs(object)).map(item => strayProblem(item, namespace)),
    ...again,
    ...schema.filter(finding => !parsedProblems.some(problem => says(problem, finding))),
    ...parsedProblems,
  ].sort(byPlace)
  const valid = problems.every(({ severity }) => severity !== 'error')
  return { valid, problems, ...(valid && 'config' in parsed ? { config: parsed.config } : {}), notes }
}

function isRelevant(object: KubeObject): boolean {
  return isOurs(object) || (OTHER_KINDS.has(object.kind ?? '') && (object.apiVersion ?? 'v1') === 'v1')
}

function located({ object, place }: Checked, namespace: string): Checked {
  const { metadata, kind = '' } = object
  if (metadata.namespace !== undefined || CLUSTER_SCOPED.has(kind)) return { object, place }
  return { object: { ...object, metadata: { ...metadata, namespace } }, place }
}

function byNamespace(items: readonly Checked[], namespace: string) {
  const here = ({ object: { kind = '', metadata } }: Checked) =>
    CLUSTER_SCOPED.has(kind) || metadata.namespace === namespace
  return { inPlace: items.filter(here), astray: items.filter(item => !here(item)) }
}

function identity({ kind = '', metadata: { namespace, name } }: KubeObject) {
  return { kind, name, ...(typeof namespace === 'string' ? { namespace } : {}) }
}

function keyOf({ kind, name }: { kind?: string; name: string }): string {
  return `${kind}/${name}`
}

/** The first of each kind and name, and a problem for every further one. */
function withoutTwins(items: readonly Checked[]): { first: Checked[]; again: PlacedProblem[] } {
  const first = new Map<string, Checked>()
  const again: PlacedProblem[] = []
  for (const item of items) {
    const self = identity(item.object)
    const earlier = first.get(keyOf(self))
    if (earlier === undefined) first.set(keyOf(self), item)
    else {
      const { file, line, column } = earlier.place?.('metadata.name') ?? { file: 'the cluster', line: 0, column: 0 }
      const message = `duplicate definition of ${self.kind} "${self.name}", which is defined at ${file}:${line}:${column} already`
      const hint = 'applied in this order the later one replaces the earlier one: keep one, or rename one'
      again.push({ ...problemAt(item, 'metadata.name'), message, hint, severity: 'error' })
    }
  }
  return { first: [...first.values()], again }
}

function problemAt({ object, place }: Checked, path: string, part: Part = 'value') {
  return { ...identity(object), path, place: place?.(path, part) }
}

/** The words of the webhook (chapter 01 section 4.3). */
function strayProblem(item: Checked, namespace: string): PlacedProblem {
  return {
    ...problemAt(item, 'metadata.namespace'),
    message: `resource must be created in ${namespace} namespace`,
    hint: 'MetalLB reads its own namespace only; -n names it',
    severity: 'error',
  }
}

function schemaProblems(item: Checked): PlacedProblem[] {
  if (!isOurs(item.object)) return []
  return checkSchema(item.object).map(({ unknown, ...finding }) => ({
    ...problemAt(item, finding.path, unknown ? 'key' : 'value'),
    ...finding,
  }))
}

/** What the rules read: in the stored version, and without the kinds that are not known here. */
function parse(items: readonly Checked[], schema: readonly PlacedProblem[], options: CheckOptions, notes: string[]) {
  const broken = new Set(schema.filter(({ severity }) => severity === 'error').map(keyOf))
  const objects = items.map(({ object }) => {
    const old = object.kind === 'BGPPeer' && object.apiVersion === 'metallb.io/v1beta1'
    return old && !broken.has(keyOf(identity(object))) ? toV1Beta2(object as BGPPeerV1Beta1Resource) : object
  })
  const all = groupObjects(objects)
  const known = Object.fromEntries(
    Object.entries(all).filter(([list]) => !options.unread?.some(kind => LISTS[kind] === list)),
  ) as typeof all
  const { secrets, ...others } = known
  const { mode, strictNative } = options
  const noSecrets = secrets === undefined || secrets.length === 0
  if (noSecrets && secrets !== undefined && all.peers?.some(peer => peer?.spec?.passwordSecret?.name))
    notes.push('no Secret is among the objects, so the password Secrets of peers are not checked')
  return parseConfig(noSecrets ? others : { ...others, secrets }, { mode, strictNative })
}

const LISTS: Readonly<Record<string, string>> = {
  BGPPeer: 'peers',
  BGPAdvertisement: 'bgpAdvertisements',
  BFDProfile: 'bfdProfiles',
  Secret: 'secrets',
  ConfigMap: 'configMaps',
}

function placed(problem: Problem, items: readonly Checked[]): PlacedProblem {
  const item = items.find(({ object }) => keyOf(identity(object)) === keyOf(problem))
  return { ...problem, place: item?.place?.(problem.path) }
}

/** Whether the rules have said it in their own words. */
function says(problem: Problem, { severity, path, ...finding }: Problem): boolean {
  return keyOf(problem) === keyOf(finding) && problem.severity === severity && problem.path.startsWith(path)
}

function byPlace({ place: a }: PlacedProblem, { place: b }: PlacedProblem): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1
}
