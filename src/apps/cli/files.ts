/** Kubernetes objects from YAML and JSON files. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LineCounter, parseAllDocuments } from 'yaml'
import type { KubeObject } from '../../core/object.ts'

/** A file that cannot be read as objects; the message names file, line and column. */
export class UnreadableFile extends Error {}

/** Every object of the files; a directory stands for its .yaml, .yml and .json files, `-` for standard input. @throws UnreadableFile */
export function readObjectFiles(paths: readonly string[]): KubeObject[] {
  return paths.flatMap(filesOf).flatMap(file => parseObjects(textOf(file), file === '-' ? 'standard input' : file))
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

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new UnreadableFile(`${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** `kind: List` is unpacked; documents that are empty are passed over. */
export function parseObjects(text: string, file: string): KubeObject[] {
  const lineCounter = new LineCounter()
  const objects: KubeObject[] = []
  for (const document of parseAllDocuments(text, { lineCounter, version: '1.1', merge: true })) {
    const [error] = document.errors
    if (error !== undefined) throw new UnreadableFile(`${file}:${placeOf(lineCounter, error.pos[0])}: ${error.message}`)
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    if (value === null || value === undefined) continue
    const place = `${file}:${placeOf(lineCounter, document.contents?.range?.[0] ?? 0)}`
    for (const object of unpack(value)) objects.push(checked(object, place))
  }
  return objects
}

function unpack(value: unknown): unknown[] {
  const isList = typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)
  return isList ? (value as { items: unknown[] }).items : [value]
}

function checked(value: unknown, place: string): KubeObject {
  const object = value as Partial<KubeObject> | null
  const { kind, metadata } = typeof object === 'object' && object !== null ? object : {}
  if (
    typeof kind !== 'string' ||
    typeof metadata !== 'object' ||
    metadata === null ||
    typeof metadata.name !== 'string'
  )
    throw new UnreadableFile(`${place}: not a Kubernetes object: kind and metadata.name are needed`)
  return object as KubeObject
}

function placeOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${line}:${col}`
}
