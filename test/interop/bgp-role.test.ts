/** Roles of RFC 9234 with FRR and BIRD: who fits, who does not, and routes that are for customers only. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { enterFreshNetwork } from '../contract/fresh-network.ts'
import { has, plain, running, whyNoBgp } from './bgp-scene.ts'
import { Bird } from './bird.ts'
import { frrRouter } from './frr.ts'
import { linkTo, OURS, THEIRS, unlink } from './router.ts'
import { aPeer } from './speaker.ts'

const NETNS = `bgp-role-${process.pid}`
const PREFIX = '203.0.113.7/32'

type Stopped = { after: (end: () => Promise<void>) => void }

async function frr(t: Stopped, role: string) {
  const scene = await running(t, frrRouter(plain(NETNS)))
  await scene.router.ask('configure terminal', 'router bgp 64501', `neighbor ${OURS.ipv4} local-role ${role}`)
  await scene.speaker.announce('web', PREFIX)
  return scene
}

describe('BGP roles', { skip: whyNoBgp() ?? false }, () => {
  before(async () => {
    enterFreshNetwork()
    await linkTo(NETNS)
  })
  after(() => unlink(NETNS))

  test('FRR, a strict provider: refuses who says nothing, and takes a customer', async t => {
    const { router, speaker } = await frr(t, 'provider strict-mode')
    speaker.peer(aPeer('ipv4'))
    const refused = /got BGP notification code 0x020b \(Role Mismatch\)/
    await waitFor(() => speaker.said('failed to connect to peer').some(line => refused.test(line)), 'the refusal')
    speaker.peer(aPeer('ipv4', { role: 'customer' }))
    await has(router, 'ipv4', [PREFIX])
  })

  test('FRR, a peer: a customer does not fit, and one of both says so with 2/11', async t => {
    const { speaker } = await frr(t, 'peer')
    speaker.peer(aPeer('ipv4', { role: 'customer' }))
    const mismatch = /(got|sent) BGP notification code 0x020b \(Role Mismatch\)/
    await waitFor(() => speaker.said('failed to connect to peer').some(line => mismatch.test(line)), 'the refusal')
    assert.deepEqual(speaker.said('BGP session established'), [])
  })

  // A router with a role marks what we do not mark (RFC 9234 section 5): one without it shows what we said.
  for (const [role, theirs, marked] of [
    ['peer', 'peer', true],
    ['peer', 'nothing', true],
    ['provider', 'nothing', true],
    ['customer', 'nothing', false],
    ['customer', 'provider', false],
  ] as const)
    test(`${role}, and BIRD says that it is ${theirs}: our routes are ${marked ? '' : 'not '}said to be for customers only`, async t => {
      const config = `router id 10.20.0.2;
protocol device {}
protocol bgp speaker {
  local ${THEIRS.ipv4} as 64501;
  neighbor ${OURS.ipv4} as 64500;
  direct; passive on; ${theirs === 'nothing' ? '' : `local role ${theirs};`}
  ipv4 { import all; export none; };
}
`
      const { router, speaker } = await running(t, new Bird({ netns: NETNS, config }))
      await speaker.announce('web', PREFIX)
      speaker.peer(aPeer('ipv4', { role }))
      await has(router, 'ipv4', [PREFIX])
      const [, otc] = /BGP\.otc: (\d+)/.exec(await router.ask('show', 'route', 'all')) ?? []
      assert.equal(otc, marked ? '64500' : undefined)
    })
})
