// Sessions with real Go peers: Debian's serf (memberlist, encrypted and plain) and prometheus-alertmanager. Acceptance
// examples 52 to 59 of chapter 03. Needs root.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../src/apps/lab/index.ts'
import { KEY, Net, type Ours, type Serf, whyNoPeers } from './memberlist-net.ts'

const skip = whyNoPeers()

function scenario(name: string, run: (net: Net) => Promise<void>): void {
  test(name, { skip }, async () => {
    const net = new Net()
    try {
      await run(net)
    } finally {
      await net.close()
    }
  })
}

const same = (members: Map<string, string>, names: readonly string[]) =>
  members.size === names.length && names.every(name => members.get(name) === 'alive')

async function oneView(peers: readonly (Serf | Ours)[], names: readonly string[], withinMs = 5000): Promise<void> {
  for (const peer of peers)
    await waitFor(async () => same(await peer.members(), names), `all to see ${names.join(', ')} alive`, withinMs)
}

for (const [how, key] of [
  ['plain', undefined],
  ['encrypted', KEY],
] as const) {
  const encryption = key ? [`-encrypt=${key}`] : []

  scenario(`52 serf, ${how}: joined both ways, one view within 2 s, no error on either side`, async net => {
    const [first, second] = [await net.serf(1, encryption), await net.serf(2, encryption)]
    const ours = await net.ours(3, key ? { key } : {})
    await first.join(net.addressOf(2))
    assert.deepEqual(await ours.join(net.addressOf(1)), { joined: true })
    await oneView([ours, first, second], ['ours-3', 'serf-1', 'serf-2'], 2000)
    const late = await net.serf(4, encryption)
    await late.join(net.addressOf(3)) // serf dials us
    await oneView([ours, first, second, late], ['ours-3', 'serf-1', 'serf-2', 'serf-4'])
    for (const peer of [first, second, late]) assert.equal(peer.find(/\[(ERR|ERROR|WARN)\]/), undefined)
    assert.equal(ours.find(/"log":"(error|warn)"/), undefined)
  })

  scenario(`54 serf, ${how}: a kill is suspected, then failed, both ways; 55 a leave is told at once`, async net => {
    const [serf, witness] = [await net.serf(1, encryption), await net.serf(2, encryption)]
    const [killed, stays, leaves] = [await net.ours(3, { key }), await net.ours(4, { key }), await net.ours(5, { key })]
    for (const peer of [killed, stays, leaves]) assert.equal((await peer.join(net.addressOf(1))).joined, true)
    await witness.join(net.addressOf(1))
    await oneView([serf, witness, stays], ['ours-3', 'ours-4', 'ours-5', 'serf-1', 'serf-2'])

    const killedAt = Date.now()
    await killed.kill()
    soon(killedAt, await serf.said(/EventMemberFailed: ours-3/, killedAt))
    await serf.said(/Suspect ours-3 has failed|Marking ours-3 as failed/, killedAt)

    const serfKilledAt = Date.now()
    await witness.kill()
    soon(serfKilledAt, await stays.said(/"NodeLeave","node":"serf-2"/, serfKilledAt))
    await stays.said(/Suspect serf-2 has failed, no acks received|Marking serf-2 as failed/, serfKilledAt)

    const left = Date.now()
    await leaves.leave()
    const gone = await serf.said(/EventMember(Failed|Leave): ours-5/, left)
    assert.ok(gone.at - left < 4000, `left after ${gone.at - left} ms`)
    await waitFor(async () => (await stays.members()).get('ours-5') === 'left', 'ours-4 to see that ours-5 left')
  })
}

/**
 * A crash: not before a suspicion can have ended, not later than a few probes and the suspicion take. That is 5 to 9 s; here it
 * may be 20, because a busy machine answers probes late, and speed is no matter of tests.
 */
function soon(killedAt: number, { at, text }: { at: number; text: string }): void {
  assert.ok(at - killedAt > 4000 && at - killedAt < 20_000, `${text} after ${at - killedAt} ms`)
}

scenario('57 UDP cut and TCP open: nobody is declared dead, and both sides say so', async net => {
  const [serf, ours] = [await net.serf(1), await net.ours(2)]
  await ours.join(net.addressOf(1))
  await oneView([serf, ours], ['ours-2', 'serf-1'])
  const at = Date.now()
  net.drop(
    'ip saddr 10.77.0.1 ip daddr 10.77.0.2 meta l4proto udp',
    'ip saddr 10.77.0.2 ip daddr 10.77.0.1 meta l4proto udp',
  )
  await ours.said(/Was able to connect to serf-1 over TCP but UDP probes failed, network may be misconfigured/, at)
  await serf.said(/Was able to connect to ours-2 (over TCP )?but (UDP|other) probes failed/, at)
  await waitFor(() => Date.now() - at > 7000, 'seven seconds to pass') // longer than a suspicion lasts
  assert.deepEqual([...(await serf.members()).values()], ['alive', 'alive'])
  assert.equal(ours.find(/NodeLeave/, at), undefined)
})

scenario('58 the path between two is cut: a third one relays, and nobody is suspected', async net => {
  const [cut, helper, ours] = [await net.serf(1), await net.serf(2), await net.ours(3)]
  await helper.join(net.addressOf(1))
  await ours.join(net.addressOf(2))
  await oneView([cut, helper, ours], ['ours-3', 'serf-1', 'serf-2'])
  const at = Date.now()
  net.drop('ip saddr 10.77.0.1 ip daddr 10.77.0.3', 'ip saddr 10.77.0.3 ip daddr 10.77.0.1')
  for (let probes = 0, since = at; probes < 3; probes++)
    since = (await ours.said(/Failed UDP ping: serf-1 \(timeout reached\)/, since + 1)).at
  assert.equal(ours.find(/Suspect serf-1/, at), undefined)
  assert.equal(cut.find(/Suspect ours-3/, at), undefined)
  for (const peer of [ours, cut]) assert.equal(peer.find(/Was able to connect/, at), undefined)
  await oneView([cut, helper, ours], ['ours-3', 'serf-1', 'serf-2'])
})

scenario('56 cut off for a moment: suspected, and refuted in time, both ways', async net => {
  const [serf, ours] = [await net.serf(1), await net.ours(2)]
  await ours.join(net.addressOf(1))
  await oneView([serf, ours], ['ours-2', 'serf-1'])
  const at = Date.now()
  net.drop('tcp dport 7946', 'udp dport 7946')
  await ours.said(/Suspect serf-1 has failed, no acks received/, at)
  await serf.said(/Suspect ours-2 has failed/, at)
  net.drop()
  await ours.said(/Refuting a suspect message \(from: serf-1\)/, at)
  await serf.said(/Refuting a suspect message \(from: ours-2\)/, at)
  await oneView([serf, ours], ['ours-2', 'serf-1'])
  assert.equal(ours.find(/NodeLeave/), undefined)
  assert.equal(serf.find(/EventMemberFailed/), undefined)
})

scenario('59 two hundred nodes in compressed, encrypted states and in packets of 8 kB', async net => {
  const ours = await net.ours(1, { key: KEY, config: { udpBufferSize: 8000, suspicionMult: 20 } })
  ours.write('invent 200')
  await waitFor(async () => (await ours.members()).size === 201, 'ours to know 201 nodes')
  const serf = await net.serf(2, [`-encrypt=${KEY}`])
  await serf.join(net.addressOf(1))
  await waitFor(async () => (await serf.members()).size === 202, 'serf to know 202 nodes')
  const second = await net.ours(3, { key: KEY })
  assert.deepEqual(await second.join(net.addressOf(2)), { joined: true }) // serf's state, compressed by Go
  assert.equal((await second.members()).size, 203)
})

scenario('53 another key: the stream is refused with a reason, packets are dropped', async net => {
  const serf = await net.serf(1, [`-encrypt=${KEY}`])
  const [other, plain] = [await net.ours(2, { key: 'Dw4NDAsKCQgHBgUEAwIBAA==' }), await net.ours(3)]
  assert.equal((await other.join(net.addressOf(1))).joined, false)
  assert.equal((await plain.join(net.addressOf(1))).joined, false)
  await assert.rejects(serf.join(net.addressOf(3)))
  await assert.rejects(serf.join(net.addressOf(2)))
  assert.deepEqual([...(await serf.members()).keys()], ['serf-1'])
  assert.deepEqual([[...(await other.members()).keys()], [...(await plain.members()).keys()]], [['ours-2'], ['ours-3']])
})

scenario('alertmanager joins us and we join it; a kill is noticed; its user messages harm nothing', async net => {
  const ours = await net.ours(1, { serf: false })
  const first = await net.alertmanager(2, 1)
  await waitFor(async () => (await ours.members()).size === 2, 'alertmanager to join us')
  await net.alertmanager(3)
  assert.deepEqual(await ours.join(net.addressOf(3)), { joined: true })
  await waitFor(async () => same(await ours.members(), [...(await ours.members()).keys()]), 'all to be alive')
  assert.equal((await ours.members()).size, 3)
  const at = Date.now()
  await first.kill()
  const { at: noticed } = await ours.said(/"event":"NodeLeave"/, at)
  assert.ok(noticed - at > 3000 && noticed - at < 20_000, `after ${noticed - at} ms`)
})
