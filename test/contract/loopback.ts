/** For tests on real sockets. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'

/** Waits until the condition holds. */
export async function real(condition: () => boolean, limitMs = 5000): Promise<void> {
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
