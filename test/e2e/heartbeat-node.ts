// A node of the heartbeat tests: membership as the speaker has it, told what to do by lines of JSON on its standard input.
// Run: node heartbeat-node.ts NAME ADDRESS PEER...
import { createInterface } from 'node:readline'
import { LinuxHeartbeats, LinuxLayer2Responder } from '../../src/adapters/linux/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemRandom } from '../../src/adapters/system/random.ts'
import { systemStreams } from '../../src/adapters/system/tcp.ts'
import { openUdp } from '../../src/adapters/system/udp.ts'
import { responderWorkerUrl } from '../../src/apps/speaker/responder-worker-url.ts'
import {
  CombinedMembership,
  followSpeakers,
  MemberlistMembership,
  RefusedPackets,
} from '../../src/control/membership/index.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import { silent } from '../../src/ports/index.ts'
import { FAST_LAN } from '../../src/protocols/memberlist/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'

const HEARTBEAT_PORT = 7947
const SECRET = 'a secret of the tests'

export type Command =
  | { do: 'block'; ms: number }
  | { do: 'publish'; interfaces: string[] }
  | { do: 'key'; secrets: string[] }
  | { do: 'metrics' | 'members' | 'stop' }

const [node = '', text = '', ...peers] = process.argv.slice(2)
const address = parseAddress(text)!
const tell = (line: object) => console.log(JSON.stringify(line))
const metrics = new FakeMetrics()
const clock = systemClock
const secretsOf = (texts: readonly string[]) => texts.map(secret => new TextEncoder().encode(secret))
const refused = new RefusedPackets('heartbeat', { clock, log: silent, metrics })
const heartbeats = new LinuxHeartbeats({
  ...{ node, address, port: HEARTBEAT_PORT, secrets: secretsOf([SECRET]), clock },
  follow: found => followSpeakers(peers, node, found),
  refused: packets => refused.note(packets),
})
const responder = new LinuxLayer2Responder({
  ...{ worker: responderWorkerUrl, log: silent, metrics, clock },
  companion: () => heartbeats.companion(),
})
const memberlist = new MemberlistMembership({
  ...{ node, address, peers, clock, metrics, log: silent, random: systemRandom, streams: systemStreams },
  ...{ port: 7946, config: FAST_LAN, heartbeats: true, open: () => openUdp({ address: text, port: 7946 }) },
})
const membership = new CombinedMembership({ node, memberlist, heartbeats, trustMs: 10_000, clock, log: silent })
membership.subscribe(({ kind, node: other }) =>
  tell({ event: `${kind} ${other}`, standing: membership.standings().get(other) }),
)
await responder.start()
await membership.start()
membership.activate()
tell({ ready: true })
createInterface({ input: process.stdin }).on('line', line => void obey(JSON.parse(line) as Command))

async function obey(command: Command): Promise<void> {
  if (command.do === 'block') {
    tell({ blocking: true })
    for (const end = performance.now() + command.ms; performance.now() < end; );
    tell({ blocking: false })
  }
  if (command.do === 'publish') membership.publish(command.interfaces)
  if (command.do === 'key') heartbeats.secrets = secretsOf(command.secrets)
  if (command.do === 'metrics') tell({ metrics: Object.fromEntries(metrics.series) })
  if (command.do === 'members')
    tell({
      members: [...membership.members()].sort(),
      interfaces: [...membership.interfaces()].map(([name, names]) => [name, ...names].join(' ')).sort(),
      direct: [...heartbeats.evidence()].map(([name, { at }]) => `${name} ${at}`).sort(),
    })
  if (command.do === 'stop') {
    await membership.stop()
    await responder.stop()
    process.stdin.destroy()
    tell({ stopped: true })
  }
}
