/** The programs of the machine a lab works with. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './command.ts'

/** By the Debian package that brings each. */
const TOOLS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  arping: 'arping',
}

/** Rejects with a sentence that names what is missing. */
export async function ensureTools(): Promise<void> {
  const missing = Object.keys(TOOLS).filter(tool => !isInstalled(tool))
  const packages = [...new Set(missing.map(tool => TOOLS[tool]))].join(' ')
  if (missing.length > 0)
    throw new Error(`the lab needs ${missing.join(', ')}: install the Debian packages ${packages}`)
  const { stdout, stderr } = await run(['arping', '--help'])
  if (!/Habets/.test(stdout + stderr))
    // iputils has a program of the same name with other flags
    throw new Error('the lab needs the arping of the Debian package arping; the one here is another program')
}

export function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(dir => {
    try {
      accessSync(join(dir, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
