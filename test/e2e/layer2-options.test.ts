/** Who answers where interfaces fail (IMP-25) and where nodes come back (IMP-4), as a client sees it. Real processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BACK_ENDS, DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Host, type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { addressOf, podsReady, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false

async function ip(host: Host, ...args: string[]): Promise<void> {
  const { code, stderr } = await host.exec(['ip', ...args])
  assert.equal(code, 0, `ip ${args.join(' ')}: ${stderr}`)
}

describe('addresses are announced on a second network of the nodes', { skip }, () => {
  let lab: Lab
  let address: string
  const macs = new Map<string, string>()

  /** A bridge at the client, with a link `svc0` of each node: membership keeps to the LAN. */
  async function addServiceNetwork(): Promise<void> {
    await ip(lab.client, 'link', 'add', 'svc', 'type', 'bridge')
    await ip(lab.client, 'address', 'add', '192.168.20.2/24', 'dev', 'svc')
    await ip(lab.client, 'link', 'set', 'svc', 'up')
    for (const [index, { name }] of lab.plan.nodes.entries()) {
      const mac = `02:00:00:00:20:0${index + 1}`
      const peer = ['peer', 'name', name, 'netns', lab.netns('client')]
      await ip(lab.node(name), 'link', 'add', 'svc0', 'address', mac, 'type', 'veth', ...peer)
      await ip(lab.node(name), 'link', 'set', 'svc0', 'up')
      await ip(lab.client, 'link', 'set', name, 'master', 'svc', 'up')
      macs.set(mac, name)
    }
  }

  async function owner(): Promise<string | undefined> {
    const { stdout } = await lab.client.exec(['arping', '-r', '-C', '1', '-w', '0.05', '-i', 'svc', address])
    return macs.get(stdout.trim())
  }

  before(async () => {
    lab = await startLab({ name: 'electifs', notReadyAfterMs: 1000 })
    await addServiceNetwork()
    await lab.apply(DEMO_MANIFEST.replace('ipAddressPools: [lan]', 'ipAddressPools: [lan], interfaces: [svc0]'))
    address = await addressOf(lab)
  })
  after(() => lab?.close())

  test('where the owner loses its link another node takes over, and gives it back', async t => {
    const first = await waitFor(owner, 'an owner')
    const cutAt = Date.now()
    await ip(lab.client, 'link', 'set', first, 'down')
    const heir = async () => {
      const node = await owner()
      return node === first ? undefined : node
    }
    await waitFor(heir, 'another node to answer', 2000)
    t.diagnostic(`another node answered after ${Date.now() - cutAt} ms`)
    assert.match(lab.logs(`speaker-${first}`), /"event":"serviceWithdrawn".*"reason":"notOwner"/)
    assert.doesNotMatch(lab.logs(`speaker-${first}`), /NodeLeave/, 'its speaker lives')
    await ip(lab.client, 'link', 'set', first, 'up')
    await waitFor(async () => (await owner()) === first, `${first} to answer again`, 5000)
  })

  test('where no node has the interface any more, the elected one says so', async () => {
    const first = await waitFor(owner, 'an owner')
    const failed = () =>
      /"IPAdvertisement":\{"interfaces":\["svc0"\]\}.*"localIfs":\[.*"svc0"/.test(lab.logs(`speaker-${first}`))
    assert.equal(failed(), false)
    for (const { name } of lab.plan.nodes) await ip(lab.client, 'link', 'set', name, 'down')
    await waitFor(failed, 'the warning')
    assert.equal(await owner(), undefined)
  })
})

for (const holdDown of ['0', '4s'])
  describe(`a killed node comes back, --hold-down=${holdDown}`, { skip }, () => {
    let lab: Lab
    let address: string

    before(async () => {
      lab = await startLab({ name: 'electhold', notReadyAfterMs: 1000, speakerFlags: [`--hold-down=${holdDown}`] })
      await lab.apply(DEMO_MANIFEST)
      await podsReady(lab, BACK_ENDS)
      address = await addressOf(lab)
    })
    after(() => lab?.close())

    test('its address goes back at once, or after the time', async () => {
      const first = await waitFor(() => lab.owner(address), 'an owner: nobody is held where all start together')
      const log = () => lab.logs(`speaker-${first}`)
      if (holdDown !== '0') await waitFor(() => log().includes('"settled":true'), 'the node to be settled')
      await lab.kill(first)
      const other = async () => {
        const node = await lab.owner(address)
        return node === first ? undefined : node
      }
      const heir = await waitFor(other, 'another owner')
      await lab.heal() // until its speaker is ready
      if (holdDown !== '0') {
        const isOver = () => /"held":true.*"held":false,.*"settled":true/s.test(log())
        await waitFor(() => log().includes('"held":true'), `${first} to be held`)
        const meanwhile = await lab.owner(address)
        if (!isOver()) assert.equal(meanwhile, heir) // a busy machine may need the whole time for the question
        await waitFor(isOver, `${first} to be settled again`)
      }
      await waitFor(async () => (await lab.owner(address)) === first, `${first} to own it again`)
      assert.equal(/"held":true/.test(log()), holdDown !== '0')
    })
  })
