/** Another host claims the address of a Service: people are told, and the address keeps its owner. Real processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { services } from '../../src/api/kubernetes/index.ts'
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { POOL_SIX, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const CLAIMANT = fileURLToPath(new URL('claimant.ts', import.meta.url))
const IPV6 = 'ipFamilies: [IPv6]'

interface Claimed {
  readonly address: string
  readonly owner: string
}

describe('a foreign claim for the address of a Service', { skip }, () => {
  let lab: Lab

  before(async () => {
    lab = await startLab({ name: 'l2bconflict', notReadyAfterMs: 1000 })
    const six = serviceYaml('six', 'web', IPV6) + serviceYaml('probed', 'web', IPV6)
    await lab.apply(`${DEMO_MANIFEST}---${POOL_SIX}${six}`)
  })
  after(() => lab?.close())

  async function claimed(name: string): Promise<Claimed> {
    const address = await waitFor(async () => {
      const { status } = await lab.kube.get(services, { namespace: 'default', name })
      return status?.loadBalancer?.ingress?.[0]?.ip
    }, `an address of ${name}`)
    return { address, owner: await waitFor(() => lab.owner(address), `an owner of ${address}`) }
  }
  async function warnings(about: string): Promise<string[]> {
    const columns = 'custom-columns=REASON:.reason,SERVICE:.involvedObject.name,MESSAGE:.message'
    const { stdout } = await lab.kubectl(['get', 'events', '--field-selector=type=Warning', '-o', columns])
    return stdout.split('\n').filter(line => new RegExp(`^addressConflict +${about} `).test(line))
  }
  /** Logged by whichever speaker. */
  const logged = (address: string) =>
    lab.plan.nodes.flatMap(({ name }) =>
      lab
        .logs(`speaker-${name}`)
        .split('\n')
        .filter(line => line.includes('"event":"addressConflict"') && line.includes(`"ip":"${address}"`)),
    )
  /** metallb_layer2_conflicts_detected of the owner's speaker. */
  async function counted({ address, owner }: Claimed): Promise<number> {
    const args = ['-sk', '-H', 'Authorization: Bearer admin-token', 'https://127.0.0.1:9120/metrics']
    const { stdout } = await lab.node(owner).exec(['curl', ...args])
    const line = stdout.split('\n').find(text => text.startsWith(`metallb_layer2_conflicts_detected{ip="${address}"`))
    return Number(line?.split(' ').at(-1) ?? 0)
  }
  /** What a bystander's kernel holds, which believes whoever spoke last. */
  async function believed(address: string): Promise<string | undefined> {
    const { stdout } = await lab.router.exec(['ip', '-j', 'neigh', 'show', address])
    return (JSON.parse(stdout || '[]') as { lladdr?: string }[])[0]?.lladdr
  }
  async function isReported(name: string, of: Claimed, claim: () => Promise<unknown>): Promise<void> {
    const found = await waitFor(async () => {
      await claim()
      return (await warnings(name))[0]
    }, 'an event')
    const words = `another host, ${lab.client.mac}, claims ${of.address} on interface "eth0" of node "${of.owner}"`
    assert.ok(found.includes(words), found)
    assert.equal((await warnings(name)).length, 1, 'the hand-over before it was none')
    assert.equal(logged(of.address).length, 1)
    assert.ok((await counted(of)) > 0)
  }

  test('a planned hand-over and back is none', async () => {
    for (const name of ['web', 'six']) {
      const { address, owner } = await claimed(name)
      await lab.restartSpeaker(owner)
      await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own ${address} again`)
    }
  })

  const voices = {
    /** An unsolicited reply of the client with the address as its own. */
    web: (address: string) => ['arping', '-U', '-P', '-c', '1', '-w', '0.1', '-i', 'eth0', '-S', address, address],
    six: (address: string) => [process.execPath, CLAIMANT, lab.client.mac, address],
  }
  for (const name of ['web', 'six'] as const)
    test(`of ${name}: an event says who and where, log and metric too, and bystanders learn the owner again`, async () => {
      const of = await claimed(name)
      const { address, owner } = of
      const claim = () => lab.client.exec(voices[name](address))
      await lab.router.exec(['bash', '-c', `echo > /dev/udp/${address}/9`])
      await waitFor(async () => (await believed(address)) === lab.node(owner).mac, 'a bystander that knows the owner')
      await waitFor(async () => {
        await claim()
        return (await believed(address)) === lab.client.mac
      }, 'the bystander to believe the claim')
      await isReported(name, of, claim)
      await waitFor(async () => (await believed(address)) === lab.node(owner).mac, 'the bystander to know better')
      assert.equal(await lab.owner(address), owner)
    })

  test('a host that is about to take an IPv6 address is told that it is taken, and that is reported', async () => {
    const of = await claimed('probed')
    const remove = () => lab.client.exec(['ip', 'addr', 'del', `${of.address}/64`, 'dev', 'eth0'])
    await isReported('probed', of, async () => {
      await lab.client.exec(['ip', 'addr', 'add', `${of.address}/64`, 'dev', 'eth0'])
      await waitFor(async () => {
        const { stdout } = await lab.client.exec(['ip', '-6', 'addr', 'show', 'dev', 'eth0'])
        return stdout.includes('dadfailed')
      }, 'the address to be found taken')
      await remove()
    })
    assert.equal(await lab.owner(of.address), of.owner)
  })
})
