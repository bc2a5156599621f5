/** Watches: a stream of one JSON event a line, resumed from a revision, with bookmarks and an end. */
import type { ServerResponse } from 'node:http'
import { apiVersionOf } from '../../core/object.ts'
import type { Conversions } from './conversion.ts'
import { ApiError, expired } from './errors.ts'
import { toJson } from './json.ts'
import { wantedRevision, wholeNumber } from './reads.ts'
import type { Renderer } from './render.ts'
import type { Resource } from './resources.ts'
import type { Filter } from './selectors.ts'
import { Entry, type Store, type StoreEvent } from './store.ts'

/** A server closes a watch after a random half hour to hour; so does this one where the client gives no time. */
const DEFAULT_TIMEOUT_SECONDS = 1800

export interface WatchRequest {
  readonly resource: Resource
  readonly filter: Filter
  readonly renderer: Renderer
  readonly query: URLSearchParams
}

export class Watches {
  readonly #store: Store
  readonly #conversions: Conversions
  readonly #bookmarkMs: number
  readonly #open = new Set<Watch>()
  #paused = false

  constructor(store: Store, conversions: Conversions, bookmarkMs: number) {
    this.#store = store
    this.#conversions = conversions
    this.#bookmarkMs = bookmarkMs
  }

  /** Throws before the first byte where the request cannot be read. */
  start(request: WatchRequest, response: ServerResponse): void {
    if (request.query.get('sendInitialEvents')) throw sendInitialEventsRefused()
    const from = wantedRevision(request.query)
    const backlog = from === 0 ? [] : this.#store.since(request.resource.id, from)
    const watch = new Watch(request, response, this.#store, this.#conversions, this.#bookmarkMs)
    this.#open.add(watch)
    response.on('close', () => {
      watch.end()
      this.#open.delete(watch)
    })
    // From here on errors are events of the stream, the first one too (apiserver cacher, newErrorWatcher).
    if (backlog === undefined) {
      watch.fail(expired(`too old resource version: ${from} (${this.#store.revision})`))
      return
    }
    watch.hold(this.#paused)
    if (from === 0) for (const entry of this.#store.list(request.resource.id)) watch.initial(entry)
    for (const event of backlog) watch.deliver(event)
  }

  /** Streams stay open and say nothing until `resume`. */
  pause(): void {
    this.#paused = true
    for (const watch of this.#open) watch.hold(true)
  }

  resume(): void {
    this.#paused = false
    for (const watch of this.#open) watch.hold(false)
  }

  /** Ends every stream: cleanly, or after an in-stream ERROR event with 410. */
  endAll(how: 'clean' | 'gone' = 'clean'): void {
    for (const watch of [...this.#open]) {
      if (how === 'gone') watch.fail(expired('too old resource version'))
      else watch.end()
    }
  }
}

function sendInitialEventsRefused(): ApiError {
  const why = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'
  const causes = [{ reason: 'FieldValueForbidden', field: 'sendInitialEvents', message: `Forbidden: ${why}` }]
  const message = `ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: ${why}`
  return new ApiError(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'ListOptions', causes })
}

class Watch {
  readonly #request: WatchRequest
  readonly #response: ServerResponse
  readonly #store: Store
  readonly #conversions: Conversions
  readonly #timers: NodeJS.Timeout[] = []
  readonly #unfollow: () => void
  /** Silence until this revision has come, bookmarks included (apiserver cacheWatcher.process). */
  readonly #from: number
  #held: string[] | undefined
  #ended = false
  /** Present while a webhook converts: what comes later waits for it. */
  #queue: Promise<void> | undefined

  constructor(
    request: WatchRequest,
    response: ServerResponse,
    store: Store,
    conversions: Conversions,
    bookmarkMs: number,
  ) {
    this.#request = request
    this.#from = wantedRevision(request.query)
    this.#response = response
    this.#store = store
    this.#conversions = conversions
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    this.#unfollow = store.follow(request.resource.id, event => this.deliver(event))
    const seconds = wholeNumber(request.query, 'timeoutSeconds') || DEFAULT_TIMEOUT_SECONDS
    this.#timers.push(setTimeout(() => this.#timeUp(), seconds * 1000))
    if (this.#bookmarks) this.#timers.push(setInterval(() => this.#bookmark(), bookmarkMs))
  }

  get #bookmarks(): boolean {
    return ['true', '1'].includes(this.#request.query.get('allowWatchBookmarks') ?? '')
  }

  initial(entry: Entry): void {
    if (this.#request.filter(entry.object)) this.#sendEntry('ADDED', entry)
  }

  /** An object that enters the selection is ADDED; one that leaves it is DELETED, and shown as it was. */
  deliver({ type, entry, before }: StoreEvent): void {
    const { filter } = this.#request
    if (entry.revision <= this.#from) return
    const was = before !== undefined && filter(before.object)
    const is = type !== 'DELETED' && filter(entry.object)
    if (is) this.#sendEntry(was ? 'MODIFIED' : 'ADDED', entry)
    else if (was) this.#sendEntry('DELETED', new Entry(before.object, entry.revision))
  }

  hold(held: boolean): void {
    if (held) this.#held ??= []
    else {
      const lines = this.#held ?? []
      this.#held = undefined
      for (const line of lines) this.#write(line)
    }
  }

  fail(error: ApiError): void {
    this.#send('ERROR', toJson(error.status))
    this.end()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#unfollow()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#response.end()
  }

  #timeUp(): void {
    if (this.#bookmarks) this.#bookmark()
    this.#inOrder(() => this.end())
  }

  #bookmark(): void {
    if (this.#store.revision < this.#from) return
    const { resource } = this.#request
    const metadata = { resourceVersion: String(this.#store.revision), creationTimestamp: null }
    const text = toJson({ kind: resource.kind, apiVersion: apiVersionOf(resource), metadata })
    this.#inOrder(() => this.#send('BOOKMARK', text))
  }

  #sendEntry(type: string, entry: Entry): void {
    const { resource, renderer } = this.#request
    const shown = this.#conversions.shown(resource, [entry])
    const send = ([seen]: readonly Entry[]) => this.#send(type, renderer.one(seen!))
    if (shown instanceof Promise) this.#enqueue(shown.then(seen => () => send(seen)))
    else this.#inOrder(() => send(shown))
  }

  #inOrder(act: () => void): void {
    if (this.#queue === undefined) act()
    else this.#enqueue(Promise.resolve(act))
  }

  /** Acts when everything before it is done; a conversion that fails ends the watch with its Status. */
  #enqueue(act: Promise<() => void>): void {
    const turn = (this.#queue ?? Promise.resolve())
      .then(async () => (await act)())
      .catch(error => this.fail(error as ApiError))
    this.#queue = turn
    void turn.then(() => {
      if (this.#queue === turn) this.#queue = undefined
    })
    act.catch(() => {}) // handled in its turn
  }

  #send(type: string, object: string): void {
    this.#write(`{"type":"${type}","object":${object}}\n`)
  }

  #write(line: string): void {
    if (this.#held !== undefined) this.#held.push(line)
    else if (!this.#ended) this.#response.write(line)
  }
}
