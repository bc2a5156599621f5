/** The server as tests and the lab hold it: start, stop, restart with its data, and everything that can go wrong. */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Admission } from './admission.ts'
import { Tokens, type TokenUser } from './auth.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { Conversions } from './conversion.ts'
import { EndpointSliceController } from './endpoint-slices.ts'
import { Faults, type SeenRequest } from './faults.ts'
import { Fixtures } from './fixtures.ts'
import { GarbageCollector } from './gc.ts'
import { Handler } from './handler.ts'
import { kubeconfig } from './kubeconfig.ts'
import type { KubeJson } from './object.ts'
import { createPki, issueUser, type Pki } from './pki.ts'
import { bootstrapRoles } from './rbac.ts'
import { Lists } from './reads.ts'
import { Watches } from './watch.ts'
import { WebhookClient, type WebhookService } from './webhook-client.ts'
import { Writer } from './writer.ts'

export interface ApiServerOptions extends ClusterOptions {
  /** 0 takes a free one. */
  port?: number
  /** The address to listen on; 127.0.0.1 where absent. */
  host?: string
  /** The host that `url` and kubeconfigs name; `host` where absent. */
  advertise?: string
  /** Further addresses and names in the serving certificate. */
  names?: readonly string[]
  /** Plain HTTP, for benches. */
  plainHttp?: boolean
  /** CustomResourceDefinitions to start with. */
  crds?: readonly unknown[]
  /** Beside `admin`, who may do everything and whose token is `admin-token`. */
  tokens?: readonly TokenUser[]
  /** False: everyone with an identity may do everything. */
  rbac?: boolean
  /** False: EndpointSlices are left to the test. */
  endpointSlices?: boolean
  /** How often watches that allow bookmarks get one; a minute where absent. */
  bookmarkMs?: number
  /** Where webhooks behind a Service are really, `https://127.0.0.1:PORT`; undefined leaves it to its endpoints. */
  webhookService?: WebhookService
  /** Goes on where another server ended (its `snapshot()`). */
  snapshot?: Snapshot
}

export interface Snapshot {
  readonly revision: number
  readonly objects: Record<string, KubeJson[]>
  readonly pki?: Pki
}

const ADMIN: TokenUser = { token: 'admin-token', user: 'admin', groups: ['system:masters'] }

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { host = '127.0.0.1', advertise = host, names = [] } = options
  const allNames = ['127.0.0.1', '::1', 'localhost', 'kubernetes.default.svc', advertise, ...names]
  const pki = options.plainHttp ? undefined : (options.snapshot?.pki ?? (await createPki([...new Set(allNames)])))
  const server = new ApiServer(options, pki)
  await server.listen()
  return server
}

export class ApiServer {
  readonly cluster: Cluster
  readonly faults = new Faults()
  readonly watches: Watches
  /** Reads and writes behind the API's back. */
  readonly objects: Fixtures
  /** How many requests were made, by `verb resource`, as in `list services` or `patch services/status`. */
  readonly requests = new Map<string, number>()
  readonly #options: ApiServerOptions
  readonly #pki: Pki | undefined
  readonly #tokens: Tokens
  readonly #lists: Lists
  readonly #handler: Handler
  #port: number
  #http: Server | undefined
  #slices: EndpointSliceController | undefined

  constructor(options: ApiServerOptions, pki: Pki | undefined) {
    this.#options = options
    this.#pki = pki
    this.#port = options.port ?? 0
    this.cluster = new Cluster(options)
    const { cluster, faults } = this
    new GarbageCollector(cluster)
    this.#tokens = new Tokens([ADMIN, ...(options.tokens ?? [])])
    this.#lists = new Lists(cluster.store)
    const client = new WebhookClient(cluster.store, options.webhookService)
    const conversions = new Conversions(cluster.registry, client)
    const { store, registry } = cluster
    const writer = new Writer(cluster, conversions, new Admission({ store, registry, client, conversions }))
    this.watches = new Watches(store, conversions, options.bookmarkMs ?? 60_000)
    this.objects = new Fixtures(cluster)
    const { watches } = this
    const parts = { cluster, faults, watches, lists: this.#lists, tokens: this.#tokens, rbac: options.rbac ?? true }
    this.#handler = new Handler({ ...parts, conversions, writer, seen: request => this.#count(request) })
    if (options.snapshot !== undefined) cluster.store.load(options.snapshot)
    this.#bootstrap()
    this.#startSlices()
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    const { plainHttp, advertise, host = '127.0.0.1' } = this.#options
    const name = advertise ?? host
    return `${plainHttp ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${this.#port}`
  }

  /** Absent over plain HTTP. */
  get caPem(): string | undefined {
    return this.#pki?.ca.certPem
  }

  /** A kubeconfig with the token of a user of the list given at the start. */
  kubeconfig(user = 'admin', namespace?: string): string {
    const token = this.#tokens.tokenOf(user)
    if (token === undefined) throw new Error(`the server knows no user ${user}`)
    return kubeconfig({ url: this.url, caPem: this.caPem, user, credentials: { token }, namespace })
  }

  /** A kubeconfig with a client certificate made for any user. */
  async certificateKubeconfig(user: string, groups: readonly string[] = []): Promise<string> {
    if (this.#pki === undefined) throw new Error('client certificates need HTTPS')
    const credentials = await issueUser(this.#pki, user, groups)
    return kubeconfig({ url: this.url, caPem: this.caPem, user, credentials })
  }

  async listen(): Promise<void> {
    const listener: Parameters<typeof createHttpServer>[1] = (request, response) =>
      void this.#handler.handle(request, response)
    const server = this.#pki === undefined ? createHttpServer(listener) : createHttpsServer(tls(this.#pki), listener)
    server.keepAliveTimeout = 65_000
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.#options.host ?? '127.0.0.1', () => resolve())
    })
    this.#port = (server.address() as AddressInfo).port
    this.#http = server
  }

  /** Cuts every connection and stops listening; the data stays. */
  async stop(): Promise<void> {
    const server = this.#http
    if (server === undefined) return
    this.#http = undefined
    this.#slices?.stop()
    this.watches.endAll()
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  /** As a crash and a start: every connection is cut, the data, the port and the certificates are the same. */
  async restart(downMs = 0): Promise<void> {
    await this.stop()
    if (downMs > 0) await new Promise(resolve => setTimeout(resolve, downMs))
    this.#startSlices()
    await this.listen()
  }

  /** Forgets all history: resuming a watch or a paged list answers 410. Open watches go on. */
  compact(): void {
    this.cluster.store.compact()
    this.#lists.forget()
  }

  /** Ends every watch, cleanly or with a 410 in the stream. */
  dropWatches(how: 'clean' | 'gone' = 'clean'): void {
    this.watches.endAll(how)
  }

  snapshot(): Snapshot {
    return { ...this.cluster.store.dump(), pki: this.#pki }
  }

  #startSlices(): void {
    if (this.#options.endpointSlices ?? true) this.#slices = new EndpointSliceController(this.cluster)
  }

  #bootstrap(): void {
    const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const names = ['default', 'kube-system', 'kube-public', 'kube-node-lease']
    const wanted = [...names.map(namespace), ...bootstrapRoles(), ...(this.#options.crds ?? [])]
    for (const object of wanted) this.objects.ensure(object)
  }

  #count({ verb, resource }: SeenRequest): void {
    const key = `${verb} ${resource}`
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1)
  }
}

function tls({ ca, serving }: Pki) {
  return { cert: serving.certPem, key: serving.keyPem, ca: ca.certPem, requestCert: true, rejectUnauthorized: false }
}
