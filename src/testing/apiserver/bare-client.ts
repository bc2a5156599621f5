/** The barest client, for tests of the server itself: it knows nothing of objects and hides nothing. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { parseJson, toJson } from './json.ts'
import { type Fields, isFields } from './object.ts'
import type { ApiServer } from './server.ts'

export interface Reply {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** The text as JSON; empty where it is none. */
  readonly body: Fields
}

export interface CallOptions {
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  readonly token?: string
}

/** Rejects where the connection dies before the answer is whole. */
export function call(server: ApiServer, method: string, path: string, options: CallOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = open(server, method, path, options, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({ code: response.statusCode!, headers: response.headers, text, body: read(text) }),
      )
    })
    request.on('error', reject)
  })
}

function read(text: string): Fields {
  try {
    const value = parseJson(text)
    return isFields(value) ? value : {}
  } catch {
    return {}
  }
}

function open(
  { url, caPem }: ApiServer,
  method: string,
  path: string,
  { body, contentType = 'application/json', accept = 'application/json', token = 'admin-token' }: CallOptions,
  answered: (response: IncomingMessage) => void,
): ClientRequest {
  const authorization: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : toJson(body))
  // Node sends no length for the body of a DELETE unless it is told to.
  const length: Record<string, number> = bytes === undefined ? {} : { 'content-length': bytes.length }
  const headers = { ...authorization, ...length, accept, 'content-type': contentType }
  const settings = { method, headers, ca: caPem, agent: false }
  const request = (caPem === undefined ? httpRequest : httpsRequest)(`${url}${path}`, settings, answered)
  request.end(bytes)
  return request
}

export interface WatchEvent {
  readonly type: string
  readonly object: Fields
}

/** A watch being read: the events so far, and waiting for more. */
export class OpenWatch {
  readonly events: WatchEvent[] = []
  /** Undefined while the stream is open. */
  ended: 'clean' | 'cut' | undefined
  #answered = false
  readonly #request: ClientRequest
  readonly #waiting = new Set<() => void>()

  constructor(server: ApiServer, path: string) {
    let rest = ''
    this.#request = open(server, 'GET', path, {}, response => {
      this.#answered = true
      this.#wake()
      response.setEncoding('utf8')
      response.on('data', chunk => {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop()!
        this.events.push(...lines.map(line => parseJson(line) as WatchEvent))
        this.#wake()
      })
      response.on('end', () => this.#end('clean'))
      response.on('error', () => this.#end('cut'))
    })
    this.#request.on('error', () => this.#end('cut'))
  }

  /** `TYPE name`, in order. */
  get seen(): string[] {
    return this.events.map(({ type, object }) =>
      `${type} ${(object.metadata as Fields | undefined)?.name ?? ''}`.trim(),
    )
  }

  /** Resolves once the server has answered: from then on it misses nothing. */
  opened(): Promise<void> {
    return this.until(() => this.#answered)
  }

  /** Resolves once the condition holds, looked at whenever the stream opens, says something or ends; 30 seconds. */
  async until(holds: () => boolean): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the watch saw only ${this.seen.join(', ') || 'nothing'}`)), 30_000)
    })
    try {
      while (!holds()) await Promise.race([late, new Promise<void>(resolve => this.#waiting.add(resolve))])
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#request.destroy()
  }

  #end(how: 'clean' | 'cut'): void {
    this.ended ??= how
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
