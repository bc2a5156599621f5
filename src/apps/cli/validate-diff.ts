/** What applying files to a cluster would change: objects, the configuration they make, and whether it is valid. */
import { stringify } from 'yaml'
import { type BGPPeerV1Beta1Resource, isOurs, toV1Beta2 } from '../../api/index.ts'
import type { KubeObject, ObjectMeta } from '../../core/object.ts'
import type { Written } from './files.ts'
import { lineDiff } from './line-diff.ts'
import { style } from './terminal.ts'
import { type CheckOptions, check, type Verdict } from './validate-check.ts'
import type { Live } from './validate-live.ts'
import { configJson } from './validate-print.ts'

export interface ObjectChange {
  readonly action: 'create' | 'change'
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** Lines of a unified diff of the objects in YAML. */
  readonly diff: readonly string[]
}

export interface Difference {
  readonly before: Verdict
  readonly after: Verdict
  readonly changes: readonly ObjectChange[]
  /** Lines of a unified diff of the resolved configurations; empty where one of them is not valid. */
  readonly config: readonly string[]
}

/** Labels and annotations of a file are added to those in the cluster; everything else is replaced. */
export function difference(live: Live, files: readonly Written[], options: CheckOptions): Difference {
  const current = new Map(live.objects.map(object => [keyOf(object, options.namespace), object]))
  const applied = new Map(files.map(file => [keyOf(file.object, options.namespace), file]))
  const rest = live.objects.filter(object => !applied.has(keyOf(object, options.namespace)))
  const whole = { ...options, unread: live.unread }
  const before = check(
    live.objects.map(object => ({ object })),
    whole,
  )
  const after = check([...files, ...rest.map(object => ({ object }))], whole)
  const changes = [...applied].flatMap(
    ([key, { object }]) => changeOf(object, current.get(key), options.namespace) ?? [],
  )
  const config =
    before.config && after.config ? lineDiff(yaml(configJson(before.config)), yaml(configJson(after.config))) : []
  return { before, after, changes, config }
}

const CLUSTER_SCOPED = new Set(['Node', 'Namespace'])

function keyOf({ kind = '', metadata }: KubeObject, namespace: string): string {
  return `${kind}/${CLUSTER_SCOPED.has(kind) ? '' : (metadata.namespace ?? namespace)}/${metadata.name}`
}

function changeOf(object: KubeObject, live: KubeObject | undefined, namespace: string): ObjectChange | undefined {
  const { kind = '', metadata } = object
  if (!isOurs(object) && !['Secret', 'ConfigMap'].includes(kind)) return undefined
  const [old, now] = redacted(live && normal(live, namespace), normal(object, namespace, live?.metadata))
  const diff = lineDiff(old === undefined ? '' : yaml(old), yaml(now))
  if (live !== undefined && diff.length === 0) return undefined
  const action = live === undefined ? 'create' : 'change'
  return { action, kind, namespace: metadata.namespace ?? namespace, name: metadata.name, diff }
}

type Fields = Record<string, unknown>

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Without what the server writes, in the stored version, with empty fields left out. */
function normal(object: KubeObject, namespace: string, onto?: ObjectMeta): Fields {
  const stored =
    object.kind === 'BGPPeer' && object.apiVersion === 'metallb.io/v1beta1'
      ? toV1Beta2(object as BGPPeerV1Beta1Resource)
      : object
  const { status: _, metadata, ...rest } = stored as KubeObject & { status?: unknown }
  const { [APPLIED]: __, ...annotations } = { ...onto?.annotations, ...metadata.annotations }
  const labels = { ...onto?.labels, ...metadata.labels }
  const kept = { name: metadata.name, namespace: metadata.namespace ?? namespace, labels, annotations }
  return { ...rest, metadata: withoutEmpty(kept), ...specOf(rest) }
}

/** Defaults of the API server that say nothing. */
const DEFAULTS: Readonly<Record<string, Fields>> = {
  IPAddressPool: { autoAssign: true, avoidBuggyIPs: false },
  BGPAdvertisement: { aggregationLength: 32, aggregationLengthV6: 128 },
  BGPPeer: { peerPort: 179, disableMP: false, dualStackAddressFamily: false },
}

function specOf({ kind = '', spec }: { kind?: string; spec?: unknown }): Fields {
  if (typeof spec !== 'object' || spec === null) return {}
  const defaults = DEFAULTS[kind] ?? {}
  const entries = Object.entries(withoutEmpty(spec as Fields))
  return { spec: Object.fromEntries(entries.filter(([name, value]) => defaults[name] !== value)) }
}

function withoutEmpty(fields: Fields): Fields {
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
}

/** As kubectl does: whether a secret value changes is shown, the value is not. */
function redacted(before: Fields | undefined, after: Fields): [Fields | undefined, Fields] {
  const [old, now] = [structuredClone(before), structuredClone(after)]
  const places = after.kind === 'Secret' ? ['data', 'stringData'] : ['spec']
  for (const place of places) {
    const [was, is] = [old?.[place] as Fields | undefined, now[place] as Fields | undefined]
    const names = new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])
    for (const name of names) {
      if (place === 'spec' && name !== 'password') continue
      const equal = was?.[name] === is?.[name]
      if (was?.[name] !== undefined) was[name] = equal ? '***' : '*** (before)'
      if (is?.[name] !== undefined) is[name] = equal ? '***' : '*** (after)'
    }
  }
  return [old, now]
}

function yaml(value: unknown): string {
  return stringify(value, { sortMapEntries: true, aliasDuplicateObjects: false, lineWidth: 0 }).trimEnd()
}

export function differenceText({ before, after, changes, config }: Difference): string {
  const lines = changes.flatMap(({ action, kind, namespace, name, diff }) => [
    style(`${action} ${kind} ${namespace}/${name}`, 'bold'),
    ...diff.map(coloured),
  ])
  if (changes.length === 0) lines.push('applying the files changes nothing')
  if (config.length > 0) lines.push(style('resolved configuration', 'bold'), ...config.map(coloured))
  if (!before.valid)
    lines.push(after.valid ? 'the configuration of the cluster becomes valid' : 'it is not valid now either')
  else if (!after.valid) lines.push(style('the configuration becomes invalid', 'red'))
  return `${lines.join('\n')}\n`
}

function coloured(line: string): string {
  return line.startsWith('+') ? style(line, 'green') : line.startsWith('-') ? style(line, 'red') : line
}
