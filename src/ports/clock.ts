/** Time as the inside sees it: it arrives from outside, and tests move it by hand. */
export interface Timer {
  /** After this the callback does not run. Harmless when it already ran. */
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970, may jump: only for timestamps shown to people or written to the API. */
  now(): number
  /** Milliseconds from an arbitrary start, never jumps: for every duration and deadline. */
  monotonic(): number
  /** Runs the callback once, `ms` milliseconds from now, never synchronously. */
  after(ms: number, callback: () => void): Timer
}
