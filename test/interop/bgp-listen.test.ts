/** Routers that open the session, alone or at the same time as we do; and what the wrong password looks like. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { must, run } from '../../src/apps/lab/command.ts'
import { waitFor } from '../../src/apps/lab/index.ts'
import { parseAddress } from '../../src/core/ip/index.ts'
import { besideRouter, has, plain, ROUTERS, running } from './bgp-scene.ts'
import { type Frr, frrRouter } from './frr.ts'
import { OURS } from './router.ts'
import { aPeer } from './speaker.ts'

const NETNS = `bgp-listen-${process.pid}`
const DIALS = { ...plain(NETNS), dials: true }
const LISTENS = { listens: true }

besideRouter('BGP sessions that routers open', NETNS, () => {
  for (const [name, make] of ROUTERS) {
    for (const over of ['ipv4', 'ipv6'] as const)
      test(`${name} over ${over}: it dials, signed; we wait`, async t => {
        const { router, speaker } = await running(t, make({ ...DIALS, over, password: 'secret' }), LISTENS)
        await speaker.announce('web', '203.0.113.7/32')
        speaker.peer(aPeer(over, { password: 'secret', passive: true }))
        await has(router, 'ipv4', ['203.0.113.7/32'])
        assert.deepEqual(speaker.said('failed to connect to peer'), [])
        assert.equal(speaker.protocol.sessions.get('tor')?.status.local?.port, 179, 'the connection is the one it made')
      })

    test(`${name}: both dial, again and again, and one session remains`, async t => {
      const { router, speaker } = await running(t, make(DIALS), LISTENS)
      await speaker.announce('web', '203.0.113.7/32')
      for (let round = 1; round <= 5; round++) {
        speaker.peer(aPeer('ipv4'))
        await waitFor(() => speaker.said('BGP session established').length === round, `session ${round}`, 30_000)
        await has(router, 'ipv4', ['203.0.113.7/32'])
        assert.equal(speaker.said('BGP session down').length, round - 1, 'it stays')
        speaker.peer()
      }
    })
  }

  for (const [name, make] of ROUTERS.filter(([router]) => router !== 'GoBGP')) // which never has two at a time
    test(`${name}: two connections meet, and one remains`, async t => {
      const { router, speaker } = await running(t, make(DIALS), LISTENS)
      await speaker.announce('web', '203.0.113.7/32')
      const speak = await speechless(t)
      speaker.peer(aPeer('ipv4'))
      await waitFor(async () => (await connections()).length === 2, 'a connection each way')
      await speak()
      // Which one depends on what is heard first: RFC 4271 section 6.8 compares only connections that have come so far.
      await has(router, 'ipv4', ['203.0.113.7/32'])
      await waitFor(async () => {
        const [first = '', ...others] = await connections()
        return others.length === 0 && first.includes(`:${speaker.protocol.sessions.get('tor')?.status.local?.port} `)
      }, 'the other one to end')
    })

  test('FRR: TTL security where it dials', async t => {
    const { router, speaker } = await running(t, frrRouter({ ...DIALS, gtsm: true }), LISTENS)
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { ttlSecurityHops: 1, passive: true }))
    await has(router, 'ipv4', ['203.0.113.7/32'])
  })

  test('a stranger is told so (6/5), closed, and counted', async t => {
    const { speaker } = await running(t, frrRouter(plain(NETNS)), LISTENS)
    speaker.peer(aPeer('ipv4', { endpoint: { address: parseAddress('10.20.0.9')! }, passive: true }))
    const connect = `exec 3<>/dev/tcp/${OURS.ipv4}/179 && timeout 5 tail -c 2 <&3 | od -An -tx1`
    const dialled = async () => (await run(['ip', 'netns', 'exec', NETNS, 'bash', '-c', connect])).stdout.trim()
    await waitFor(async () => (await dialled()) === '06 05', 'the listener')
    const series = 'metallb_bgp_connections_refused_total{reason="unknownPeer"}'
    await waitFor(() => speaker.metrics.series.get(series) === 1, 'the refusal to be counted')
    assert.equal(speaker.log.lines.filter(({ fields }) => fields.msg === 'refused BGP connection').length, 1)
  })

  const REJECTED = /MD5 signature rejected \(segments: \d+ with another password\)/
  test('FRR with another password that dials us: the kernel has rejected it, says the reason', async t => {
    const { speaker } = await running(t, frrRouter({ ...DIALS, password: 'other' }), LISTENS)
    speaker.peer(aPeer('ipv4', { password: 'secret' }))
    const told = () => speaker.said('failed to connect to peer')
    await waitFor(() => told().some(line => REJECTED.test(line)), 'the reason', 30_000)
    assert.match(speaker.protocol.state()[0]?.lastClose?.reason ?? '', REJECTED)
    assert.doesNotMatch(JSON.stringify(speaker.log.lines), /secret|other"/)
  })

  test('FRR with another password, and we only wait: told all the same', async t => {
    const { speaker } = await running(t, frrRouter({ ...DIALS, password: 'other' }), LISTENS)
    speaker.peer(aPeer('ipv4', { password: 'secret', passive: true }))
    await waitFor(() => REJECTED.test(speaker.said('failed to connect to peer')[0] ?? ''), 'the reason', 30_000)
  })

  test('FRR without a password: unsigned, where a signature is due', async t => {
    const { speaker } = await running(t, frrRouter(DIALS), LISTENS)
    speaker.peer(aPeer('ipv4', { password: 'secret', passive: true }))
    const unsigned = /MD5 signature rejected \(segments: \d+ without a signature\)/
    await waitFor(() => unsigned.test(speaker.said('failed to connect to peer')[0] ?? ''), 'the reason', 30_000)
  })

  test('FRR with another password that does not dial: a timeout, with a hint', async t => {
    const { speaker } = await running(t, frrRouter({ ...plain(NETNS), password: 'other' }))
    speaker.peer(aPeer('ipv4', { password: 'secret' }))
    await waitFor(() => speaker.said('failed to connect to peer').length > 0, 'the timeout', 30_000)
    const hint = /(the peer did not answer in time|ETIMEDOUT.*): as it does where its password is another one$/
    assert.match(speaker.said('failed to connect to peer')[0]!, hint)
  })

  test('FRR: the password changes here and there, and the session is back with the new one', async t => {
    const { router, speaker } = await running(t, frrRouter({ ...plain(NETNS), password: 'old' }))
    await speaker.announce('web', '203.0.113.7/32')
    speaker.peer(aPeer('ipv4', { password: 'old' }))
    await has(router, 'ipv4', ['203.0.113.7/32'])
    speaker.peer(aPeer('ipv4', { password: 'new' }))
    assert.deepEqual(speaker.said('BGP session down'), [], 'ours does not end it')
    await (router as Frr).ask('configure terminal', 'router bgp 64501', `neighbor ${OURS.ipv4} password new`)
    await waitFor(() => speaker.said('BGP session established').length === 2, 'the session anew', 30_000)
    await has(router, 'ipv4', ['203.0.113.7/32'])
    t.diagnostic(`FRR ends it when told: ${speaker.said('BGP session down')}`)
  })
})

/** Connections are made and nothing is heard on them; the answer ends that. */
async function speechless(t: TestContext): Promise<() => Promise<void>> {
  const drops = ['sport', 'dport'].map(port => `tcp ${port} 179 tcp flags & psh == psh drop`).join('; ')
  const chains = ['input', 'output'].map(hook => `chain ${hook} { type filter hook ${hook} priority 0; ${drops}; };`)
  await must(['nft', '-f', '-'], { input: `table inet speechless { ${chains.join(' ')} }\n` })
  let over = false
  const speak = async () => {
    if (!over) await must(['nft', 'delete', 'table', 'inet', 'speechless'])
    over = true
  }
  t.after(speak)
  return speak
}

/** That are made, as our kernel sees them. */
async function connections(): Promise<string[]> {
  const { stdout } = await run(['ss', '-Htn', 'state', 'established', '( sport = :179 or dport = :179 )'])
  return stdout.split('\n').filter(line => line !== '')
}
