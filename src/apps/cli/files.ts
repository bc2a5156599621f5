/** Kubernetes objects from YAML and JSON files, each with the place it was written at. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, isMap, isSeq, LineCounter, type Node, parseAllDocuments, type TagId, type Tags } from 'yaml'
import type { KubeObject } from '../../core/object.ts'
import { type Part, type Place, placeOfNode, placeOfPath, type Source } from './places.ts'

/** A file that cannot be read as objects; the message names file, line and column. */
export class UnreadableFile extends Error {}

/** An object of a file. */
export interface Written {
  readonly object: KubeObject
  /** Where the field is written, e.g. `spec.addresses[1]`; of a field that is not there, where its parent is. */
  place(path: string, part?: Part): Place
}

/** Every object of the files; a directory stands for its .yaml, .yml and .json files, `-` for standard input. @throws UnreadableFile */
export function readWrittenFiles(paths: readonly string[]): Written[] {
  return paths.flatMap(filesOf).flatMap(file => parseWritten(textOf(file), file === '-' ? 'standard input' : file))
}

/** As `readWrittenFiles`, without the places. @throws UnreadableFile */
export function readObjectFiles(paths: readonly string[]): KubeObject[] {
  return readWrittenFiles(paths).map(({ object }) => object)
}

function filesOf(path: string): string[] {
  if (path === '-') return ['-']
  try {
    if (!statSync(path).isDirectory()) return [path]
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
    return names
      .filter(name => /\.(ya?ml|json)$/.test(name))
      .sort()
      .map(name => join(path, name))
  } catch (error) {
    throw new UnreadableFile((error as Error).message, { cause: error })
  }
}

/** The text of a file, or of standard input for `-`. @throws UnreadableFile */
export function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new UnreadableFile(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** `kind: List` is unpacked; documents that are empty are passed over. @throws UnreadableFile */
export function parseWritten(text: string, file: string): Written[] {
  const lines = new LineCounter()
  const source = { file, text, lines }
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      version: '1.1',
      merge: true,
      customTags: goTags,
      logLevel: 'error',
    })
    return [...documents].flatMap(document => writtenIn(document, source))
  } catch (error) {
    if (error instanceof UnreadableFile) throw error
    // The library's limits: too many aliases, nesting deeper than the stack.
    throw new UnreadableFile(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * Go's YAML, which Kubernetes uses, is 1.1 without numbers of base 60 (`64512:10` is a community) and without times
 * (`2026-01-02` is a label), which 1.1 has as well.
 */
export function goTags(tags: Tags): Tags {
  return tags.filter((tag: Tags[number] | TagId) => {
    if (typeof tag === 'string') return !['intTime', 'floatTime', 'timestamp'].includes(tag)
    return tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME')
  })
}

function writtenIn(document: Document.Parsed, source: Source): Written[] {
  const [error] = document.errors
  if (error !== undefined) {
    const { line, col } = source.lines.linePos(error.pos[0])
    throw new UnreadableFile(`${source.file}:${line}:${col}: ${error.message}`)
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  if (value === null || value === undefined) return []
  return unpack(value, document.contents!).map(([object, node]) => ({
    object: checked(object, placeOfNode(source, node)),
    place: (path, part = 'value') => placeOfPath(source, document, node, path, part),
  }))
}

function unpack(value: unknown, contents: Node): [unknown, Node][] {
  const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : undefined
  if (!Array.isArray(items)) return [[value, contents]]
  const list = isMap(contents) ? contents.get('items', true) : undefined
  return items.map((item, index) => [item, (isSeq(list) ? (list.items[index] as Node | null) : null) ?? contents])
}

function checked(value: unknown, { file, line, column }: Place): KubeObject {
  const object = value as Partial<KubeObject> | null
  const { kind, metadata } = typeof object === 'object' && object !== null ? object : {}
  if (
    typeof kind !== 'string' ||
    typeof metadata !== 'object' ||
    metadata === null ||
    typeof metadata.name !== 'string'
  )
    throw new UnreadableFile(`${file}:${line}:${column}: not a Kubernetes object: kind and metadata.name are needed`)
  return object as KubeObject
}
