/** Command-line flags in Go's `flag` syntax, as existing manifests and scripts use it (chapter 05 section 1.2). */

interface FlagBase {
  readonly help: string
  /** Environment variable that gives the default. */
  readonly env?: string
}

export type FlagSpec =
  | (FlagBase & { readonly type: 'string'; readonly default: string })
  | (FlagBase & { readonly type: 'int'; readonly default: number })
  | (FlagBase & { readonly type: 'bool'; readonly default: boolean })

export type FlagSpecs = Readonly<Record<string, FlagSpec>>

export type FlagValues<S extends FlagSpecs> = {
  [K in keyof S]: S[K]['type'] extends 'int' ? number : S[K]['type'] extends 'bool' ? boolean : string
}

/** What the command line asks for: to run with these values, to print help, or a complaint. */
export type ParsedFlags<S extends FlagSpecs> =
  | { kind: 'run'; flags: FlagValues<S>; rest: string[] }
  | { kind: 'help' }
  | { kind: 'error'; message: string }

type Value = string | number | boolean

const BOOLS: Readonly<Record<string, boolean>> = {
  ...{ '1': true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ '0': false, f: false, F: false, false: false, FALSE: false, False: false },
}

/** An explicit flag wins over its environment variable, which wins over the built-in default; the last repetition wins. */
export function parseFlags<S extends FlagSpecs>(
  specs: S,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ParsedFlags<S> {
  const values: Record<string, Value> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const given = (spec.env !== undefined && env[spec.env]) || undefined
    const value = given === undefined ? spec.default : readValue(spec, given)
    if (value === undefined) return complaint(`invalid value "${given}" for ${spec.env}: parse error`)
    values[name] = value
  }
  const rest = [...args]
  while (rest[0] !== undefined && rest[0].length > 1 && rest[0].startsWith('-')) {
    const argument = rest.shift()!
    if (argument === '--') break
    const taken = takeFlag(specs, argument, rest)
    if ('kind' in taken) return taken
    values[taken.name] = taken.value
  }
  return { kind: 'run', flags: values as FlagValues<S>, rest }
}

/** Reads one flag; takes its value from the front of `rest` where it is not written with `=`. */
function takeFlag(
  specs: FlagSpecs,
  argument: string,
  rest: string[],
): { name: string; value: Value } | { kind: 'help' } | { kind: 'error'; message: string } {
  const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument) ?? []
  if (name === undefined) return complaint(`bad flag syntax: ${argument}`)
  const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
  if (spec === undefined) {
    return name === 'h' || name === 'help' ? { kind: 'help' } : complaint(`flag provided but not defined: -${name}`)
  }
  const text = inline ?? (spec.type === 'bool' ? 'true' : rest.shift())
  if (text === undefined) return complaint(`flag needs an argument: -${name}`)
  const value = readValue(spec, text)
  if (value !== undefined) return { name, value }
  return complaint(`invalid ${spec.type === 'bool' ? 'boolean ' : ''}value "${text}" for flag -${name}: parse error`)
}

const complaint = (message: string) => ({ kind: 'error' as const, message })

function readValue(spec: FlagSpec, text: string): Value | undefined {
  switch (spec.type) {
    case 'string':
      return text
    case 'bool':
      return Object.hasOwn(BOOLS, text) ? BOOLS[text] : undefined
    case 'int':
      return parseInteger(text)
  }
}

/** Decimal, `0x`, `0o`, `0b`, with a sign; underscores are not taken. */
function parseInteger(text: string): number | undefined {
  const [, sign, digits] = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)$/.exec(text) ?? []
  if (digits === undefined) return undefined
  const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits)
  return Number.isSafeInteger(value) ? (sign === '-' ? -value : value) : undefined
}

/** The usage text that follows a complaint or `--help`. */
export function usage(command: string, specs: FlagSpecs): string {
  const lines = [`Usage of ${command}:`]
  for (const name of Object.keys(specs).sort()) {
    const spec = specs[name]!
    lines.push(`  -${name}${spec.type === 'bool' ? '' : ` ${spec.type}`}`)
    const env = spec.env === undefined ? '' : ` [env ${spec.env}]`
    const shown = spec.default === '' || spec.default === false ? '' : ` (default ${JSON.stringify(spec.default)})`
    lines.push(`    \t${spec.help}${env}${shown}`)
  }
  return `${lines.join('\n')}\n`
}
