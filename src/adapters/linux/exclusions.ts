/** Interfaces never announced on: `/etc/metallb/excludel2.yaml` (chapter 03 section 2.2). */
import { parse } from 'yaml'

/** An interface is excluded where any of them is found in its name. */
export type Exclusions = readonly RegExp[]

/** No file means no exclusions. */
export const NO_EXCLUSIONS: Exclusions = []

const FIELD = 'announcedInterfacesToExclude'
const MAX_PATTERN_LENGTH = 1000
/** Together with the 15 characters a name can have this bounds what a search can cost. */
const MAX_CHOICES = 10

/** @throws Error naming the entry and what is wrong with it */
export function parseExclusions(yamlText: string): Exclusions {
  const document: unknown = parse(yamlText)
  if (document === null || document === undefined) return NO_EXCLUSIONS
  if (typeof document !== 'object' || Array.isArray(document)) throw new Error(`expected a mapping with ${FIELD}`)
  const entries: unknown = (document as Record<string, unknown>)[FIELD] ?? []
  if (!Array.isArray(entries)) throw new Error(`${FIELD}: must be a list of regular expressions`)
  return entries.map((entry: unknown, index) => {
    const where = `${FIELD}[${index}]`
    if (typeof entry !== 'string') throw new Error(`${where}: must be a string`)
    try {
      return compile(entry)
    } catch (error) {
      throw new Error(`${where} "${entry}": ${(error as Error).message}`, { cause: error })
    }
  })
}

/** RE2 writes these otherwise than JavaScript does. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  '\\A': '(?<![\\s\\S])',
  '\\z': '(?![\\s\\S])',
  '(?P<': '(?<',
  '[:alnum:]': '0-9A-Za-z',
  '[:alpha:]': 'A-Za-z',
  '[:digit:]': '0-9',
  '[:lower:]': 'a-z',
  '[:upper:]': 'A-Z',
  '[:word:]': '0-9A-Za-z_',
  '[:xdigit:]': '0-9A-Fa-f',
  '[:punct:]': '!-\\/:-@\\[-`{-~',
  '[:space:]': '\\t\\n\\v\\f\\r ',
}
const TRANSLATED = /\\Q([\s\S]*?)(?:\\E|$)|\\[\s\S]|\(\?P<|\[:[a-z]+:\]/g

function compile(entry: string): RegExp {
  if (entry.length > MAX_PATTERN_LENGTH) throw new Error(`longer than ${MAX_PATTERN_LENGTH} characters`)
  const flags = /^\(\?([is]+)\)/.exec(entry)
  const pattern = flags === null ? entry : entry.slice(flags[0].length)
  refuseUnsupported(pattern)
  const translated = pattern.replace(TRANSLATED, (text: string, literal: string | undefined) =>
    literal === undefined ? (TRANSLATIONS[text] ?? text) : literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  )
  refuseCatastrophic(translated)
  return new RegExp(translated, flags === null ? '' : [...new Set(flags[1])].join(''))
}

/** What RE2 has not, and what it has and we do not translate. */
function refuseUnsupported(pattern: string): void {
  const found = /\(\?(?:<?[=!]|[a-zA-Z-]*[mU][a-zA-Z-]*[:)]|[a-zA-Z-]*\))|\\[1-9kpPCuc]/.exec(pattern)
  if (found !== null) throw new Error(`"${found[0]}" is not supported`)
}

const TOKEN = /\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]])*\]|\(|\)|\||[*+?]\??|\{[0-9]+(?:,[0-9]*)?\}\??|[\s\S]/g

/**
 * JavaScript's engine tries every way to match. Only nested choices make that explode: a repeated group with a choice
 * in it is refused, and so is a long row of choices.
 */
function refuseCatastrophic(pattern: string): void {
  const open: { choices: number }[] = [{ choices: 0 }]
  let closed: { choices: number } | undefined
  for (const [token] of pattern.matchAll(TOKEN)) {
    const repeats = /^[*+]|^\{/.test(token)
    if (repeats && closed !== undefined && closed.choices > 0)
      throw new Error('a repeated group that contains a repetition or an alternative could search for ever')
    closed = undefined
    if (token === '(') open.push({ choices: 0 })
    else if (token === ')' && open.length > 1) {
      closed = open.pop()!
      open.at(-1)!.choices += closed.choices
    } else if (repeats || token === '|' || /^\?\??$/.test(token)) open.at(-1)!.choices++
  }
  if (open[0]!.choices > MAX_CHOICES) throw new Error(`more than ${MAX_CHOICES} repetitions and alternatives`)
}
