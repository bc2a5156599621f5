/** kubeconfig files: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CredentialsError } from './access.ts'
import { type Fields, isFields } from './json.ts'

/** One mapping of a file that knows where it stands, so that every complaint names file and field. */
export class Section {
  readonly where: string
  readonly fields: Fields
  readonly #file: string
  readonly #path: string

  constructor(file: string, path: string, fields: Fields) {
    this.where = path === '' ? `kubeconfig ${file}` : `kubeconfig ${file}: ${path}`
    this.fields = fields
    this.#file = file
    this.#path = path
  }

  /** The mapping inside one field. */
  child(field: string): Section {
    const value = this.fields[field]
    return isFields(value) ? new Section(this.#file, this.#at(field), value) : this.fail(field, 'must be a mapping')
  }

  #at(field: string): string {
    return this.#path === '' ? field : `${this.#path}.${field}`
  }

  /** Names the field in the message. */
  fail(field: string, problem: string): never {
    throw new CredentialsError(`kubeconfig ${this.#file}: ${this.#at(field)}: ${problem}`)
  }

  has(field: string): boolean {
    return this.fields[field] !== undefined && this.fields[field] !== null && this.fields[field] !== ''
  }

  text(field: string): string | undefined {
    if (!this.has(field)) return undefined
    const value = this.fields[field]
    return typeof value === 'string' ? value : this.fail(field, 'must be a string')
  }

  flag(field: string): boolean {
    const value = this.fields[field] ?? false
    return typeof value === 'boolean' ? value : this.fail(field, 'must be true or false')
  }

  list(field: string): unknown[] {
    const value = this.fields[field] ?? []
    return Array.isArray(value) ? value : this.fail(field, 'must be a list')
  }

  texts(field: string): string[] {
    return this.list(field).map(item => (typeof item === 'string' ? item : this.fail(field, 'must hold strings only')))
  }

  /** A path in a field, seen from the directory of the file (kubectl's rule). */
  path(field: string): string | undefined {
    const value = this.text(field)
    return value === undefined ? undefined : resolve(dirname(this.#file), value)
  }

  /** PEM from `<field>-data` in base64, which wins, or from the file that `<field>` names. */
  pem(field: string): string | undefined {
    const data = this.text(`${field}-data`)
    if (data !== undefined) return decodePem(data) ?? this.fail(`${field}-data`, 'is not PEM in base64')
    const path = this.path(field)
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      return this.fail(field, (error as Error).message)
    }
  }
}

function decodePem(data: string): string | undefined {
  const text = Buffer.from(data, 'base64').toString('latin1')
  return text.includes('-----BEGIN ') ? text : undefined
}

export interface Kubeconfig {
  /** For messages. */
  readonly files: string
  readonly currentContext?: string
  readonly clusters: ReadonlyMap<string, Section>
  readonly users: ReadonlyMap<string, Section>
  readonly contexts: ReadonlyMap<string, Section>
}

/**
 * Reads and merges the files: the first to name an entry, or the current context, wins. Files that do not exist are
 * passed over as long as one of them does.
 */
export async function readKubeconfig(paths: readonly string[]): Promise<Kubeconfig> {
  const present = paths.filter(path => existsSync(path))
  if (present.length === 0) throw new CredentialsError(`kubeconfig ${paths.join(', ')}: no such file`)
  const roots: [string, Section][] = []
  for (const path of present) roots.push([path, await readRoot(path)])
  return {
    files: present.join(', '),
    currentContext: roots.map(([, root]) => root.text('current-context')).find(Boolean),
    clusters: merge(roots, 'clusters', 'cluster'),
    users: merge(roots, 'users', 'user'),
    contexts: merge(roots, 'contexts', 'context'),
  }
}

async function readRoot(path: string): Promise<Section> {
  // In-cluster the library is never loaded. Through `default`: a bundle gives a CommonJS module no named exports.
  const { parse } = (await import('yaml')).default
  try {
    const root: unknown = parse(readFileSync(path, 'utf8'), { version: '1.1', logLevel: 'error' })
    if (isFields(root)) return new Section(path, '', root)
  } catch (error) {
    throw new CredentialsError(`kubeconfig ${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  throw new CredentialsError(`kubeconfig ${path}: must be a mapping`)
}

function merge(roots: readonly [string, Section][], plural: string, singular: string): Map<string, Section> {
  const merged = new Map<string, Section>()
  for (const [path, root] of roots) {
    for (const [index, entry] of root.list(plural).entries()) {
      const { name, value } = namedEntry(root, `${plural}[${index}]`, entry, singular)
      if (!merged.has(name)) merged.set(name, new Section(path, `${plural}[${index}].${singular}`, value))
    }
  }
  return merged
}

function namedEntry(root: Section, field: string, entry: unknown, singular: string): { name: string; value: Fields } {
  if (!isFields(entry) || typeof entry.name !== 'string') return root.fail(field, 'must be a mapping with a name')
  const value = entry[singular] ?? {}
  return isFields(value) ? { name: entry.name, value } : root.fail(`${field}.${singular}`, 'must be a mapping')
}
