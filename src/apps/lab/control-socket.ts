/** How a shell speaks to the supervisor of a running lab: one line of JSON each way over a Unix socket. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Request {
  readonly verb: string
  readonly args: readonly string[]
}

/** What to print, or what went wrong. */
export type Reply = { readonly text: string } | { readonly error: string }

const socketPath = (dir: string) => join(dir, 'control.sock')

export async function serveRequests(dir: string, handle: (request: Request) => Promise<string>): Promise<Server> {
  rmSync(socketPath(dir), { force: true })
  const server = createServer(socket => {
    socket.on('error', () => socket.destroy())
    createInterface({ input: socket }).once('line', async line => {
      socket.end(`${JSON.stringify(await replyTo(line, handle))}\n`)
    })
  })
  server.listen(socketPath(dir))
  await once(server, 'listening')
  return server
}

/** Rejects with the supervisor's complaint, or where it does not listen. */
export async function ask(dir: string, request: Request): Promise<string> {
  const socket = connect(socketPath(dir))
  await once(socket, 'connect')
  socket.write(`${JSON.stringify(request)}\n`)
  const reply = JSON.parse(await firstLine(socket)) as Reply
  if ('error' in reply) throw new Error(reply.error)
  return reply.text
}

async function replyTo(line: string, handle: (request: Request) => Promise<string>): Promise<Reply> {
  try {
    return { text: await handle(JSON.parse(line) as Request) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

async function firstLine(socket: Socket): Promise<string> {
  for await (const line of createInterface({ input: socket })) return line
  throw new Error('the supervisor of the lab ended without an answer')
}
