/** Whatever lives long: started in order, stopped in reverse. */
export interface Task {
  readonly name: string
  start(): Promise<void> | void
  /** Resolves when everything it started has ended. */
  stop(): Promise<void> | void
  /** True, or the sentence that says what it still waits for. */
  ready(): true | string
}
