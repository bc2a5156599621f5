/** `--require-majority` (IMP-6): a node cut off from the others stops answering, as a client on its side sees. Real processes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { arp, serveDemo, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false

describe('a cut between one node and two, where a majority is required', { skip }, () => {
  let lab: Lab
  let address: string
  let owner: string

  before(async () => {
    lab = await startLab({ name: 'simmajor', notReadyAfterMs: 1000, speakerFlags: ['--require-majority'] })
    ;({ address, owner } = await serveDemo(lab))
  })
  after(() => lab?.close())

  test('the owner, cut off with a client, stops answering it, and the others answer on their side', async () => {
    const rest = lab.plan.nodes.map(({ name }) => name).filter(name => name !== owner)
    assert.deepEqual(await arp(lab.client, address), [lab.node(owner).mac])
    await lab.partition([
      [owner, 'client'],
      [...rest, 'router'],
    ])
    await waitFor(async () => (await arp(lab.client, address)).length === 0, `${owner} to be silent`, 5000)
    const heirs = rest.map(name => lab.node(name).mac)
    const answers = () => arp(lab.router, address)
    await waitFor(async () => heirs.includes((await answers()).join()), 'one of the others to answer')
    // Memberlist gives the others up meanwhile; without the rule the owner would go on all the time.
    const log = () => lab.logs(`speaker-${owner}`)
    await waitFor(
      () => /"msg":"node event - forcing sync".*"node event":"NodeLeave"/.test(log()),
      'a NodeLeave',
      20_000,
    )
    assert.deepEqual(await arp(lab.client, address), [])
    assert.match(log(), /"event":"serviceWithdrawn".*"reason":"minorityPartition"/)
    assert.match(log(), /"expected":3,.*"msg":"no majority of the speakers is seen: nothing is announced by layer 2"/)
  })

  test('healed, it answers again, and alone', async () => {
    await lab.heal()
    const alone = async () => (await arp(lab.client, address)).join() === lab.node(owner).mac
    await waitFor(alone, `${owner} alone to answer`, 15_000)
    assert.match(lab.logs(`speaker-${owner}`), /"msg":"a majority of the speakers is seen again"/)
  })
})
