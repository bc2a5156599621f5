import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KeyPair } from '../../ports/index.ts'
import { http, https } from '../system/node-http.ts'
import type { TlsOptions } from './tls-options.ts'

export interface Answer {
  readonly status?: number
  /** Media type. Default plain text. */
  readonly type?: string
  readonly body: string
}

export const PLAIN_TEXT = 'text/plain; charset=utf-8'
/** A client that is slow, or many, must not keep a small daemon busy. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 60_000, maxHeaderSize: 16_384 }
const MAX_CONNECTIONS = 128

/** Answers GET and HEAD by one function; a rejection becomes 500. */
export function openServer(
  answer: (url: URL, token: string | undefined) => Promise<Answer>,
  tls?: TlsOptions & KeyPair,
) {
  const listener: RequestListener = async (request, response) => {
    request.resume()
    const { status = 200, type = PLAIN_TEXT, body } = await answerOf(answer, request)
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'x-content-type-options': 'nosniff',
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  const server: Server = tls ? https.createServer({ ...LIMITS, ...tls }, listener) : http.createServer(LIMITS, listener)
  server.maxConnections = MAX_CONNECTIONS
  return server
}

async function answerOf(
  answer: (url: URL, token: string | undefined) => Promise<Answer>,
  { method, url, headers }: Parameters<RequestListener>[0],
): Promise<Answer> {
  const target = URL.parse(url ?? '', 'http://localhost')
  if (target === null) return { status: 400, body: 'Bad Request' }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'Method Not Allowed' }
  try {
    return await answer(target, /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1])
  } catch {
    return { status: 500, body: 'Internal Server Error' }
  }
}

/** Resolves with the port; without a host on every address of both families. */
export async function listen(server: Server, port: number, host?: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

export async function close(server: Server): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve))
  server.closeAllConnections()
  await closed
}
