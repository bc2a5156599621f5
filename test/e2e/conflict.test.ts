/** Another host claims the address of a Service: people are told, and the address keeps its owner. Real processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false

describe('a foreign claim for the address of a Service', { skip }, () => {
  let lab: Lab
  let address: string
  let owner: string

  before(async () => {
    lab = await startLab({ name: 'l2bconflict', notReadyAfterMs: 1000 })
    await lab.apply(DEMO_MANIFEST)
    address = await waitFor(() => ingress(), 'an address')
    owner = await waitFor(() => lab.owner(address), 'an owner')
  })
  after(() => lab?.close())

  async function ingress(): Promise<string | undefined> {
    const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}'
    const { stdout } = await lab.kubectl(['get', 'service', 'web', '-o', path])
    return stdout.trim() || undefined
  }
  async function warnings(): Promise<string[]> {
    const columns = 'custom-columns=REASON:.reason,MESSAGE:.message'
    const { stdout } = await lab.kubectl(['get', 'events', '--field-selector=type=Warning', '-o', columns])
    return stdout.split('\n').filter(line => line.startsWith('addressConflict'))
  }
  /** An unsolicited reply of the client with the address as its own. */
  const claim = () =>
    lab.client.exec(['arping', '-U', '-P', '-c', '1', '-w', '0.1', '-i', 'eth0', '-S', address, address])

  test('a planned hand-over and back is none', async () => {
    await lab.restartSpeaker(owner)
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to own the address again`)
  })

  test('it is an event on the Service that says who and where, and clients learn the owner again', async () => {
    const found = await waitFor(async () => {
      await claim()
      return (await warnings())[0]
    }, 'an event')
    const words = `another host, ${lab.client.mac}, claims ${address} on interface "eth0" of node "${owner}"`
    assert.ok(found.includes(words), found)
    assert.equal((await warnings()).length, 1, 'the hand-over before it was none')
    assert.equal(await lab.owner(address), owner)
    const logs = lab.plan.nodes.map(({ name }) => lab.logs(`speaker-${name}`)).join('\n')
    assert.equal([...logs.matchAll(/"event":"addressConflict"/g)].length, 1)
  })
})
