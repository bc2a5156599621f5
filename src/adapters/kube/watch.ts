/** One watch: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
import type { IncomingMessage } from 'node:http'
import type { KubeObject } from '../../core/object.ts'
import { type Clock, KubeError } from '../../ports/index.ts'
import { isObject } from './client.ts'
import type { Connection } from './connection.ts'
import { isFields, parseJson } from './json.ts'
import { LineSplitter } from './lines.ts'
import { errorOfStatus } from './status.ts'

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: KubeObject }
  /** Nothing changed up to here. */
  | { type: 'BOOKMARK'; resourceVersion: string }

export interface WatchOptions {
  /** With its query. */
  readonly path: string
  /** Without a byte for so long the connection counts as hung. */
  readonly idleMs: number
  readonly signal: AbortSignal
  /** The server accepted the watch. */
  readonly opened: () => void
}

/** An object of etcd's limit of 1.5 MiB fits whatever its JSON escapes. */
const MAX_LINE_BYTES = 16 << 20

/** Hands over the events in order. Resolves when the server ends the watch; rejects with a KubeError. */
export async function watch(connection: Connection, options: WatchOptions, handle: (event: WatchEvent) => void) {
  const { path, signal } = options
  const what = `WATCH ${path.split('?')[0]}`
  const answer = await connection.open({ method: 'GET', path, signal })
  options.opened()
  const idle = watchIdle(connection.clock, answer, options.idleMs)
  const lines = new LineSplitter(MAX_LINE_BYTES)
  try {
    for await (const chunk of answer) {
      idle.heard()
      for (const line of lines.push(chunk)) if (line !== '') handle(readEvent(what, line))
    }
  } catch (error) {
    if (error instanceof KubeError && error.message.startsWith(what)) throw error
    const code = error instanceof KubeError ? error.code : 'NETWORK'
    throw new KubeError(code, `${what}: ${(error as Error).message}`)
  } finally {
    idle.stop()
    answer.destroy()
  }
}

/** Destroys the answer when nothing was heard for `idleMs`; one timer, however many bytes come. */
function watchIdle(clock: Clock, answer: IncomingMessage, idleMs: number) {
  let heardAt = clock.monotonic()
  let timer = clock.after(idleMs, check)
  function check(): void {
    const left = heardAt + idleMs - clock.monotonic()
    if (left > 0) timer = clock.after(left, check)
    else answer.destroy(new Error(`nothing heard for ${idleMs} ms`))
  }
  return {
    heard: () => {
      heardAt = clock.monotonic()
    },
    stop: () => timer.cancel(),
  }
}

function readEvent(what: string, line: string): WatchEvent {
  const event = parseLine(line)
  if (!isFields(event) || !isFields(event.object)) throw garbage(what, line)
  const { type, object } = event
  if (type === 'ERROR') throw errorOfStatus(what, object)
  if (type === 'BOOKMARK') {
    const version = isFields(object.metadata) ? object.metadata.resourceVersion : undefined
    if (typeof version !== 'string') throw garbage(what, line)
    return { type, resourceVersion: version }
  }
  if ((type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') || !isObject(object)) throw garbage(what, line)
  return { type, object }
}

function parseLine(line: string): unknown {
  try {
    return parseJson(line)
  } catch {
    return undefined
  }
}

/** Quotes no content: the object may be a Secret. */
function garbage(what: string, line: string): KubeError {
  return new KubeError('MALFORMED', `${what}: a line of ${line.length} characters is not a watch event`)
}
