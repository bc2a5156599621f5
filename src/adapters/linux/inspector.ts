import { readdirSync, readFileSync } from 'node:fs'

/** Node starts a thread of this name with its inspector, on a flag, by SIGUSR1 or from the program. */
const THREAD = 'InspectorIo'

/**
 * Whether somebody may debug this process. For threads other than the main one, which may stand at a breakpoint: there
 * `inspector.url()` knows only their own inspector, and the module costs 2.5 MB.
 */
export function isInspected(): boolean {
  return readdirSync('/proc/self/task').some(id => nameOf(id) === THREAD)
}

function nameOf(id: string): string {
  try {
    return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
  } catch {
    return '' // it has ended
  }
}
