/** HTTPS for the webhooks that API servers call: chapter 01 section 4.2, chapter 05 sections 1.8 and 1.9. */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Clock, KeyPair, Logger, Task } from '../../ports/index.ts'
import { formatJson, parseJson } from '../kube/json.ts'
import { https } from '../system/node-http.ts'
import { listen, PLAIN_TEXT } from './server.ts'
import type { TlsOptions } from './tls-options.ts'

/** A text, or an object that goes as JSON. */
export interface WebhookReply {
  readonly status: number
  readonly body: string | object
}

export interface WebhookServerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly port: number
  /** Default: every address of both families. */
  readonly host?: string
  readonly tls: TlsOptions
  /** Offers HTTP/2 too; Kubernetes turned it off everywhere after CVE-2023-44487. */
  readonly http2: boolean
  /** POST handlers of JSON bodies, by path. */
  readonly handlers: Readonly<Record<string, (body: unknown) => Promise<WebhookReply>>>
}

/** What an API server may send (chapter 01 section 4.3), and what all of them together may have us hold. */
const MAX_BODY = 7 * 1024 * 1024
const MAX_HELD = 64 * 1024 * 1024
/** API servers give up after ten seconds unless the webhook configuration says otherwise. */
const ANSWER_MS = 10_000
/** Requests under way when the process is asked to end. */
const DRAIN_MS = 3_000
/** Go closes idle connections after 90 s: it should be the side that does, or a request may meet a closed door. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 120_000, maxHeaderSize: 16_384 }
const MAX_CONNECTIONS = 256

export class WebhookServer implements Task {
  readonly name = 'webhook server'
  readonly #options: WebhookServerOptions
  #server: TlsServer | undefined
  #pair: KeyPair | undefined
  #port = 0
  #held = 0
  #active = 0
  #stopping = false
  #drained: (() => void) | undefined

  constructor(options: WebhookServerOptions) {
    this.#options = options
  }

  /** The one in use, where 0 was asked for. */
  get port(): number {
    return this.#port
  }

  /** Listens; until there is a certificate every handshake fails. Rejects where the port cannot be had. */
  async start(): Promise<void> {
    const { port, host, log } = this.#options
    this.#server = await this.#open()
    if (this.#pair !== undefined) this.use(this.#pair)
    this.#port = await listen(this.#server as Server, port, host)
    log.info({ op: 'startup', action: 'webhooks enabled', port: this.#port })
  }

  /** From the next handshake on; connections that are open stay as they are, so no request is lost. */
  use(pair: KeyPair): void {
    this.#pair = pair
    this.#server?.setSecureContext({ ...this.#options.tls, ...pair })
  }

  ready(): true | string {
    if (this.#port === 0) return 'the webhook server does not listen yet'
    return this.#pair !== undefined || 'the webhook server has no certificate yet'
  }

  /** Lets requests that are under way end. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#stopping = true
    const closed = new Promise(resolve => server.close(resolve))
    server.closeIdleConnections?.()
    if (this.#active > 0) await this.#drain()
    server.closeAllConnections?.()
    await (this.#options.http2 ? Promise.race([closed, this.#after(DRAIN_MS)]) : closed)
  }

  async #open(): Promise<TlsServer> {
    const { tls, http2 } = this.#options
    const listener: RequestListener = (request, response) => void this.#serve(request, response)
    const server = http2 ? await openHttp2(tls, listener) : https.createServer({ ...LIMITS, ...tls }, listener)
    server.maxConnections = MAX_CONNECTIONS
    server.on('tlsClientError', () => {}) // scanners, probes and API servers that do not trust us yet
    return server
  }

  async #drain(): Promise<void> {
    await Promise.race([new Promise<void>(resolve => (this.#drained = resolve)), this.#after(DRAIN_MS)])
  }

  #after(ms: number): Promise<void> {
    return new Promise(resolve => this.#options.clock.after(ms, resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#active++
    response.once('close', () => {
      this.#active--
      if (this.#active === 0) this.#drained?.()
    })
    const { status, body } = await this.#answer(request)
    const text = typeof body === 'string' ? body : formatJson(body)
    if (response.destroyed) return
    response.writeHead(status, {
      'content-type': typeof body === 'string' ? PLAIN_TEXT : 'application/json',
      'content-length': Buffer.byteLength(text),
      'x-content-type-options': 'nosniff',
      ...(this.#stopping && request.httpVersionMajor === 1 && { connection: 'close' }),
    })
    response.end(text)
  }

  async #answer(request: IncomingMessage): Promise<WebhookReply> {
    const { handlers, log } = this.#options
    const path = URL.parse(request.url ?? '', 'https://localhost')?.pathname ?? ''
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined
    const refusal = handler === undefined ? refuse(404, '404 page not found') : refusalOf(request)
    if (refusal !== undefined) {
      request.resume()
      return refusal
    }
    try {
      const read = await this.#read(request)
      if ('status' in read) return read
      return await this.#inTime(handler!(read.value))
    } catch (error) {
      log.error({ op: 'webhook', path, error, msg: 'request failed' })
      return refuse(500, 'Internal Server Error')
    }
  }

  /** The body, or the answer to one that is too long or no JSON. */
  async #read(request: IncomingMessage): Promise<{ value: unknown } | WebhookReply> {
    const chunks: Buffer[] = []
    let length = 0
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length
        this.#held += chunk.length
        if (length > MAX_BODY) return refuse(413, `the body is longer than ${MAX_BODY} bytes`)
        if (this.#held > MAX_HELD) return refuse(503, 'too many requests at once')
        chunks.push(chunk)
      }
      return { value: parseJson(Buffer.concat(chunks).toString('utf8')) }
    } catch (error) {
      return refuse(400, `the body is not JSON: ${(error as Error).message}`)
    } finally {
      this.#held -= length
    }
  }

  async #inTime(reply: Promise<WebhookReply>): Promise<WebhookReply> {
    let late = () => {}
    const timeout = new Promise<WebhookReply>(resolve => {
      late = () => resolve(refuse(504, 'the review took too long'))
    })
    const timer = this.#options.clock.after(ANSWER_MS, () => late())
    try {
      return await Promise.race([reply, timeout])
    } finally {
      timer.cancel()
    }
  }
}

function refusalOf({ method, headers }: IncomingMessage): WebhookReply | undefined {
  if (method !== 'POST') return refuse(405, 'Method Not Allowed')
  const type = headers['content-type'] ?? ''
  if (!/^application\/json *(;|$)/i.test(type)) return refuse(415, `contentType=${type}, expected application/json`)
  const length = Number(headers['content-length'] ?? 0)
  return length > MAX_BODY ? refuse(413, `the body is longer than ${MAX_BODY} bytes`) : undefined
}

function refuse(status: number, body: string): WebhookReply {
  return { status, body: `${body}\n` }
}

/** Loaded where it is asked for: 6 MB. HTTP/1.1 is served beside it. */
async function openHttp2(tls: TlsOptions, listener: RequestListener): Promise<TlsServer> {
  const { createSecureServer } = await import('node:http2')
  const server = createSecureServer({ ...LIMITS, ...tls, allowHTTP1: true }, listener as never)
  server.setTimeout(LIMITS.keepAliveTimeout)
  return server as unknown as TlsServer
}
