// Finds the Node this project is pinned to and the program to run: in a checkout the sources, which Node 24 runs as they
// are (type stripping), elsewhere the production bundle.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SOURCES = { metallb: 'src/apps/metallb.ts', metallbctl: 'src/apps/metallbctl.ts' }
const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {'metallb' | 'metallbctl'} name */
export async function launch(name) {
  const source = root + SOURCES[name]
  const program = existsSync(source) ? source : `${root}dist/${name}.js`
  if (Number(process.versions.node.split('.')[0]) >= 24) {
    process.argv[1] = program
    await import(program)
    return
  }
  const pinned = `${root}node_modules/node/bin/node`
  if (!existsSync(pinned)) {
    console.error(
      `${name} needs Node 24 and this is Node ${process.versions.node}: run 'npm ci' in ${root} to get the pinned one`,
    )
    process.exit(1)
  }
  const child = spawn(pinned, [program, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)))
}
