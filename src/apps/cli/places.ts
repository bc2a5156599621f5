/** Where in a file a field of an object is written. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml'

/** Line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** How many characters of the line belong to what is pointed at. */
  readonly length: number
  /** The line, without its end. */
  readonly text: string
}

/** A file that was read. */
export interface Source {
  readonly file: string
  readonly text: string
  readonly lines: LineCounter
}

/** The part of a field that is meant; of values that are maps and lists it is always the key, which reads better. */
export type Part = 'key' | 'value'

export function placeOfPath(source: Source, document: Document, root: Node, path: string, part: Part): Place {
  let found: Node = root
  let target: Node = root
  for (const name of stepsOf(path)) {
    const next = childOf(document, found, name)
    if (next === undefined) break
    found = next.value
    target = next.key !== undefined && (part === 'key' || !isScalar(found)) ? next.key : found
  }
  return placeOfNode(source, target)
}

export function placeOfNode({ file, text, lines }: Source, node: Node): Place {
  const [start, end] = node.range ?? [0, 0]
  const { line, col } = lines.linePos(start)
  const first = lines.lineStarts[line - 1] ?? 0
  const [written = ''] = /^[^\r\n]*/.exec(text.slice(first)) ?? []
  const length = Math.min(Math.max(end - start, 1), Math.max(written.length - (col - 1), 1))
  return { file, line: Math.max(line, 1), column: Math.max(col, 1), length, text: written }
}

/** `spec.addresses[1]` and `metadata.labels[a.b/c]` to their steps. */
function stepsOf(path: string): string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, name]) => index ?? name!)
}

function childOf(document: Document, node: Node, name: string): { key?: Node; value: Node } | undefined {
  const parent = isAlias(node) ? node.resolve(document) : node
  if (isSeq(parent)) {
    const value = parent.items[Number(name)] as Node | undefined
    return value ? { value } : undefined
  }
  if (!isMap(parent)) return undefined
  const pair = parent.items.find(({ key }) => keyText(key) === name)
  if (pair !== undefined) return { key: pair.key as Node, value: (pair.value ?? pair.key) as Node }
  return mergedInto(parent.items).flatMap(value => childOf(document, value, name) ?? [])[0]
}

/** What `<<` brings in. */
function mergedInto(pairs: readonly Pair[]): Node[] {
  const merged = pairs.filter(pair => isPair(pair) && keyText(pair.key) === '<<').map(({ value }) => value as Node)
  return merged.flatMap(value => (isSeq(value) ? (value.items as Node[]) : [value]))
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? (key.source ?? key.value) : key)
}
