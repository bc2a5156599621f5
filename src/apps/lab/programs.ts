/** The programs a lab starts, run from source by the Node that runs the lab itself. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const PROGRAMS = {
  metallb: 'src/apps/metallb.ts',
  apiserver: 'src/testing/apiserver/main.ts',
  web: 'src/apps/lab/programs/web.ts',
  relay: 'src/apps/lab/programs/relay.ts',
  probe: 'src/apps/lab/programs/probe.ts',
  fetch: 'src/apps/lab/programs/fetch.ts',
}

/** `--single-threaded-gc` keeps garbage collection from delaying the threads beside the main one (platform.md A). */
export function nodeCommand(program: keyof typeof PROGRAMS, args: readonly string[] = []): string[] {
  const file = ROOT + PROGRAMS[program]
  if (!existsSync(file)) throw new Error(`the lab runs from a checkout: ${file} is missing`)
  return [process.execPath, '--single-threaded-gc', file, ...args]
}
