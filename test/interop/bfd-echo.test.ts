/** BFD's echo packets with FRR where the link between both is replaced: another index, another MAC, another address. */
import { after, before, test } from 'node:test'
import { LinuxLiveness } from '../../src/adapters/linux/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { bfdWorkerUrl } from '../../src/apps/speaker/bfd-worker-url.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import { type LivenessChange, silent } from '../../src/ports/index.ts'
import { FakeMetrics } from '../../src/testing/fake-metrics.ts'
import { addNamespace, becomeNode, cable, ip, router, tearDown, until } from './bfd-segment.ts'

const root = process.getuid?.() === 0
if (!root && process.env.CI === 'true') throw new Error('BFD against FRR needs root')

const PROFILE = {
  ...{ name: 'echo', receiveIntervalMs: 50, transmitIntervalMs: 50, passiveMode: false },
  ...{ echoMode: true, echoIntervalMs: 20 },
}
const liveness = new LinuxLiveness({
  ...{ worker: bfdWorkerUrl, log: silent, metrics: new FakeMetrics(), clock: systemClock },
})

before(() => {
  if (!root) return
  becomeNode()
  liveness.start()
})

after(async () => {
  if (!root) return
  await liveness.stop()
  await tearDown()
})

const skip = root ? false : 'needs root: network namespaces and FRR'
test('echo packets take the link that there is', { skip }, async () => {
  const near = addNamespace('echo')
  cable('eth0', near, 1)
  ip('netns exec', near, 'sysctl -qw net.ipv4.ip_forward=1')
  const frr = await router(near)
  await frr.configure('profile fast', 'receive-interval 50', 'transmit-interval 50', 'exit')
  await frr.configure('peer 10.77.1.1', 'profile fast', 'no shutdown')
  const changes: LivenessChange[] = []
  const target = { peer: parseAddress('10.77.1.2')!, multihop: false }
  const watch = liveness.watch(target, PROFILE, change => void changes.push(change))
  const states = () => changes.filter(({ state, before: was }) => state === 'up' || was === 'up').map(one => one.state)
  const returned = () => liveness.sessions()[0]?.echoInput ?? 0
  await until('echo packets to come back', () => returned() > 20)
  ip('link del eth0')
  await until('the session to end', () => states().at(-1) === 'down')
  cable('eth0', near, 1)
  await until('the session to come back', () => states().at(-1) === 'up')
  const before = returned()
  await until('echo packets to come back over the new link', () => returned() > before + 20)
  watch.close()
})
