/** Objects as the server holds them: JSON values that are never changed once stored. */
import { randomUUID } from 'node:crypto'
import type { ObjectMeta } from '../../core/object.ts'

export interface Meta extends ObjectMeta {
  deletionGracePeriodSeconds?: number
}

export interface KubeJson {
  apiVersion: string
  kind: string
  metadata: Meta
  [field: string]: unknown
}

export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields under a name, empty where there are none. */
export function fieldsAt(object: Fields, name: string): Fields {
  const value = object[name]
  return isFields(value) ? value : {}
}

/** The value at a path of plain names, `spec.nodeName`. */
export function valueAt(object: unknown, path: string): unknown {
  let value: unknown = object
  for (const name of path.split('.')) value = isFields(value) ? value[name] : undefined
  return value
}

export function listAt(object: unknown, path: string): Fields[] {
  const value = valueAt(object, path)
  return Array.isArray(value) ? value.filter(isFields) : []
}

/** RFC 3339 in whole seconds, as metav1.Time prints. */
export function timestamp(ms = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

export const newUid = (): string => randomUUID()

/** The five characters that generateName appends; no vowels, as in Kubernetes. */
export function nameSuffix(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789'
  return Array.from({ length: 5 }, () => letters[Math.floor(Math.random() * letters.length)]).join('')
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
