/** `metallb`: the daemons, one process each. */
import { versionText } from './version.ts'

const DAEMONS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  controller: async args => (await import('./controller/main.ts')).main(args),
  speaker: async args => (await import('./speaker/main.ts')).main(args),
  configmaptocrs: async args => (await import('./cli/convert-configmap.ts')).configMapToCrs(args),
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === 'version') {
    process.stdout.write(`metallb ${versionText()}\n`)
    return 0
  }
  const daemon = name !== undefined && Object.hasOwn(DAEMONS, name) ? DAEMONS[name] : undefined
  if (daemon !== undefined) return daemon(args)
  const asked = name === undefined || name === 'help' || name === '-h' || name === '--help'
  if (!asked) process.stderr.write(`metallb: unknown daemon "${name}"\n`)
  process.stderr.write(`usage: metallb ${Object.keys(DAEMONS).join('|')} [flags], or metallb version\n`)
  return asked ? 0 : 2
}

process.exit(await main(process.argv.slice(2)))
