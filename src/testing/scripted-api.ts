import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KubeObject } from '../core/object.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * One collection behind a real HTTP server, with list, paging, watch, history and 410 as the API does them, and every
 * way of failing at the test's command. It answers any path; it is no API server (see apiserver for that).
 */
export class ScriptedApi {
  /** `GET /path?query`, in order. */
  readonly requests: string[] = []
  readonly objects = new Map<string, KubeObject>()
  readonly watches = new Set<ServerResponse>()
  version = 100
  /** Watches from before this version are refused with 410. */
  oldest = 0
  readonly #overrides: { kind: 'list' | 'watch' | 'any'; handler: Handler }[] = []
  #history: { version: number; line: string }[] = []
  #server: Server | undefined
  #port = 0

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The same port again after a stop. */
  async start(): Promise<this> {
    this.#server = createServer((request, response) => this.#handle(request, response))
    await new Promise<void>(resolve => this.#server!.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  /** The next request of this kind is answered by the handler. */
  once(kind: 'list' | 'watch' | 'any', handler: Handler): void {
    this.#overrides.push({ kind, handler })
  }

  put(name: string, extra: Record<string, unknown> = {}): void {
    const before = this.objects.get(name)
    const version = ++this.version
    const metadata = { name, namespace: 'default', uid: before?.metadata.uid ?? `uid-${name}-${version}` }
    const object = { ...extra, metadata: { ...metadata, resourceVersion: String(version) } }
    this.objects.set(name, object)
    this.#announce(before === undefined ? 'ADDED' : 'MODIFIED', object)
  }

  remove(name: string): void {
    const object = this.objects.get(name)
    if (object === undefined) return
    this.objects.delete(name)
    const resourceVersion = String(++this.version)
    this.#announce('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion } })
  }

  bookmark(): void {
    this.send(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: `${this.version}` } } })}\n`)
  }

  /** Raw bytes to every watch. */
  send(bytes: string | Uint8Array): void {
    for (const watch of this.watches) watch.write(bytes)
  }

  endWatches(): void {
    for (const watch of this.#takeWatches()) watch.end()
  }

  /** TCP reset. */
  resetWatches(): void {
    for (const watch of this.#takeWatches()) watch.socket?.resetAndDestroy()
  }

  #takeWatches(): ServerResponse[] {
    const watches = [...this.watches]
    this.watches.clear()
    return watches
  }

  /** What a restored backup does: other objects, and a version that went back. */
  restore(version: number): void {
    this.version = version
    this.objects.clear()
    this.#history = []
  }

  /** Forgets the changes up to now: only a list helps whoever missed them. */
  compact(): void {
    this.#history = []
    this.oldest = this.version
  }

  #announce(type: string, object: KubeObject): void {
    const line = `${JSON.stringify({ type, object })}\n`
    this.#history.push({ version: this.version, line })
    this.send(line)
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`)
    const query = new URL(request.url ?? '', this.url).searchParams
    const kind = query.get('watch') === 'true' ? 'watch' : 'list'
    const index = this.#overrides.findIndex(override => override.kind === kind || override.kind === 'any')
    if (index >= 0) this.#overrides.splice(index, 1)[0]!.handler(request, response)
    else if (kind === 'watch') this.#watch(Number(query.get('resourceVersion')), response)
    else this.#list(query, response)
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const limit = Number(query.get('limit')) || Number.POSITIVE_INFINITY
    const from = Number(query.get('continue') ?? 0)
    const items = [...this.objects.values()].slice(from, from + limit)
    const next = from + items.length < this.objects.size ? String(from + items.length) : undefined
    const metadata = { resourceVersion: String(this.version), continue: next }
    answer(response, 200, { kind: 'List', metadata, items })
  }

  #watch(from: number, response: ServerResponse): void {
    if (from < this.oldest) {
      answer(response, 410, status(410, 'Expired', 'too old resource version'))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    for (const { version, line } of this.#history) if (version > from) response.write(line)
    this.watches.add(response)
    response.on('close', () => this.watches.delete(response))
  }
}

export function answer(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A meta/v1 Status. */
export function status(code: number, reason: string, message: string): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
}
