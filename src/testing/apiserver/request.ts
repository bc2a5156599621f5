/** What a request asks for, as the API server reads its path and method (apiserver RequestInfo). */
export interface RequestInfo {
  readonly path: string
  readonly query: URLSearchParams
  /** get, list, watch, create, update, patch, delete, deletecollection; the lower-case method for other paths. */
  readonly verb: string
  /** Absent for paths that are not objects, such as discovery. */
  readonly target?: {
    readonly group: string
    readonly version: string
    readonly namespace?: string
    readonly resource: string
    readonly name: string
    readonly subresource: string
  }
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' }
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

export function readRequest(method: string, url: string): RequestInfo {
  const { pathname, searchParams: query } = new URL(url, 'http://server')
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent)
  const target = readTarget(parts)
  if (target === undefined) return { path: pathname, query, verb: method.toLowerCase() }
  const named = target.name !== ''
  const watching = !['', null, '0', 'false'].includes(query.get('watch'))
  const reading = watching ? 'watch' : named ? 'get' : 'list'
  const verb = VERBS[method] ?? (method === 'DELETE' ? (named ? 'delete' : 'deletecollection') : reading)
  return { path: pathname, query, verb, target }
}

function readTarget(parts: string[]): RequestInfo['target'] {
  const core = parts[0] === 'api'
  if (!core && parts[0] !== 'apis') return undefined
  const [group, version, ...rest] = core ? ['', ...parts.slice(1)] : parts.slice(1)
  if (group === undefined || version === undefined || rest.length === 0) return undefined
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2]!)
  const [resource = '', name = '', ...more] = inNamespace ? rest.slice(2) : rest
  const namespace = inNamespace ? rest[1] : resource === 'namespaces' && name !== '' ? name : undefined
  return { group, version, namespace, resource, name, subresource: more.join('/') }
}

/** A list or watch of the one object of this name is a request for it, to rules with resourceNames; empty where it is none. */
export function selectedName(query: URLSearchParams): string {
  const terms = (query.get('fieldSelector') ?? '').split(',')
  return terms.flatMap(term => /^metadata\.name==?([^=].*)$/.exec(term)?.[1] ?? [])[0] ?? ''
}
