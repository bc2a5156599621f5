/** The process that keeps a lab running after the command that started it has ended, and does what shells ask of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Request, serveRequests } from './control-socket.ts'
import type { Lab } from './lab.ts'
import { removeLeftovers } from './teardown.ts'

type Message = { readonly line: string } | { readonly done: number }

/**
 * Runs this program again with the arguments, apart from the terminal, and prints what it reports until it says it is
 * done or ends; answers its exit code.
 */
export async function runSupervisor(args: readonly string[], print: (line: string) => void): Promise<number> {
  const colour = process.stdout.isTTY ? { METALLB_COLOUR: '1' } : {}
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...colour },
  })
  child.stderr!.on('data', chunk => process.stderr.write(chunk))
  const code = await new Promise<number>(resolve => {
    child.on('message', (message: Message) => ('line' in message ? print(message.line) : resolve(message.done)))
    child.on('exit', exitCode => resolve(exitCode || 1))
  })
  if (child.connected) child.disconnect()
  child.stderr!.destroy()
  child.unref()
  return code
}

/** In the supervisor: what it has to say goes to its parent while that listens. */
export function report(line: string): void {
  if (process.connected) process.send?.({ line } satisfies Message)
  else console.log(line)
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Until the answer is called, a signal removes the lab, however far it was built, and ends this process. */
export function removeOnSignal(name: string): () => void {
  const end = (_signal: NodeJS.Signals, number: number) => {
    removeLeftovers(name).finally(() => process.exit(128 + number))
  }
  for (const signal of SIGNALS) process.once(signal, end)
  return () => {
    for (const signal of SIGNALS) process.off(signal, end)
  }
}

/** Serves requests until a signal asks for the end, then takes the lab down. */
export async function supervise(lab: Lab, handle: (request: Request) => Promise<string>): Promise<void> {
  const server = await serveRequests(lab.dir, handle)
  process.on('uncaughtException', error => appendFileSync(join(lab.dir, 'logs', 'lab.log'), `${error.stack}\n`))
  const ended = Promise.race(SIGNALS.map(signal => once(process, signal)))
  if (process.connected) process.send?.({ done: 0 } satisfies Message)
  await ended
  server.close()
  await lab.close()
}
