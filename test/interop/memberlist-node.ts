// One memberlist node as a process, for the interop tests: told what to be by its first argument (JSON), what to do by lines
// on stdin (`join ADDRESS PORT`, `members`, `meta TEXT`, `invent COUNT`, `leave`), it says what happens in JSON lines.
import { createInterface } from 'node:readline'
import { aesGcm } from '../../src/adapters/system/aead.ts'
import { systemClock as clock } from '../../src/adapters/system/clock.ts'
import { systemRandom as random } from '../../src/adapters/system/random.ts'
import { systemStreams } from '../../src/adapters/system/tcp.ts'
import { openUdp } from '../../src/adapters/system/udp.ts'
import { formatAddress, parseAddress } from '../../src/core/ip/index.ts'
import type { Logger } from '../../src/ports/index.ts'
import { wrapPacket } from '../../src/protocols/memberlist/envelope/index.ts'
import { LAN, Memberlist } from '../../src/protocols/memberlist/index.ts'
import { encodeMessage } from '../../src/protocols/memberlist/message/index.ts'

interface Settings {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly key?: string
  readonly delegateVersions?: [number, number, number]
  readonly config?: Partial<typeof LAN>
}

const settings: Settings = JSON.parse(process.argv[2]!)
const say = (line: Record<string, unknown>) => void process.stdout.write(`${JSON.stringify(line)}\n`)
const logAt = (level: string) => (fields: object | (() => object)) =>
  say({ log: level, ...(typeof fields === 'function' ? fields() : fields) })
const log: Logger = {
  debug: logAt('debug'),
  info: logAt('info'),
  warn: logAt('warn'),
  error: logAt('error'),
  with: () => log,
}
const { name, port, key, delegateVersions } = settings
const address = parseAddress(settings.address)!
const socket = await openUdp({ address: settings.address, port })
const config = { ...LAN, ...settings.config }
const keyring = key
  ? { keys: [aesGcm(Buffer.from(key, 'base64'))], verifyIncoming: true, sealOutgoing: true }
  : undefined
const connect = systemStreams.connect
const event = ({ kind, node }: { kind: string; node: string }) => say({ event: kind, node })
const node = new Memberlist(
  {
    name,
    address,
    port,
    config,
    clock,
    random,
    log,
    socket,
    connect,
    event,
    ...(delegateVersions && { delegateVersions }),
  },
  keyring,
)
await systemStreams.listen({ address, port }, stream => node.accept(stream))
node.start()
say({ started: name })

createInterface({ input: process.stdin }).on('line', async line => {
  const [command, ...args] = line.split(' ')
  if (command === 'join') {
    await node.join(parseAddress(args[0]!)!, Number(args[1])).then(
      () => say({ joined: true }),
      error => say({ joined: false, error: (error as Error).message }),
    )
  } else if (command === 'members') {
    const members = node.members().map(({ name: member, state, address: at, port: on }) => {
      return { name: member, state, address: `${formatAddress(at)}:${on}` }
    })
    say({ members, health: node.health })
  } else if (command === 'meta') node.meta = new TextEncoder().encode(args[0])
  else if (command === 'invent') invent(Number(args[0]))
  else if (command === 'leave') {
    await node.leave(1000)
    node.shutdown()
    say({ left: true })
    process.exit(0)
  }
})

/** Tells this node of nodes that do not exist, as gossip would. */
function invent(count: number): void {
  const vsn = Uint8Array.of(1, 5, 2, ...(delegateVersions ?? [0, 0, 0]))
  for (let index = 0; index < count; index++) {
    const where = { addr: Uint8Array.of(10, 88, index >> 8, index & 255), port: 7946, vsn }
    const alive = encodeMessage({ kind: 'alive', incarnation: 1, node: `invented-${index}`, ...where })
    const envelope = { label: '', compression: false, keyring, random }
    socket.send(wrapPacket([alive], false, envelope), settings.address, port)
  }
}
