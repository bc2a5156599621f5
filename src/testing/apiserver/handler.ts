/** One request: who, what, may they, and the answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ObjectRef } from '../../core/object.ts'
import type { Tokens, User } from './auth.ts'
import { authenticate } from './auth.ts'
import { mediaType, readBody } from './body.ts'
import type { Cluster } from './cluster.ts'
import type { Conversions } from './conversion.ts'
import type { WriteOptions } from './decode.ts'
import type { DeleteOptions } from './deletion.ts'
import { aggregated, legacy, versionInfo } from './discovery.ts'
import { ApiError, badRequest, methodNotAllowed, type Status, unknownPath } from './errors.ts'
import type { Faults, SeenRequest } from './faults.ts'
import { toJson } from './json.ts'
import { type Fields, fieldsAt, isFields } from './object.ts'
import { OPENAPI_V2, openApiDocument, openApiIndex, openApiV2Protobuf } from './openapi.ts'
import { isAllowed, refusal } from './rbac.ts'
import { type Lists, selection } from './reads.ts'
import { type Renderer, rendererFor } from './render.ts'
import { type RequestInfo, readRequest, selectedName } from './request.ts'
import { requestedChange, writeOptions } from './requested-write.ts'
import type { Resource } from './resources.ts'
import { answerReview, findReview } from './reviews.ts'
import type { Entry } from './store.ts'
import type { Watches } from './watch.ts'
import type { WriteRequest, Writer } from './writer.ts'
import { current } from './writes.ts'

export interface HandlerParts {
  readonly cluster: Cluster
  readonly tokens: Tokens
  readonly faults: Faults
  readonly lists: Lists
  readonly watches: Watches
  readonly conversions: Conversions
  readonly writer: Writer
  readonly rbac: boolean
  /** Told of every request that has an identity. */
  readonly seen: (request: SeenRequest) => void
}

interface Answer {
  readonly code: number
  readonly body: string | Buffer
  readonly type?: string
}

interface Call {
  readonly info: RequestInfo
  readonly target: NonNullable<RequestInfo['target']>
  readonly resource: Resource
  readonly user: User
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly renderer: Renderer
  readonly options: WriteOptions & { warnings: string[] }
}

export class Handler {
  readonly #parts: HandlerParts

  constructor(parts: HandlerParts) {
    this.#parts = parts
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#answer(request, response)
      if (answer !== undefined) send(response, answer)
    } catch (error) {
      if (!(error instanceof ApiError)) console.error('apiserver: unexpected', error)
      const refused = error instanceof ApiError ? error : new ApiError(500, 'InternalError', String(error))
      if (response.headersSent) return void response.destroy()
      const retryAfter = refused.details?.retryAfterSeconds
      if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
      send(response, json(refused.status, refused.code))
    }
  }

  /** Answers undefined where the response is already under way, or cut. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
    const { faults, tokens, seen } = this.#parts
    const info = readInfo(request)
    if (['/healthz', '/livez', '/readyz'].includes(info.path)) return { code: 200, body: 'ok', type: 'text/plain' }
    const user = authenticate(request, tokens)
    const about = seenRequest(info, user)
    seen(about)
    if ((await faults.apply(about)) === 'reset') return void request.socket.destroy()
    this.#authorize(info, user)
    if (info.target === undefined) return this.#discovery(info, request)
    return this.#resource(info, info.target, user, request, response)
  }

  #authorize({ verb, path, target, query }: RequestInfo, user: User): void {
    const attributes =
      target === undefined ? { verb, path } : { verb, ...target, name: target.name || selectedName(query) }
    if (this.#parts.rbac && !isAllowed(this.#parts.cluster.store, user, attributes)) throw refusal(user, attributes)
  }

  #discovery({ path, verb }: RequestInfo, { headers }: IncomingMessage): Answer {
    if (verb !== 'get') throw methodNotAllowed()
    const { registry } = this.#parts.cluster
    const { accept = '' } = headers
    if (path === '/version' || path === '/version/') return json(versionInfo())
    if (path === '/openapi/v2') return openApiV2(accept)
    if (path === '/openapi/v3') return json(openApiIndex(registry))
    if (path.startsWith('/openapi/v3/')) return jsonOr404(openApiDocument(registry, path.slice('/openapi/v3/'.length)))
    const root = /^\/(apis?)\/?$/.exec(path)?.[1] as 'api' | 'apis' | undefined
    const version = /g=apidiscovery\.k8s\.io;v=(v2beta1|v2);as=APIGroupDiscoveryList/.exec(accept)?.[1]
    if (root !== undefined && version !== undefined) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
      return { ...json(aggregated(registry, root, version)), type }
    }
    return jsonOr404(/^\/apis?(\/|$)/.test(path) ? legacy(registry, path, headers.host ?? '') : undefined)
  }

  async #resource(
    info: RequestInfo,
    target: Call['target'],
    user: User,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined> {
    const { cluster, tokens, rbac } = this.#parts
    const { group, version, resource: plural } = target
    const review = findReview(group, version, plural)
    if (review !== undefined) {
      if (info.verb !== 'create') throw methodNotAllowed()
      return json(answerReview(review, await readBody(request), { store: cluster.store, tokens, user, rbac }), 201)
    }
    const resource = cluster.registry.get(group, version, plural)
    if (resource === undefined) throw unknownPath()
    checkTarget(resource, target, info.verb)
    const renderer = rendererFor(resource, request.headers.accept ?? '', info.query.get('includeObject'))
    const call: Call = { info, target, resource, user, request, response, renderer, options: writeOptions(info.query) }
    try {
      return await this.#dispatch(call)
    } finally {
      const warnings = call.options.warnings.map(text => `299 - ${JSON.stringify(text)}`)
      if (warnings.length > 0 && !response.headersSent) response.setHeader('warning', warnings)
    }
  }

  async #dispatch(call: Call): Promise<Answer | undefined> {
    const { cluster, lists, writer } = this.#parts
    const { info, target, resource, renderer } = call
    const ref = { namespace: resource.namespaced ? target.namespace : undefined, name: target.name }
    switch (info.verb) {
      case 'get':
        return text(renderer.one(await this.#shown(resource, current(cluster, resource, ref))))
      case 'list': {
        const { entries, metadata } = lists.page(resource, selection(resource, ref.namespace, info.query), info.query)
        return text(renderer.list(await this.#conversionOf(resource, entries), metadata))
      }
      case 'watch':
        return this.#watch(call)
      case 'create':
      case 'update':
      case 'patch':
        return this.#write(call, ref)
      case 'delete': {
        const entry = current(cluster, resource, ref)
        const done = await writer.remove(writeRequest(call, ref), entry, await deletion(call))
        return deleted(resource, renderer, { ...done, entry: await this.#shown(resource, done.entry) })
      }
      default:
        return this.#deleteCollection(call)
    }
  }

  async #write(call: Call, ref: ObjectRef): Promise<Answer> {
    const { cluster, writer } = this.#parts
    const { info, target, resource, request, renderer, options } = call
    const body = await readBody(request)
    const { 'user-agent': userAgent = '' } = request.headers
    const write = {
      ...{ verb: info.verb, resource, ref, subresource: target.subresource, query: info.query, userAgent },
      ...{ mediaType: mediaType(request), body, options },
    }
    let created = false
    const entry = await writer.write(writeRequest(call, ref), found => {
      created = found === undefined
      return requestedChange(cluster, write, found)
    })
    return text(renderer.one(await this.#shown(resource, entry)), created ? 201 : 200)
  }

  async #shown(resource: Resource, entry: Entry): Promise<Entry> {
    return (await this.#conversionOf(resource, [entry]))[0]!
  }

  #conversionOf(resource: Resource, entries: readonly Entry[]) {
    return this.#parts.conversions.shown(resource, entries)
  }

  #watch({ info, target, resource, renderer, response }: Call): undefined {
    const { query } = info
    const namespace = resource.namespaced ? target.namespace : undefined
    const byNamespace = selection(resource, namespace, query)
    const filter: typeof byNamespace = object =>
      (target.name === '' || object.metadata.name === target.name) && byNamespace(object)
    this.#parts.watches.start({ resource, filter, renderer, query }, response)
  }

  async #deleteCollection(call: Call): Promise<Answer> {
    const { lists, writer } = this.#parts
    const { info, target, resource, renderer } = call
    const options = await deletion(call)
    const filter = selection(resource, resource.namespaced ? target.namespace : undefined, info.query)
    const { entries, metadata } = lists.page(resource, filter, new URLSearchParams())
    for (const entry of entries) await writer.remove(writeRequest(call, entry.object.metadata), entry, options)
    return text(renderer.list(await this.#conversionOf(resource, entries), metadata))
  }
}

function writeRequest({ resource, target, user, options }: Call, ref: ObjectRef): WriteRequest {
  return { resource, ref, subresource: target.subresource, user, options }
}

function readInfo({ method = 'GET', url = '/' }: IncomingMessage): RequestInfo {
  try {
    return readRequest(method, url)
  } catch {
    throw badRequest(`cannot read the request path ${JSON.stringify(url.slice(0, 200))}`)
  }
}

function seenRequest({ verb, path, target }: RequestInfo, user: User): SeenRequest {
  if (target === undefined) return { verb, resource: path, user: user.name }
  const { resource, subresource, namespace, name } = target
  const full = subresource === '' ? resource : `${resource}/${subresource}`
  return { verb, resource: full, namespace, name: name || undefined, user: user.name }
}

const STATUS_VERBS = ['get', 'update', 'patch']

/** 404 for subresources the kind does not have; 405 for methods that need a name or must have none. */
function checkTarget(resource: Resource, { name, namespace, subresource }: Call['target'], verb: string): void {
  if (subresource !== '' && !(subresource === 'status' && resource.statusSubresource)) throw unknownPath()
  if (!resource.namespaced && namespace !== undefined && resource.id !== '/namespaces') throw unknownPath()
  if (resource.namespaced && name !== '' && namespace === undefined) throw unknownPath()
  const needsName = verb === 'update' || verb === 'patch'
  if (name === '' ? needsName : verb === 'create') throw methodNotAllowed()
  if (verb === 'create' && resource.namespaced && namespace === undefined) throw methodNotAllowed()
  if (subresource !== '' && !STATUS_VERBS.includes(verb)) throw methodNotAllowed()
}

async function deletion({ request, info }: Call): Promise<DeleteOptions> {
  const body = await readBody(request)
  const options: Fields = isFields(body) ? body : {}
  const { uid, resourceVersion } = fieldsAt(options, 'preconditions') as DeleteOptions
  const orphan = options.orphanDependents ?? info.query.get('orphanDependents')
  const chosen = options.propagationPolicy ?? info.query.get('propagationPolicy')
  const propagation = (chosen ?? (String(orphan) === 'true' ? 'Orphan' : 'Background')) as DeleteOptions['propagation']
  const dryRun = String(options.dryRun ?? info.query.get('dryRun')) === 'All'
  return { propagation, uid, resourceVersion, dryRun }
}

/** A Status once the object is gone, the object while finalizers hold it. */
function deleted(resource: Resource, renderer: Renderer, { entry, gone }: { entry: Entry; gone: boolean }): Answer {
  if (!gone) return text(renderer.one(entry))
  const { name, uid } = entry.object.metadata
  const details = { name, group: resource.group || undefined, kind: resource.plural, uid }
  return json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } satisfies Status)
}

/** Asked for with an `@` in the media type, answered without: RFC 2045 has no `@` there and Go refuses it. */
function openApiV2(accept: string): Answer {
  if (!accept.includes('application/com.github.proto-openapi.spec.v2@v1.0+protobuf')) return json(OPENAPI_V2)
  return { code: 200, body: openApiV2Protobuf(), type: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' }
}

function jsonOr404(value: unknown): Answer {
  if (value === undefined) throw unknownPath()
  return json(value)
}

const json = (value: unknown, code = 200): Answer => ({ code, body: `${toJson(value)}\n` })
const text = (body: string, code = 200): Answer => ({ code, body })

function send(response: ServerResponse, { code, body, type = 'application/json' }: Answer): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
