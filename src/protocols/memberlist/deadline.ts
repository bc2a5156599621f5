import type { Clock, Timer } from '../../ports/index.ts'

/** Later than this a timer shows that the thread stood still. */
const LATE_MS = 20
const MOST_MS = 1000

/**
 * Runs the callback when the time is up. Where the timer itself comes late the thread stood still, and answers may wait
 * unread: it then waits once more, as long as it was late, so that a blocked thread accuses nobody.
 */
export function deadline(clock: Clock, ms: number, callback: () => void): Timer {
  const due = clock.monotonic() + ms
  let timer = clock.after(ms, () => {
    const late = clock.monotonic() - due
    if (late > LATE_MS) timer = clock.after(Math.min(late, MOST_MS), callback)
    else callback()
  })
  return { cancel: () => timer.cancel() }
}
