/** What every supervised thread is given at its start, for both sides. */
export interface Supervision {
  /** An eventfd that counts the messages not read yet: the thread sleeps on it. */
  readonly wakeFd: number
  /** One number, shared: anything but RUN ends the thread. */
  readonly stop: Int32Array
}

export const RUN = 0
export const END = 1
