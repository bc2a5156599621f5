/** HTTPS for metrics and other things only the authorised may read (chapter 05 sections 1.8 to 1.10). */
import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Logger, Task } from '../../ports/index.ts'
import type { Authorize } from './access-review.ts'
import { CertificateDirectory } from './certificate.ts'
import { selfSigned } from './self-signed.ts'
import { type Answer, close, listen, openServer } from './server.ts'
import type { TlsOptions } from './tls-options.ts'

export type Route = (url: URL) => Answer | Promise<Answer>

export interface MetricsServerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly port: number
  /** Default: every address of both families (D 14). */
  readonly host?: string
  readonly tls: TlsOptions
  /** Value of --metrics-cert-dir. */
  readonly certDir?: string
  readonly authorize: Authorize
  /** GET handlers by path, e.g. `/metrics`. */
  readonly routes: Readonly<Record<string, Route>>
}

export class MetricsServer implements Task {
  readonly name = 'metrics server'
  readonly #options: MetricsServerOptions
  readonly #certificate: CertificateDirectory
  #server: Server | undefined
  #port = 0

  constructor(options: MetricsServerOptions) {
    const { clock, log, certDir } = options
    this.#options = options
    const dir = certDir || join(tmpdir(), 'k8s-metrics-server', 'serving-certs')
    this.#certificate = new CertificateDirectory({ clock, log, dir })
  }

  /** The one in use, where 0 was asked for. */
  get port(): number {
    return this.#port
  }

  async start(): Promise<void> {
    const { tls, port, host, clock } = this.#options
    const pair = this.#certificate.read() ?? selfSigned(['localhost', '127.0.0.1'], clock.now())
    const server = openServer((url, token) => this.#answer(url, token), { ...tls, ...pair })
    this.#server = server
    this.#port = await listen(server, port, host)
    this.#certificate.watch(pair => (server as TlsServer).setSecureContext({ ...tls, ...pair }))
  }

  async stop(): Promise<void> {
    this.#certificate.stop()
    if (this.#server !== undefined) await close(this.#server)
  }

  ready(): true {
    return true
  }

  async #answer(url: URL, token: string | undefined): Promise<Answer> {
    const { routes, authorize, log } = this.#options
    const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
    if (route === undefined) return { status: 404, body: '404 page not found\n' }
    const decision = await authorize(token, 'get', url.pathname)
    if (decision !== 'ok') return { status: decision.status, body: decision.text }
    try {
      return await route(url)
    } catch (error) {
      log.error({ op: 'http', path: url.pathname, error, msg: 'request failed' })
      throw error
    }
  }
}
