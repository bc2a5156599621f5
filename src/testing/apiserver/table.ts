/** Answers as tables (meta.k8s.io/v1 Table), what `kubectl get` prints. */
import type { KubeJson } from './object.ts'

export interface Column {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  /** Above zero: only shown by `-o wide`. */
  readonly priority?: number
  /** The cell's value; undefined prints as `<none>` for built-in kinds and as nothing for custom ones. */
  readonly cell: (object: KubeJson) => unknown
}

/** Which part of the object a row carries (query parameter includeObject). */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export const NAME: Column = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name }
export const AGE: Column = { name: 'Age', type: 'string', cell: ({ metadata }) => age(metadata.creationTimestamp) }

/** Name first, unless the kind has it elsewhere; and the age where the kind names no columns of its own. */
function allColumns(columns: readonly Column[]): readonly Column[] {
  if (columns.length === 0) return [NAME, AGE]
  return columns.some(({ name }) => name === 'Name') ? columns : [NAME, ...columns]
}

export function table(
  columns: readonly Column[],
  objects: readonly KubeJson[],
  metadata: Record<string, unknown>,
  include: IncludeObject = 'Metadata',
): Record<string, unknown> {
  const all = allColumns(columns)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: all.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    rows: objects.map(object => ({
      cells: all.map(column => column.cell(object) ?? null),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  }
}

export function partial({ metadata }: KubeJson): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

/** The age as kubectl prints durations: `5s`, `3m20s`, `5h`, `12d`. */
export function age(since: unknown, now = Date.now()): string {
  if (typeof since !== 'string') return '<unknown>'
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  const two = (big: number, unit: string, rest: number, small: string) =>
    rest === 0 ? `${big}${unit}` : `${big}${unit}${rest}${small}`
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  return days < 730 ? `${days}d` : `${Math.floor(days / 365)}y`
}
