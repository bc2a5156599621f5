/** A planned stop of the speaker that owns an address: nobody notices (issue 5, point 6). */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { services } from '../../src/api/kubernetes/index.ts'
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Lab, measureFailover, Probe, startLab, waitFor } from '../../src/apps/lab/index.ts'
import type { Asked } from './asker.ts'
import { arp, POOL_SIX, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const ASKER = fileURLToPath(new URL('asker.ts', import.meta.url))
/** Goes on sending one request, a line at a time, until SIGTERM; then finishes it and prints the answer. */
const SLOW_CLIENT = `
const socket = require('node:net').connect(80, process.argv[1], () => {
  socket.write('GET / HTTP/1.0\\r\\n')
  console.log('connected')
})
const timer = setInterval(() => socket.write('X-Still: here\\r\\n'), 50)
process.on('SIGTERM', () => { clearInterval(timer); socket.write('\\r\\n') })
socket.on('error', error => { console.log(error.message); process.exit(1) })
socket.on('data', text => console.log(String(text))).on('end', () => process.exit(0))`

const SIX = `---${POOL_SIX}${serviceYaml('six', 'web', 'ipFamilies: [IPv6]')}`

describe('a planned stop', { skip }, () => {
  let lab: Lab
  let address: string
  let owner: string

  before(async () => {
    lab = await startLab({ name: 'handover' })
    await lab.apply(DEMO_MANIFEST + SIX)
    address = await addressOf('web')
    owner = await ownerOf(address)
  })
  after(() => lab?.close())

  const addressOf = (name: string) =>
    waitFor(async () => {
      const { status } = await lab.kube.get(services, { namespace: 'default', name })
      return status?.loadBalancer?.ingress?.[0]?.ip
    }, `an address of ${name}`)
  const ownerOf = (ip: string) => waitFor(() => lab.owner(ip), `an owner of ${ip}`)

  /** Not asked at the client: its kernel would learn from the answer, and its connections move to whoever stands in. */
  const backAgain = () =>
    waitFor(async () => (await arp(lab.router, address)).join() === lab.node(owner).mac, `${owner} alone to answer`)

  test('a stream of 1,000 requests a second loses none while the speaker is replaced', async () => {
    const probe = new Probe(lab.client, `http://${address}/`, 1, 2000)
    try {
      await waitFor(() => probe.answersSince(0).length >= 500, 'the stream to flow')
      await lab.restartSpeaker(owner)
      await backAgain()
      const back = Date.now()
      await waitFor(() => probe.answersSince(back).length >= 500, 'the stream to flow again')
    } finally {
      await probe.stop()
    }
    assert.deepEqual(
      probe.attempts.flatMap(({ error }) => error ?? []),
      [],
    )
    const took = lab.plan.nodes.filter(({ name }) =>
      lab.logs(`speaker-${name}`).includes(`took over quietly from ${owner}`),
    )
    assert.equal(took.length, 1)
    assert.notEqual(took[0]!.name, owner)
  })

  test('a connection outlives the speaker', async () => {
    const client = lab.client.start([process.execPath, '-e', SLOW_CLIENT, address])
    const said = output(client)
    await waitFor(() => said() === 'connected\n', 'the connection')
    await lab.restartSpeaker(owner)
    await backAgain()
    assert.equal(client.exitCode, null, said())
    client.kill('SIGTERM')
    await once(client, 'close')
    assert.match(said(), /^connected\nHTTP\/1\.1 200 /)
  })

  const anotherThan = (node: string, ip: string) =>
    waitFor(async () => {
      const found = await lab.owner(ip)
      return found === node ? undefined : found
    }, `another node than ${node} to answer for ${ip}`)

  /** Asks 1,000 times a second, as long as that takes. */
  async function asked(ip: string, during: () => Promise<void>): Promise<Asked> {
    const { stdout } = await lab.client.exec(['ip', '-j', 'link', 'show', 'eth0'])
    const [link] = JSON.parse(stdout) as [{ ifindex: number; address: string }]
    const asker = lab.client.start([process.execPath, ASKER, String(link.ifindex), link.address, ip])
    const said = output(asker)
    const latest = () => JSON.parse(said().split('\n').at(-2) ?? '{"answers":[0,0,0]}') as Asked // the last whole line
    const another = async (count: number) => {
      const before = latest().answers[1]!
      await waitFor(() => latest().answers[1]! >= before + count, `${count} answers`)
    }
    await another(500)
    await during()
    await another(300)
    asker.kill('SIGTERM')
    await once(asker, 'close')
    return latest()
  }

  for (const [protocol, service] of [
    ['ARP', 'web'],
    ['NDP', 'six'],
  ] as const)
    test(`each of 1,000 ${protocol} requests a second is answered, and none of them twice`, async () => {
      const ip = await addressOf(service)
      const from = await ownerOf(ip)
      const stop = await asked(ip, async () => {
        await lab.stopSpeaker(from)
        await anotherThan(from, ip)
      })
      const back = await asked(ip, async () => {
        await lab.restartSpeaker(from)
        await waitFor(async () => (await lab.owner(ip)) === from, `${from} to answer again`)
      })
      for (const { answers, macs } of [stop, back]) {
        assert.equal(macs.length, 2, 'the one and then the other answered')
        assert.deepEqual(answers.slice(2), [0], String(answers))
        assert.ok(answers[1]! > 100 && answers[0] === 0, String(answers))
      }
      assert.deepEqual([stop.macs[0], back.macs[1]], [lab.node(from).mac, lab.node(from).mac])
    })

  for (const service of ['web', 'six'])
    test(`clients of ${service} that learned the stand-in lose nothing when the owner returns, and move when they ask again`, async () => {
      const ip = await addressOf(service)
      const from = await ownerOf(ip)
      const neighbour = async () => {
        const { stdout } = await lab.client.exec(['ip', '-j', 'neigh', 'show', ip, 'dev', 'eth0'])
        return (JSON.parse(stdout || '[]') as { lladdr?: string }[])[0]?.lladdr
      }
      const url = ip.includes(':') ? `http://[${ip}]/` : `http://${ip}/`
      const served = async (during: () => Promise<unknown>) => {
        const probe = new Probe(lab.client, url, 1, 2000)
        try {
          await waitFor(() => probe.answersSince(0).length >= 300, 'the stream to flow')
          await during()
          const later = Date.now()
          await waitFor(() => probe.answersSince(later).length >= 300, 'the stream to flow on')
        } finally {
          await probe.stop()
        }
        assert.deepEqual(
          probe.attempts.flatMap(({ error }) => error ?? []),
          [],
        )
      }
      await lab.stopSpeaker(from)
      const standIn = await anotherThan(from, ip)
      await lab.client.exec(['ip', 'neigh', 'flush', 'to', ip])
      await served(() => lab.restartSpeaker(from))
      assert.equal(await neighbour(), lab.node(standIn).mac, 'the stand-in still forwards')
      await lab.client.exec(['ip', 'neigh', 'flush', 'to', ip])
      await served(async () => {})
      assert.equal(await neighbour(), lab.node(from).mac)
      assert.match(lab.logs(`speaker-${from}`), new RegExp(`took back quietly from ${standIn}`))
    })

  /** Whoever took over asks the node alone once it has found it on the segment. */
  const watched = async (node: string) => {
    const questions = `arp[6:2] = 1 and ether dst ${lab.node(node).mac}`
    const { code, stderr } = await lab.node(node).exec(['timeout', '20', 'tcpdump', '-i', 'eth0', '-c', '3', questions])
    assert.equal(code, 0, stderr)
  }

  test('when the node dies after its speaker has stopped, the client is told at once', async () => {
    const failover = await measureFailover(lab, address, {
      strike: async node => {
        await lab.stopSpeaker(node)
        await watched(node)
        await lab.kill(node)
      },
    })
    assert.deepEqual([failover.before, failover.after === owner], [owner, false])
    assert.ok(failover.outageMs < 2000, `${failover.outageMs} ms`)
    assert.match(lab.logs(`speaker-${failover.after}`), /taken over quietly from .* its kernel answers no more/)
    await lab.heal()
    await backAgain()
  })
})

function output(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', data => {
      text += data
    })
  return () => text
}
