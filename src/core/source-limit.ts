export interface SourceLimitOptions {
  readonly perSecond: number
  /** What a source that was quiet may send at once. */
  readonly burst: number
  /** Sources remembered at most. */
  readonly most: number
}

/** Lets so many packets of each source pass: who sends too much is refused, the others are not. */
export class SourceLimit {
  readonly #options: SourceLimitOptions
  readonly #sources = new Map<string, { left: number; atMs: number }>()

  constructor(options: SourceLimitOptions) {
    this.#options = options
  }

  /** Monotonic milliseconds. */
  pass(source: string, nowMs: number): boolean {
    const { perSecond, burst } = this.#options
    const bucket = this.#sources.get(source) ?? this.#add(source, nowMs)
    bucket.left = Math.min(burst, bucket.left + ((nowMs - bucket.atMs) * perSecond) / 1000)
    bucket.atMs = nowMs
    if (bucket.left < 1) return false
    bucket.left--
    return true
  }

  /** Where there are too many, the one that was heard of first goes. */
  #add(source: string, nowMs: number): { left: number; atMs: number } {
    if (this.#sources.size >= this.#options.most) this.#sources.delete(this.#sources.keys().next().value!)
    const fresh = { left: this.#options.burst, atMs: nowMs }
    this.#sources.set(source, fresh)
    return fresh
  }
}
