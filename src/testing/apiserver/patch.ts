/** The three patch types: JSON (RFC 6902), merge (RFC 7396) and strategic merge (lists merged by a key). */
import jsonpatch from 'fast-json-patch'
import { ApiError, badRequest } from './errors.ts'
import { type Fields, isFields } from './object.ts'

/**
 * Which lists a strategic merge patch merges instead of replacing: the path without indices, and the key of the items
 * (`''` for lists of plain values).
 */
export type MergeKeys = Readonly<Record<string, string>>

const COMMON_KEYS: MergeKeys = { 'metadata.ownerReferences': 'uid', 'metadata.finalizers': '' }

export function jsonPatch(target: Fields, operations: unknown): Fields {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch is a list of operations')
  try {
    return jsonpatch.applyPatch(structuredClone(target), operations, true).newDocument as Fields
  } catch (error) {
    const { name, message } = error as Error
    const why = name === 'TEST_OPERATION_FAILED' ? 'testing value failed' : message.split('\n')[0]
    throw new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {})
  }
}

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result: Fields = isFields(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

export function strategicMerge(target: Fields, patch: Fields, keys: MergeKeys): Fields {
  return mergeFields(target, patch, { ...COMMON_KEYS, ...keys }, '')
}

function mergeFields(target: Fields, patch: Fields, keys: MergeKeys, path: string): Fields {
  if (patch.$patch === 'replace') return withoutDirectives(patch)
  if (patch.$patch === 'delete') return {}
  const result = retained(target, patch)
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    const inner = path === '' ? key : `${path}.${key}`
    if (value === null) delete result[key]
    else if (isFields(value)) result[key] = mergeFields(isFields(result[key]) ? result[key] : {}, value, keys, inner)
    else if (Array.isArray(value) && Object.hasOwn(keys, inner))
      result[key] = mergeList(result[key], value, keys, inner)
    else result[key] = value
  }
  for (const [key, value] of Object.entries(patch)) applyListDirective(result, key, value, keys, path)
  return result
}

/** `$retainKeys`: only these fields of the target survive. */
function retained(target: Fields, patch: Fields): Fields {
  const keep = patch.$retainKeys
  if (!Array.isArray(keep)) return { ...target }
  return Object.fromEntries(Object.entries(target).filter(([key]) => keep.includes(key)))
}

function withoutDirectives(patch: Fields): Fields {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')))
}

function mergeList(target: unknown, patch: unknown[], keys: MergeKeys, path: string): unknown[] {
  const key = keys[path]!
  const items = Array.isArray(target) ? [...target] : []
  if (key === '') return [...new Set([...items, ...patch])]
  if (patch.some(item => isFields(item) && item.$patch === 'replace' && item[key] === undefined))
    return patch.filter(item => isFields(item) && item.$patch === undefined)
  for (const item of patch) mergeItem(items, item, key, keys, path)
  return items
}

function mergeItem(items: unknown[], item: unknown, key: string, keys: MergeKeys, path: string): void {
  if (!isFields(item)) throw badRequest(`${path}: a strategic merge patch needs objects here`)
  if (item[key] === undefined) throw badRequest(`${path}: map does not contain declared merge key: ${key}`)
  const at = items.findIndex(other => isFields(other) && other[key] === item[key])
  if (item.$patch === 'delete') {
    if (at >= 0) items.splice(at, 1)
  } else if (at >= 0) items[at] = mergeFields(items[at] as Fields, item, keys, path)
  else items.push(mergeFields({}, item, keys, path))
}

function applyListDirective(result: Fields, key: string, value: unknown, keys: MergeKeys, path: string): void {
  const directive = /^\$(deleteFromPrimitiveList|setElementOrder)\/(.+)$/.exec(key)
  if (directive === null || !Array.isArray(value)) return
  const field = directive[2]!
  const list = result[field]
  if (!Array.isArray(list)) return
  if (directive[1] === 'deleteFromPrimitiveList') result[field] = list.filter(item => !value.includes(item))
  else result[field] = inOrder(list, value, keys[path === '' ? field : `${path}.${field}`] ?? '')
}

/** Items that the order names come in that order; the others keep their places. */
function inOrder(list: unknown[], order: unknown[], key: string): unknown[] {
  const idOf = (item: unknown) => (isFields(item) && key !== '' ? item[key] : item)
  const rank = new Map(order.map((item, index) => [idOf(item), index]))
  const ranked = list.filter(item => rank.has(idOf(item)))
  ranked.sort((a, b) => rank.get(idOf(a))! - rank.get(idOf(b))!)
  return list.map(item => (rank.has(idOf(item)) ? ranked.shift() : item))
}
