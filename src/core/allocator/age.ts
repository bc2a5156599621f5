import type { Service } from '../service.ts'

/** Oldest first, then by key: of two that want one address the oldest is right (D1, D14). */
export function byAge(a: Service, b: Service): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
