/** HTTP to one API server: keep-alive, time-outs, size limits, fresh credentials. Errors are KubeErrors. */
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { type Clock, type Counter, KubeError, type Metrics } from '../../ports/index.ts'
import { http, https } from '../system/node-http.ts'
import { type Access, CredentialsError, type Identity } from './access.ts'
import { errorOfAnswer } from './status.ts'

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, with its query. */
  readonly path: string
  readonly body?: string
  /** Of the body. Default application/json. */
  readonly contentType?: string
  /** Default application/json. */
  readonly accept?: string
  /** `request`: until the answer is complete; `open`: until its headers are there. Default 30 s. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface ApiAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

export interface ConnectionOptions {
  readonly access: Access
  readonly clock: Clock
  /** `metallb-controller/1.0`; the part before the slash becomes the field manager of writes. */
  readonly userAgent?: string
  readonly metrics?: Metrics
  /** Longest answer that is read. Default 64 MiB. */
  readonly maxAnswerBytes?: number
}

const TIMEOUT_MS = 30_000
/** Silent peers are noticed by TCP itself after about this time and ten probes of a second (libuv). */
const TCP_KEEPALIVE_MS = 15_000

export class Connection {
  readonly access: Access
  readonly clock: Clock
  readonly #options: ConnectionOptions
  readonly #requests: Counter | undefined
  #agent: Agent | undefined
  #agentIdentity: Identity | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.access = options.access
    this.clock = options.clock
    this.#requests = options.metrics?.counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host.',
      labels: ['code', 'method', 'host'],
    })
  }

  /** The whole answer, whatever its status. Rejects with NETWORK, or with MALFORMED where it is too long. */
  async request(request: ApiRequest): Promise<ApiAnswer> {
    const deadline = this.#deadline(request)
    try {
      const answer = await this.#send(request, deadline.signal)
      const text = await readText(answer, this.#options.maxAnswerBytes ?? 64 << 20)
      return { status: answer.statusCode ?? 0, headers: answer.headers, text }
    } catch (error) {
      throw networkError(request, deadline.reason() ?? error)
    } finally {
      deadline.clear()
    }
  }

  /** An answer to read piece by piece. One that is not a success is read here and rejects as its KubeError. */
  async open(request: ApiRequest): Promise<IncomingMessage> {
    const deadline = this.#deadline(request)
    try {
      const answer = await this.#send(request, deadline.signal)
      const status = answer.statusCode ?? 0
      if (status >= 200 && status < 300) return answer
      const text = await readText(answer, 1 << 20)
      throw errorOfAnswer(describe(request), status, answer.headers['retry-after'], text)
    } catch (error) {
      throw networkError(request, deadline.reason() ?? error)
    } finally {
      deadline.clear()
    }
  }

  /** Ends idle connections; those in use end with their requests. */
  close(): void {
    this.#agent?.destroy()
    this.#agent = undefined
  }

  async #send(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#sendOnce(request, signal)
    if (answer.statusCode !== 401 || !this.access.renew()) return answer
    answer.destroy()
    return await this.#sendOnce(request, signal)
  }

  async #sendOnce(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const identity = await this.access.identity()
    const { server } = this.access
    const tls = server.protocol === 'https:'
    const options = {
      host: server.hostname.replace(/^\[|\]$/g, ''),
      port: server.port || (tls ? 443 : 80),
      method: request.method,
      path: server.pathname.replace(/\/$/, '') + request.path,
      headers: this.#headers(request, identity),
      agent: this.#agentFor(identity, tls),
      signal,
    }
    try {
      const answer = await exchange(tls ? https.request(options) : http.request(options), request.body)
      this.#count(request, String(answer.statusCode))
      return answer
    } catch (error) {
      this.#count(request, '<error>')
      throw error
    }
  }

  #headers(request: ApiRequest, identity: Identity): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent ?? 'metallb',
      ...(identity.headers as OutgoingHttpHeaders | undefined),
    }
    if (identity.token !== undefined) headers.authorization = `Bearer ${identity.token}`
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json'
      headers['content-length'] = Buffer.byteLength(request.body)
    }
    return headers
  }

  /** A client certificate belongs to the connection: another one needs new connections. */
  #agentFor({ cert, key }: Identity, tls: boolean): Agent {
    const current = this.#agentIdentity
    if (this.#agent !== undefined && current?.cert === cert && current?.key === key) return this.#agent
    this.#agent?.destroy()
    const options = { keepAlive: true, keepAliveMsecs: TCP_KEEPALIVE_MS, scheduling: 'lifo' as const }
    this.#agent = tls ? new https.Agent({ ...options, ...this.access.tls, cert, key }) : new http.Agent(options)
    this.#agentIdentity = { cert, key }
    return this.#agent
  }

  #count({ method }: ApiRequest, code: string): void {
    this.#requests?.inc({ code, method, host: this.access.server.host })
  }

  /** Joins the caller's signal and the time-out, and remembers which of them ended the request. */
  #deadline({ timeoutMs = TIMEOUT_MS, signal }: ApiRequest) {
    const own = new AbortController()
    const timer = this.clock.after(timeoutMs, () => own.abort(new Error(`no answer within ${timeoutMs} ms`)))
    return {
      signal: signal === undefined ? own.signal : AbortSignal.any([own.signal, signal]),
      reason: () => (own.signal.aborted ? own.signal.reason : undefined),
      clear: () => timer.cancel(),
    }
  }
}

function exchange(outgoing: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on('socket', socket => socket.setKeepAlive(true, TCP_KEEPALIVE_MS))
    outgoing.on('response', answer => {
      answer.on('error', () => {}) // whoever reads sees it; it may also come when nobody reads any more
      resolve(answer)
    })
    outgoing.end(body)
  })
}

async function readText(answer: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of answer) {
    length += chunk.length
    if (length > limit) throw new KubeError('MALFORMED', `answer is longer than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `GET /api/v1/services`, without the query. */
export function describe({ method, path }: ApiRequest): string {
  return `${method} ${path.split('?')[0]}`
}

function networkError(request: ApiRequest, error: unknown): KubeError {
  if (error instanceof KubeError && error.status !== undefined) return error
  if (error instanceof CredentialsError) return new KubeError('UNAUTHORIZED', error.message)
  const code = error instanceof KubeError ? error.code : 'NETWORK'
  return new KubeError(code, `${describe(request)}: ${messageOf(error)}`)
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ') // one a tried address
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || 'connection failed'
}
