import type { Logger, Task } from '../ports/index.ts'

/** Starts tasks in order; when one fails the ones before it are stopped again. */
export async function startAll(tasks: readonly Task[], log: Logger): Promise<void> {
  for (const [index, task] of tasks.entries()) {
    try {
      await task.start()
    } catch (error) {
      await stopAll(tasks.slice(0, index), log)
      throw error
    }
  }
}

/** Stops tasks in reverse order; one that fails to stop is logged and does not keep the others running. */
export async function stopAll(tasks: readonly Task[], log: Logger): Promise<void> {
  for (const task of tasks.toReversed()) {
    try {
      await task.stop()
    } catch (error) {
      log.error({ op: 'shutdown', task: task.name, error, msg: 'failed to stop' })
    }
  }
}
