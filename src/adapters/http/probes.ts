/** /healthz and /readyz (chapter 05 section 1.10, decision 10). */
import type { Server } from 'node:http'
import type { Logger, Task } from '../../ports/index.ts'
import { type Answer, close, listen, openServer } from './server.ts'

/** True, or the sentence that says what is missing; the sentence goes to the log, never to the client. */
export type Check = () => true | string
export type Checks = Readonly<Record<string, Check>>

export interface ProbeOptions {
  readonly port: number
  /** Default: every address. */
  readonly host?: string
  readonly log: Logger
  /** What must hold for `/readyz`, by name. `/healthz` says only that the process answers. */
  readonly readyz: Checks
}

interface Line {
  readonly name: string
  readonly state: 'ok' | 'excluded' | 'failed'
}

export class ProbeServer implements Task {
  readonly name = 'probes'
  readonly #options: ProbeOptions
  readonly #server: Server
  #port = 0
  #lastProblems = ''

  constructor(options: ProbeOptions) {
    this.#options = options
    this.#server = openServer(async url => this.#answer(url))
  }

  /** The one in use, where 0 was asked for. */
  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    this.#port = await listen(this.#server, this.#options.port, this.#options.host)
  }

  async stop(): Promise<void> {
    await close(this.#server)
  }

  ready(): true {
    return true
  }

  #answer({ pathname, searchParams }: URL): Answer {
    const [, probe = '', check = ''] = pathname.split('/')
    if (pathname.split('/').length > 3 || (probe !== 'healthz' && probe !== 'readyz')) return notFound()
    const checks = probe === 'readyz' ? this.#options.readyz : {}
    if (check === '' || check === probe) return this.#aggregate(probe, checks, searchParams)
    if (!Object.hasOwn(checks, check)) return notFound()
    return checks[check]!() === true ? { body: 'ok' } : { status: 500, body: 'internal server error: reason withheld' }
  }

  #aggregate(probe: string, checks: Checks, query: URLSearchParams): Answer {
    const exclude = new Set(query.getAll('exclude').filter(Boolean))
    const problems = problemsOf(checks, exclude)
    this.#report(probe, problems)
    const failed = problems.size > 0
    if (!failed && !query.has('verbose')) return { body: 'ok' }
    const lines = linesOf(probe, checks, exclude, problems).map(formatLine)
    const known = [probe, ...Object.keys(checks)]
    const unknown = [...exclude].filter(name => !known.includes(name)).map(name => `"${name}"`)
    if (unknown.length > 0)
      lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(', ')}`)
    lines.push(`healthz check ${failed ? 'failed' : 'passed'}`) // the word is the same for both probes (E20)
    return { status: failed ? 500 : 200, body: `${lines.join('\n')}\n` }
  }

  /** Once for each change: probes come every few seconds. */
  #report(probe: string, problems: ReadonlyMap<string, string>): void {
    if (probe !== 'readyz') return
    const text = [...problems].map(([name, problem]) => `${name}: ${problem}`).join('; ')
    if (text === this.#lastProblems) return
    this.#lastProblems = text
    if (text === '') this.#options.log.info({ op: 'readyz', msg: 'ready' })
    else this.#options.log.info({ op: 'readyz', msg: 'not ready', reason: text })
  }
}

function problemsOf(checks: Checks, exclude: ReadonlySet<string>): Map<string, string> {
  const problems = new Map<string, string>()
  for (const [name, check] of Object.entries(checks)) {
    const answer = exclude.has(name) || check()
    if (answer !== true) problems.set(name, answer)
  }
  return problems
}

/** What holds is part of the probe's own line; what was excluded or fails has a line of its own. */
function linesOf(probe: string, checks: Checks, exclude: ReadonlySet<string>, problems: ReadonlyMap<string, string>) {
  const own: Line = { name: probe, state: exclude.has(probe) ? 'excluded' : problems.size > 0 ? 'failed' : 'ok' }
  const named = Object.keys(checks)
    .filter(name => exclude.has(name) || problems.has(name))
    .map((name): Line => ({ name, state: problems.has(name) ? 'failed' : 'excluded' }))
  return [...named, own].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function formatLine({ name, state }: Line): string {
  if (state === 'failed') return `[-]${name} failed: reason withheld`
  return state === 'excluded' ? `[+]${name} excluded: ok` : `[+]${name} ok`
}

function notFound(): Answer {
  return { status: 404, body: '404 page not found\n' }
}
