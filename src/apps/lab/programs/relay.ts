/**
 * A door from the machine into the lab's control plane: gets a listening socket that was made outside from its parent,
 * and connects whoever comes in to the API server inside. Usage: relay.ts HOST PORT
 */
import { connect, type Server, type Socket } from 'node:net'

const [host = '', port = ''] = process.argv.slice(2)

process.once('message', (_message, server) => (server as Server).on('connection', relay))

function relay(outside: Socket): void {
  const inside = connect(Number(port), host)
  for (const [from, to] of [
    [outside, inside],
    [inside, outside],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
}
