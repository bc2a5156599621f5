/**
 * Network namespaces without root: the process runs itself again inside a user namespace where it is root, with a /run
 * of its own for the names of the namespaces. Later commands enter the user namespace of the lab's supervisor.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { run } from './command.ts'
import { supervisorOf } from './teardown.ts'

const PREPARE = 'mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up'
const UNSHARE = ['unshare', '--user', '--map-root-user', '--net', '--mount']

/**
 * For a command that makes a lab. Answers the exit code of the same command run with the rights it needs, or undefined
 * where this process has them. Rejects with a sentence where it cannot have them.
 */
export async function withRightsForNewLab(): Promise<number | undefined> {
  if (await mayMakeNamespaces()) return undefined
  const { code, stderr } = await run([...UNSHARE, 'sh', '-ec', PREPARE])
  const why = stderr.trim().split('\n').at(-1)
  if (code !== 0)
    throw new Error(`the lab needs root, or a kernel that allows unprivileged user namespaces (${why || 'refused'})`)
  return await again([...UNSHARE, 'sh', '-ec', `${PREPARE} && exec "$@"`, 'sh'])
}

/** The same for a command about a lab that runs. */
export async function withRightsForLab(name: string): Promise<number | undefined> {
  const supervisor = supervisorOf(name)
  if (supervisor === undefined || process.getuid?.() === 0) return undefined
  return await again(['nsenter', `--target=${supervisor.pid}`, '--user', '--preserve-credentials', '--mount', '--net'])
}

/** Whether the lab is out of reach for other shells of this user, but by `lab exec`. */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
}

async function mayMakeNamespaces(): Promise<boolean> {
  return process.getuid?.() === 0 && (await run(['unshare', '--net', 'true'])).code === 0
}

async function again([program = '', ...args]: readonly string[]): Promise<number> {
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn(program, [...args, ...self], { stdio: 'inherit' })
  const pass = (signal: NodeJS.Signals) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass)
  const [code] = (await once(child, 'exit')) as [number | null]
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass)
  return code ?? 1
}
