import type { Outcome } from '../../core/allocator/index.ts'
import type { Service } from '../../core/service.ts'
import type { EventRecorder, Logger } from '../../ports/index.ts'

/** Events and log lines of an outcome. What describes a lasting state is said once, until it ends or changes (D8). */
export class Announcer {
  readonly #recorder: EventRecorder
  readonly #log: Logger
  /** Service key to what was said and still holds. */
  readonly #standing = new Map<string, readonly string[]>()

  constructor(recorder: EventRecorder, log: Logger) {
    this.#recorder = recorder
    this.#log = log
  }

  announce(service: Service, { events, logs }: Pick<Outcome, 'events' | 'logs'>): void {
    const { key, namespace, name, uid, resourceVersion } = service
    const target = { apiVersion: 'v1', kind: 'Service', namespace, name, uid, resourceVersion }
    const said = this.#standing.get(key) ?? []
    for (const { type, reason, message, standing } of events)
      if (!standing || !said.includes(message)) this.#recorder.event(target, type, reason, message)
    for (const { level, fields } of logs) this.#log[level]({ ...fields, service: key })
    const standing = events.filter(event => event.standing).map(({ message }) => message)
    if (standing.length > 0) this.#standing.set(key, standing)
    else this.#standing.delete(key)
  }

  forget(key: string): void {
    this.#standing.delete(key)
  }
}
