/** Ends a lab from outside, whatever is left of it: by the pids it recorded and the prefix of its namespaces. */
import { removeNetwork } from './network.ts'
import { isRunning, labDirectory, type ProcessRecord, readState, removeDirectory } from './state.ts'
import { waitFor } from './wait.ts'

const GRACE_MS = 15_000

/** The supervisor of a lab that runs; undefined where none does. */
export function supervisorOf(name: string): ProcessRecord | undefined {
  const supervisor = readState(labDirectory(name))?.supervisor
  return supervisor !== undefined && isRunning(supervisor) ? supervisor : undefined
}

/** Harmless where there is nothing. */
export async function tearDown(name: string): Promise<void> {
  const supervisor = supervisorOf(name)
  if (supervisor !== undefined && supervisor.pid !== process.pid) await endSupervisor(supervisor)
  await removeLeftovers(name)
}

/** Removes what a lab that does not run any more has left. */
export async function removeLeftovers(name: string): Promise<void> {
  const dir = labDirectory(name)
  const left = (readState(dir)?.processes ?? []).filter(isRunning)
  for (const { pid } of left) process.kill(pid, 'SIGKILL')
  await waitFor(() => !left.some(isRunning), `processes ${left.map(({ pid }) => pid).join(', ')} to end`)
  await removeNetwork(name)
  removeDirectory(dir)
}

/** Lets it take everything down itself; a supervisor that does not is killed, and its processes with it. */
async function endSupervisor(supervisor: ProcessRecord): Promise<void> {
  process.kill(supervisor.pid, 'SIGTERM')
  try {
    await waitFor(() => !isRunning(supervisor), 'the supervisor to end', GRACE_MS)
  } catch {
    process.kill(supervisor.pid, 'SIGKILL')
    await waitFor(() => !isRunning(supervisor), `the supervisor (pid ${supervisor.pid}) to end`)
  }
}
