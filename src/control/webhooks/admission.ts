/** The validating endpoints: chapter 01 section 4.3. */
import type { BGPPeerResource, ConfigSnapshot, ParseOptions } from '../../api/index.ts'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { type KubeApi, KubeError, type Logger } from '../../ports/index.ts'
import { ENDPOINTS, type Endpoint, type Lists, TYPES } from './endpoints.ts'
import { admissionResponse, answerReview, type Handler, isJson, type Json, requestOf, type Verdict } from './review.ts'
import { ALLOWED, decode, denied, validate } from './validate.ts'

export interface AdmissionOptions {
  /** Read at each request, not from a cache: two overlapping pools may be created one right after the other. */
  readonly kube: Pick<KubeApi, 'list'>
  /** The MetalLB namespace. */
  readonly namespace: string
  readonly parse: Omit<ParseOptions, 'node'>
  readonly log: Logger
}

const VERSIONS = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1']

/** A handler for each path; none of them ever rejects. */
export function admissionHandlers(options: AdmissionOptions): Record<string, Handler> {
  const handlers = Object.entries(ENDPOINTS).map(([path, endpoint]): [string, Handler] => [
    path,
    async body => {
      const request = requestOf(body, 'AdmissionReview', VERSIONS)
      if (typeof request === 'string') return { status: 400, body: request }
      const verdict = await review(endpoint, request, options)
      return answerReview(body as Json, admissionResponse(verdict))
    },
  ])
  return Object.fromEntries(handlers)
}

async function review(endpoint: Endpoint, request: Json, options: AdmissionOptions): Promise<Verdict> {
  const { kind: webhook } = endpoint
  const { operation: action, name, namespace } = request
  const log = options.log.with({ webhook, action, name, namespace })
  log.debug({ op: 'webhook' })
  const verdict = await decide(endpoint, request, options).catch(
    (error: unknown): Verdict => ({ allowed: false, code: 500, message: `panic: ${textOf(error)} [recovered]` }),
  )
  // The guide's literal (chapter 05 T15): what is loaded stays valid.
  if (!verdict.allowed) log.error({ op: 'webhook', error: verdict.message, msg: 'invalid configuration' })
  return verdict
}

async function decide(endpoint: Endpoint, request: Json, options: AdmissionOptions): Promise<Verdict> {
  const operation = endpoint.operations.find(known => known === request.operation)
  const subresource = request.subResource !== undefined && request.subResource !== ''
  if (operation === undefined || subresource) return ALLOWED
  const object = decode(endpoint, request)
  if (typeof object === 'string') return { allowed: false, code: 400, message: object }
  if (operation === 'CREATE' && !isAtHome(object, request, options))
    return denied(`resource must be created in ${options.namespace} namespace`)
  if (operation === 'CREATE' && endpoint.own === undefined) return ALLOWED
  try {
    const stored = await readAll(endpoint.reads, options)
    return operation === 'DELETE' ? mayGo(object, stored) : validate(endpoint, object, stored, options.parse)
  } catch (error) {
    if (error instanceof KubeError) return denied(error.message)
    throw error
  }
}

function isAtHome({ metadata }: KubeObject, request: Json, { namespace }: AdmissionOptions): boolean {
  return (metadata.namespace || request.namespace) === namespace
}

async function readAll(lists: readonly Lists[], options: AdmissionOptions): Promise<ConfigSnapshot> {
  const read = await Promise.all(lists.map(async list => [list, await readList(TYPES[list], options)] as const))
  return Object.fromEntries(read)
}

async function readList(type: ResourceType<KubeObject>, { kube, namespace }: AdmissionOptions): Promise<KubeObject[]> {
  try {
    return await kube.list(type, type.namespaced ? { namespace } : {})
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    throw new KubeError(error.code, `failed to get existing ${type.kind} objects: ${error.message}`)
  }
}

/** A BFDProfile that a peer names stays. */
function mayGo({ metadata: { name } }: KubeObject, { peers = [] }: ConfigSnapshot): Verdict {
  const users = peers.filter(({ spec }: BGPPeerResource) => isJson(spec) && spec.bfdProfile === name)
  if (users.length === 0) return ALLOWED
  const names = users.map(({ metadata }) => `BGPPeer ${metadata.name}`)
  return denied(`failed to delete BFDProfile ${name}, used by ${names.join(', ')}`)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
