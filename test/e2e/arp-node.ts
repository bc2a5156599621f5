// A node of the ARP tests: the layer 2 responder alone, told what to do by lines of JSON on its standard input.
import { createInterface } from 'node:readline'
import { LinuxLayer2Responder, NO_EXCLUSIONS } from '../../src/adapters/linux/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { responderWorkerUrl } from '../../src/apps/speaker/responder-worker-url.ts'
import { formatAddress, parseAddress } from '../../src/core/ip/index.ts'
import type { Logger, NetworkInterface } from '../../src/ports/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'

export type Command =
  | { do: 'update'; table: [ip: string, interfaces: 'all' | string[]][] }
  | { do: 'block'; ms: number }
  | { do: 'metrics' | 'stop' | 'exit' | 'throw' }

/** An interface as the main thread of the node knows it. */
export type TestLink = Omit<NetworkInterface, 'addresses'> & { readonly addresses: readonly string[] }

const tell = (line: object) => console.log(JSON.stringify(line))
const write = (level: string) => (fields: unknown) =>
  tell({ log: level, fields: typeof fields === 'function' ? fields() : fields })
const log: Logger = {
  debug: write('debug'),
  info: write('info'),
  warn: write('warn'),
  error: write('error'),
  with: () => log,
}
const metrics = new FakeMetrics()
const worker = process.argv[2] === undefined ? responderWorkerUrl : new URL(process.argv[2])
const responder = new LinuxLayer2Responder({
  worker,
  log,
  metrics,
  clock: systemClock,
  exclusions: NO_EXCLUSIONS,
  debug: true,
})
responder.subscribe(() => {
  const links = responder.current()
  tell({ interfaces: links.map(({ name }) => name), links: links.map(inWords) })
})
responder.onClaim(claim => tell({ claim }))
await responder.start()
tell({ ready: responder.ready() })
createInterface({ input: process.stdin }).on('line', line => void obey(JSON.parse(line) as Command))

function inWords({ addresses, ...link }: NetworkInterface): TestLink {
  return { ...link, addresses: addresses.map(({ address }) => formatAddress(address)) }
}

async function obey(command: Command): Promise<void> {
  if (command.do === 'throw') throw new Error('thrown on purpose')
  if (command.do === 'exit') process.exit(0)
  if (command.do === 'metrics') tell({ metrics: Object.fromEntries(metrics.series) })
  if (command.do === 'block') {
    tell({ blocking: true })
    for (const end = performance.now() + command.ms; performance.now() < end; );
    tell({ blocking: false })
  }
  if (command.do === 'update') {
    const table = command.table.map(([ip, names]) => ({
      address: parseAddress(ip)!,
      interfaces: names === 'all' ? ('all' as const) : new Set(names),
    }))
    await responder.update(table)
    tell({ applied: table.length })
  }
  if (command.do === 'stop') {
    await responder.stop()
    process.stdin.destroy()
    tell({ stopped: Object.fromEntries(metrics.series) })
  }
}
