/**
 * Sets of fields as server-side apply counts them (structured-merge-diff, fieldpath): a path is a list of elements, each
 * written as in FieldsV1: `f:name` of a map, `k:{"name":"a"}` of a list with keys, `v:"a"` of a set.
 */
import { isDeepStrictEqual } from 'node:util'
import { toJson } from './json.ts'
import { type Fields, isFields } from './object.ts'
import type { Resource } from './resources.ts'
import { childSchema, type Schema } from './schema.ts'

export type Path = readonly string[]

/** Paths by their text. */
export class FieldSet {
  readonly #paths: Map<string, Path>

  constructor(paths: Iterable<Path> = []) {
    this.#paths = new Map([...paths].map(path => [keyOf(path), path]))
  }

  get size(): number {
    return this.#paths.size
  }

  has(path: Path): boolean {
    return this.#paths.has(keyOf(path))
  }

  /** True also where something below the path is in the set. */
  touches(path: Path): boolean {
    const key = keyOf(path)
    return this.has(path) || [...this.#paths.keys()].some(other => other.startsWith(`${key}\0`))
  }

  *[Symbol.iterator](): Iterator<Path> {
    yield* this.#paths.values()
  }

  union(other: Iterable<Path>): FieldSet {
    return new FieldSet([...this, ...other])
  }

  minus(other: FieldSet): FieldSet {
    return new FieldSet([...this].filter(path => !other.has(path)))
  }

  and(other: FieldSet): FieldSet {
    return new FieldSet([...this].filter(path => other.has(path)))
  }

  equals(other: FieldSet): boolean {
    return this.size === other.size && this.minus(other).size === 0
  }
}

const keyOf = (path: Path): string => path.join('\0')

export function toFieldsV1(set: FieldSet): Fields {
  const root: Fields = {}
  for (const path of set) {
    let node = root
    for (const element of path) {
      node[element] ??= {}
      node = node[element] as Fields
    }
    node['.'] = {}
  }
  return withoutDots(root)
}

/** A member with nothing below it needs no dot. */
function withoutDots(node: Fields): Fields {
  const entries = Object.entries(node)
  if (entries.length === 1 && node['.'] !== undefined) return {}
  return Object.fromEntries(entries.map(([name, inner]) => [name, name === '.' ? {} : withoutDots(inner as Fields)]))
}

export function fromFieldsV1(fields: unknown): FieldSet {
  const paths: Path[] = []
  const walk = (node: unknown, path: Path): void => {
    const entries = isFields(node) ? Object.entries(node) : []
    if (entries.length === 0 && path.length > 0) paths.push(path)
    for (const [name, inner] of entries) {
      if (name === '.') paths.push(path)
      else walk(inner, [...path, name])
    }
  }
  walk(fields, [])
  return new FieldSet(paths)
}

/** As conflicts name it, `.spec.ports[port=80,protocol="TCP"].nodePort`. */
export function formatPath(path: Path): string {
  return path.map(formatElement).join('')
}

function formatElement(element: string): string {
  const text = element.slice(2)
  if (element.startsWith('f:')) return `.${text}`
  if (element.startsWith('v:')) return `[=${text}]`
  const keys = Object.entries(JSON.parse(text) as Fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `[${keys.join(',')}]`
}

/** How a value merges: by its schema; without one maps are granular and lists atomic, but for those with merge keys. */
export function mergeSchema({ schema, mergeKeys }: Resource): Schema {
  const known = schema ?? schemaOfKeys(mergeKeys)
  return { ...known, properties: { ...known.properties, metadata: METADATA } }
}

const METADATA: Schema = {
  properties: {
    finalizers: { 'x-kubernetes-list-type': 'set' },
    ownerReferences: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['uid'] },
  },
}

function schemaOfKeys(mergeKeys: Readonly<Record<string, string>>): Schema {
  const root: Schema = {}
  for (const [path, key] of Object.entries(mergeKeys)) {
    const names = path.split('.')
    let node = root
    names.forEach((name, index) => {
      node.properties ??= {}
      node.properties[name] ??= {}
      node = node.properties[name]
      const inList = index < names.length - 1 && Object.hasOwn(mergeKeys, names.slice(0, index + 1).join('.'))
      if (inList) node = node.items ??= {}
    })
    if (key === '') node['x-kubernetes-list-type'] = 'set'
    else Object.assign(node, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] })
  }
  return root
}

export function isGranularMap(value: unknown, schema: Schema): value is Fields {
  return isFields(value) && schema['x-kubernetes-map-type'] !== 'atomic'
}

export function isGranularList(value: unknown, schema: Schema): value is unknown[] {
  return Array.isArray(value) && ['map', 'set'].includes(schema['x-kubernetes-list-type'] ?? '')
}

/** The element of an item of a granular list; a key that is absent counts with its default. */
export function itemElement(item: unknown, schema: Schema): string {
  if (schema['x-kubernetes-list-type'] === 'set' || !isFields(item)) return `v:${toJson(item)}`
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()
  const values = keys.map(key => [key, item[key] ?? schema.items?.properties?.[key]?.default])
  return `k:${toJson(Object.fromEntries(values.filter(([, value]) => value !== undefined)))}`
}

export function partSchema(schema: Schema, name: string): Schema {
  return childSchema(schema, name) ?? {}
}

interface Leaf {
  readonly path: Path
  /** Of a scalar or an atomic list or map; undefined for the places that hold others. */
  readonly value: unknown
}

function* leaves(value: unknown, schema: Schema, path: Path = []): Generator<Leaf> {
  if (isGranularMap(value, schema)) {
    const names = Object.keys(value).filter(name => value[name] !== undefined)
    if (names.length === 0 && path.length > 0) yield { path, value: undefined }
    for (const name of names) yield* leaves(value[name], partSchema(schema, name), [...path, `f:${name}`])
  } else if (isGranularList(value, schema)) {
    for (const item of value) {
      const inner = [...path, itemElement(item, schema)]
      yield { path: inner, value: undefined }
      if (isFields(item)) yield* leaves(item, schema.items ?? {}, inner)
    }
  } else yield { path, value }
}

/** What nobody owns: identity and what the server writes. */
function ownable({ path }: Leaf): boolean {
  if (path[0] === 'f:apiVersion' || path[0] === 'f:kind') return false
  if (path[0] !== 'f:metadata') return true
  return path[1] !== undefined && OWNED_METADATA.has(path[1])
}

const OWNED_METADATA = new Set(['f:labels', 'f:annotations', 'f:finalizers', 'f:ownerReferences'])

export function fieldsOf(object: Fields, schema: Schema): FieldSet {
  return new FieldSet([...leaves(object, schema)].filter(ownable).map(({ path }) => path))
}

/** `changed`: added or with another value. */
export function compare(before: Fields, after: Fields, schema: Schema): { changed: FieldSet; removed: FieldSet } {
  const old = new Map([...leaves(before, schema)].filter(ownable).map(leaf => [keyOf(leaf.path), leaf]))
  const changed: Path[] = []
  for (const leaf of leaves(after, schema)) {
    if (!ownable(leaf)) continue
    const key = keyOf(leaf.path)
    const found = old.get(key)
    if (found === undefined || !isDeepStrictEqual(found.value, leaf.value)) changed.push(leaf.path)
    old.delete(key)
  }
  return { changed: new FieldSet(changed), removed: new FieldSet([...old.values()].map(({ path }) => path)) }
}
