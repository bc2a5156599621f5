/** `metallbctl convert`: BGPPeers between their versions, and the pre-0.13 ConfigMap to objects. */
import { parseArgs } from 'node:util'
import {
  type BGPPeerResource,
  type BGPPeerV1Beta1Resource,
  checkSchema,
  isOurs,
  toV1Beta1,
  toV1Beta2,
} from '../../api/index.ts'
import { formatProblem } from '../../core/config/index.ts'
import { type KubeObject, objectKey } from '../../core/object.ts'
import { EXIT } from './command.ts'
import { BadSource, convertSource, documents, writeWhole } from './convert-configmap.ts'
import { readWrittenFiles, textOf, UnreadableFile, type Written } from './files.ts'

const USAGE = `usage: metallbctl convert -f FILE|DIR|- [-f …] --to v1beta1|v1beta2 [-o FILE]
       metallbctl convert configmap -f FILE|- [--only-data] [-n NAMESPACE] [-o FILE]
`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  to: { type: 'string' },
  output: { type: 'string', short: 'o' },
  namespace: { type: 'string', short: 'n' },
  'only-data': { type: 'boolean', default: false },
} as const

/** 0: converted; 1: the content cannot be converted, nothing is written; 2: a file is not readable or writable; 3: usage. */
export async function convertCommand(args: string[]): Promise<number> {
  const read = readArgs(args)
  if (typeof read === 'string') return complain(`${read}\n${USAGE}`, EXIT.usage)
  const { values, configMap } = read
  try {
    const text = configMap ? convertOld(values) : convertPeers(readWrittenFiles(values.file), values.to!)
    if (values.output === undefined || values.output === '-') process.stdout.write(text)
    else writeWhole(values.output, text)
    return EXIT.ok
  } catch (error) {
    if (error instanceof BadSource) return complain(error.message, EXIT.failed)
    if (error instanceof UnreadableFile) return complain(error.message, EXIT.unknown)
    throw error
  }
}

function complain(message: string, code: number): number {
  process.stderr.write(`metallbctl convert: ${message}\n`)
  return code
}

function readArgs(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const configMap = positionals[0] === 'configmap'
    if (positionals.length > (configMap ? 1 : 0)) return `what is "${positionals.at(-1)}"?`
    if (values.file.length === 0) return 'which file (-f)?'
    if (configMap) return values.file.length > 1 ? 'one ConfigMap at a time' : { values, configMap }
    if (values.to !== 'v1beta1' && values.to !== 'v1beta2') return '--to: v1beta1 or v1beta2'
    return { values, configMap }
  } catch (error) {
    return (error as Error).message
  }
}

function convertOld(values: { file: string[]; namespace?: string; 'only-data': boolean }): string {
  const { file, namespace, 'only-data': onlyData } = values
  const note = (line: string) => void (line.startsWith('Changing ') && process.stderr.write(`${line}\n`))
  try {
    return convertSource(textOf(file[0]!), { namespace, onlyData }, note)
  } catch (error) {
    if (!(error instanceof BadSource)) throw error
    throw new BadSource(`failed to generate resources: ${error.message}`, { cause: error })
  }
}

function convertPeers(written: readonly Written[], to: string): string {
  const problems = written.flatMap(problemsOf)
  if (problems.length > 0) throw new BadSource(problems.join('\n'))
  return documents(written.map(({ object }) => (isPeer(object) ? convertPeer(object, to) : object)))
}

function isPeer(object: KubeObject): boolean {
  return object.kind === 'BGPPeer' && isOurs(object)
}

function problemsOf({ object, place }: Written): string[] {
  if (!isPeer(object)) return []
  const errors = checkSchema(object).filter(({ severity }) => severity === 'error')
  return errors.map(finding => {
    const { file, line, column } = place(finding.path)
    return `${file}:${line}:${column}: ${formatProblem({ kind: 'BGPPeer', ...object.metadata, ...finding })}`
  })
}

function convertPeer(object: KubeObject, to: string): KubeObject {
  if (object.apiVersion === `metallb.io/${to}`) return object
  if (to === 'v1beta2') return toV1Beta2(object as BGPPeerV1Beta1Resource)
  const { spec = { myASN: 0 } } = object as BGPPeerResource
  const converted = toV1Beta1({ ...object, spec })
  const lost = Object.entries(spec).filter(([name, value]) => isSet(value) && !(name in (converted.spec ?? {})))
  if (lost.length > 0) {
    const names = lost.map(([name]) => name).join(', ')
    process.stderr.write(`warning: BGPPeer ${objectKey(object.metadata)}: v1beta1 has no ${names}: lost\n`)
  }
  return converted
}

function isSet(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}
