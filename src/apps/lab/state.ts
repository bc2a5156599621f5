/**
 * What a running lab leaves in its folder, so that another shell, or one after a crash, finds it and can end it:
 * `state.json` names the supervisor and every process with its pid and start time (a pid alone may be reused).
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ProcessRecord {
  readonly name: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly started: string
}

export interface LabState {
  readonly name: string
  readonly supervisor: ProcessRecord
  readonly processes: readonly ProcessRecord[]
}

export function labDirectory(name: string): string {
  return process.env.LAB_DIR || `/tmp/metallb-lab-${name}`
}

/** Makes the folder, for its owner alone. */
export function makeDirectory(dir: string): void {
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
}

export function writeState(dir: string, state: LabState): void {
  const next = join(dir, 'state.json.next')
  writeFileSync(next, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(next, join(dir, 'state.json'))
}

export function readState(dir: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as LabState
  } catch {
    return undefined // none, or cut off by a crash of the machine: the namespaces are found by their prefix
  }
}

export function removeDirectory(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

export function recordOf(name: string, pid: number): ProcessRecord {
  return { name, pid, started: startTime(pid) ?? '' }
}

/** Whether that very process still runs; one that has ended and was not yet reaped does not. */
export function isRunning({ pid, started }: ProcessRecord): boolean {
  return startTime(pid) === started
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from field 3, the state
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
