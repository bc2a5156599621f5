/**
 * Something that runs in the layer 2 thread beside the responder: a thread of its own would cost 11 MB or more, whatever
 * its limits (Node 24). It sleeps with the responder and must return within a millisecond, because requests wait.
 */
export interface Companion {
  /** What to wake up for; read before each sleep. */
  readonly fds: readonly number[]
  /** When to wake up at latest, monotonic milliseconds. */
  readonly nextMs: number
  /** After every sleep, and before the next. */
  turn(nowMs: number, isReady: (place: number) => boolean): void
  close(): void
}
