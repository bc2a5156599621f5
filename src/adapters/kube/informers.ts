import { apiVersionOf, type KubeObject, type ResourceType } from '../../core/object.ts'
import type { Informer, Task } from '../../ports/index.ts'
import { type InformerOptions, type InformerStatus, Reflector, type ReflectorContext } from './reflector.ts'

/** One informer for each kind and selection, started and stopped together. */
export class Informers implements Task {
  readonly name = 'informers'
  readonly #context: ReflectorContext
  readonly #reflectors = new Map<string, Reflector<KubeObject>>()
  #started = false

  constructor(context: ReflectorContext) {
    this.#context = context
  }

  /** The same informer for the same kind and selection; `project` and `timing` of the first call count. */
  of<T extends KubeObject>(type: ResourceType<T>, options: InformerOptions<T> = {}): Informer<T> {
    const { namespace, labelSelector, fieldSelector } = options
    const key = [apiVersionOf(type), type.plural, namespace, labelSelector, fieldSelector].join('|')
    const known = this.#reflectors.get(key) as unknown as Reflector<T> | undefined
    if (known !== undefined) return known
    const reflector = new Reflector(this.#context, type, options)
    this.#reflectors.set(key, reflector as unknown as Reflector<KubeObject>)
    if (this.#started) reflector.start()
    return reflector
  }

  start(): void {
    this.#started = true
    for (const reflector of this.#reflectors.values()) reflector.start()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map(reflector => reflector.stop()))
  }

  ready(): true | string {
    const missing = this.status().filter(({ synced }) => !synced)
    if (missing.length === 0) return true
    return `waiting for ${missing.map(({ type, error }) => (error ? `${type} (${error})` : type)).join(', ')}`
  }

  status(): InformerStatus[] {
    return [...this.#reflectors.values()].map(reflector => reflector.status())
  }
}
