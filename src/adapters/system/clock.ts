import type { Clock } from '../../ports/index.ts'

/** Node's clocks and timers. Timers of this clock keep the process alive while they are armed. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms)
    return { cancel: () => clearTimeout(timer) }
  },
}
