/** Those who want to be told of something. */
export class Listeners<T = void> {
  readonly #listeners = new Set<(value: T) => void>()

  /** Told from now on, until the answer is called. */
  add(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** One that goes or comes meanwhile is told of this no more, or not yet. */
  tell(value: T): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(value)
  }
}
