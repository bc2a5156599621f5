/** For tests on real sockets. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { enterFreshNetwork } from './fresh-network.ts'

/** Where root runs the tests, nobody else takes ports or is counted by the kernel. Before the first socket. */
export function aloneOnLoopback(): void {
  if (process.getuid?.() !== 0) return
  enterFreshNetwork()
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
}

/** Waits until the condition holds. */
export async function real(condition: () => boolean, limitMs = 30_000): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!condition() && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 2))
  assert.ok(condition(), 'it never happened')
}

/** Nobody had it a moment ago. */
export function freePort(host: string): Promise<number> {
  const server = createServer()
  return new Promise(resolve =>
    server.listen(0, host, () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    }),
  )
}
