/** The programs a lab starts, by the Node that runs the lab itself: a bundle where a fresh one is there, else the source. */
import { existsSync, globSync, statSync } from 'node:fs'
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

/**
 * As the images start Node (deploy/image/Dockerfile). V8's helper threads would delay the threads that answer ARP and BFD, so
 * there are none; a small young generation, small code and late optimisation save 20 MB in each speaker.
 */
export const NODE_FLAGS = [
  '--single-threaded',
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--invocation-count-for-maglev=20000',
  '--invocation-count-for-turbofan=200000',
]

export function nodeCommand(program: keyof typeof PROGRAMS, args: readonly string[] = []): string[] {
  const source = ROOT + PROGRAMS[program]
  if (!existsSync(source)) throw new Error(`the lab runs from a checkout: ${source} is missing`)
  const bundle = `${ROOT}dist/${program}.js`
  return [process.execPath, ...NODE_FLAGS, isFresh(bundle) ? bundle : source, ...args]
}

let sourcesChanged: number | undefined

/** Whether the bundle is newer than every source: a stale one would hide the change that is to be tested. */
function isFresh(bundle: string): boolean {
  if (!existsSync(bundle)) return false
  sourcesChanged ??= Math.max(...globSync(`${ROOT}src/**/*.ts`).map(file => statSync(file).mtimeMs))
  return statSync(bundle).mtimeMs > sourcesChanged
}
