/** Whether JSON from elsewhere is of the form that is read here; the message names the field that is not. */

/** A value that is of another form than it should be. */
export class Misshapen extends Error {}

/** Throws Misshapen. Fields that are not known are left alone: a newer version may say more. */
export type Check = (value: unknown, path: string) => void

/** For each field of T, of those that may be absent only where they are looked at. */
type Checks<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: Check } & {
  readonly [K in keyof T]?: Check
}

function refuse(value: unknown, path: string, expected: string): never {
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
  throw new Misshapen(`${path || 'the answer'}: expected ${expected}, found ${value === undefined ? 'nothing' : found}`)
}

function scalar(type: 'string' | 'number' | 'boolean'): Check {
  return (value, path) => {
    if (typeof value !== type) refuse(value, path, `a ${type}`)
  }
}

export const text = scalar('string')
export const count = scalar('number')
export const flag = scalar('boolean')

export function optional(check: Check): Check {
  return (value, path) => {
    if (value !== undefined) check(value, path)
  }
}

/** A word that stands for all, or what the check says. */
export function wordOr(word: string, check: Check): Check {
  return (value, path) => {
    if (value !== word) check(value, path)
  }
}

export function list(item: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(value, path, 'a list')
    for (const [index, part] of value.entries()) item(part, `${path}[${index}]`)
  }
}

/** An object of any names. */
export function map(entry: Check): Check {
  return (value, path) => {
    for (const [name, part] of Object.entries(objectAt(value, path))) entry(part, join(path, name))
  }
}

export function fields<T>(checks: Checks<T>): Check {
  return (value, path) => {
    const object = objectAt(value, path)
    for (const [name, check] of Object.entries<Check | undefined>(checks)) check?.(object[name], join(path, name))
  }
}

function objectAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(value, path, 'an object')
  return value as Readonly<Record<string, unknown>>
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
