/** Calls to webhooks (WebhookClientConfig of admissionregistration.k8s.io and apiextensions.k8s.io): where, and how. */
import { type RequestOptions, request } from 'node:https'
import { parseJson, toJson } from './json.ts'
import { type Fields, fieldsAt, isFields, listAt } from './object.ts'
import type { Store } from './store.ts'

/** Whoever answers in place of a Service; undefined leaves it to the Service's endpoints. */
export type WebhookService = (namespace: string, name: string) => string | undefined

const MAX_ANSWER_BYTES = 3 * 1024 * 1024

interface Place {
  /** As messages show it. */
  readonly url: URL
  /** Where to connect to, where that is not what the URL says. */
  readonly host?: string
  readonly port?: number
  readonly servername?: string
}

export class WebhookClient {
  readonly #store: Store
  readonly #service: WebhookService | undefined

  constructor(store: Store, service?: WebhookService) {
    this.#store = store
    this.#service = service
  }

  /** Posts a review and answers the one that comes back; rejects with a sentence as Kubernetes would print it. */
  async call(config: Fields, timeoutSeconds: number, review: Fields): Promise<Fields> {
    const place = this.#place(config)
    place.url.searchParams.set('timeout', `${timeoutSeconds}s`)
    const ca = typeof config.caBundle === 'string' ? Buffer.from(config.caBundle, 'base64').toString() : undefined
    const body = Buffer.from(toJson(review))
    const { host = place.url.hostname.replace(/^\[|\]$/g, ''), servername } = place
    const headers = { 'content-type': 'application/json', accept: 'application/json', 'content-length': body.length }
    const options: RequestOptions = {
      ...{ host, port: place.port ?? (place.url.port || 443), path: `${place.url.pathname}${place.url.search}` },
      ...{ method: 'POST', headers: { ...headers, host: place.url.host }, agent: false },
      ...{ ca: ca || undefined, servername: servername ?? (/^[\d.]+$|:/.test(host) ? '' : host) },
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    }
    return answerOf(await post(options, body, place.url))
  }

  #place(config: Fields): Place {
    if (typeof config.url === 'string') return { url: new URL(config.url) }
    const { namespace, name, path = '/', port = 443 } = fieldsAt(config, 'service')
    const host = `${name}.${namespace}.svc`
    const slash = String(path).startsWith('/') ? '' : '/'
    const url = new URL(`https://${host}:${port}${slash}${path}`)
    const instead = this.#service?.(String(namespace), String(name))
    if (instead !== undefined) {
      const { hostname, port: other } = new URL(instead)
      return { url, host: hostname.replace(/^\[|\]$/g, ''), port: Number(other || 443), servername: host }
    }
    return { url, servername: host, ...endpointOf(this.#store, String(namespace), String(name), Number(port)) }
  }
}

/** A ready endpoint behind the Service's port; throws where there is none. */
function endpointOf(store: Store, namespace: string, name: string, port: number): { host: string; port: number } {
  const service = store.get('/services', `${namespace}/${name}`)?.object
  if (service === undefined) throw new Error(`service "${name}" not found`)
  const served = listAt(service, 'spec.ports').find(candidate => candidate.port === port)
  if (served === undefined) throw new Error(`no service port ${port} found for service "${name}"`)
  for (const { object } of store.list('discovery.k8s.io/endpointslices')) {
    const { metadata } = object
    if (metadata.namespace !== namespace || metadata.labels?.['kubernetes.io/service-name'] !== name) continue
    const target = listAt(object, 'ports').find(candidate => (candidate.name ?? '') === (served.name ?? ''))
    const ready = listAt(object, 'endpoints').find(
      ({ conditions }) => isFields(conditions) && conditions.ready === true,
    )
    if (target !== undefined && ready !== undefined)
      return { host: String((ready.addresses as unknown[])[0]), port: Number(target.port) }
  }
  throw new Error(`no endpoints available for service "${name}"`)
}

function post(options: RequestOptions, body: Buffer, url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      const why = error.name === 'AbortError' || error.name === 'TimeoutError' ? DEADLINE : error.message
      reject(new Error(`Post "${url.href}": ${why}`))
    }
    const sent = request(options, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
        if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too large'))
      })
      response.on('error', fail)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`an error on the server ("${text.trim().slice(0, 500)}") has prevented the request`))
      })
    })
    sent.on('error', fail)
    sent.end(body)
  })
}

const DEADLINE = 'context deadline exceeded'

function answerOf(text: string): Fields {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    throw new Error(`the answer is not JSON: ${(error as Error).message}`)
  }
  if (!isFields(value) || !isFields(value.response)) throw new Error('the answer has no response')
  return value.response
}
