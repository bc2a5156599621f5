/** Layer 2 over IPv6 in a lab: addresses found by NDP, real traffic, both families of one Service, failover. */
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { services } from '../../src/api/kubernetes/index.ts'
import {
  type Lab,
  longestGap,
  Probe,
  SERVICE_RANGE,
  SERVICE_RANGE6,
  startLab,
  waitFor,
} from '../../src/apps/lab/index.ts'
import { answers, podsReady, podYaml, serviceYaml, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false
const PODS = ['web-1', 'web-2', 'web-3']
const CONFIG = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan, namespace: metallb-system }
spec: { addresses: ["${SERVICE_RANGE}", "${SERVICE_RANGE6}"] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: lan, namespace: metallb-system }
---`

describe('IPv6 by layer 2', { skip }, () => {
  let lab: Lab
  const addressesOf = async (name: string, count: number) => {
    const ingress = async () => {
      const { status } = await lab.kube.get(services, { namespace: 'default', name })
      return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip!)
    }
    return await waitFor(async () => {
      const found = await ingress()
      return found.length === count ? found : undefined
    }, `${count} addresses of ${name}`)
  }
  const ownerOf = (address: string) => waitFor(() => lab.owner(address), `a node to answer for ${address}`)

  before(async () => {
    lab = await startLab({ name: 'ipv6test', notReadyAfterMs: 1000 })
    const pods = PODS.map((pod, i) => podYaml(pod, 'web', `node${i + 1}`)).join('')
    const six = serviceYaml('six', 'web', 'ipFamilyPolicy: SingleStack, ipFamilies: [IPv6]')
    const both = serviceYaml('both', 'web', 'ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv4, IPv6]')
    await lab.apply(CONFIG + pods + six + both)
    await podsReady(lab, PODS)
  })
  after(() => lab?.close())

  test('an IPv6 Service has an address that one node answers for, and traffic reaches every back end', async () => {
    const [address = ''] = await addressesOf('six', 1)
    assert.match(address, /^fd00:192:168:10::/)
    assert.match(await ownerOf(address), /^node[123]$/)
    await waitFor(async () => {
      const seen = await answers(lab.client, `http://[${address}]/`, 30)
      return new Set(seen.map(({ pod }) => pod)).size === PODS.length
    }, 'answers of every back end') // a Pod is ready before the node's rules know it
  })

  test('a dual-stack Service is reached by both of its addresses', async () => {
    const [four = '', six = ''] = await addressesOf('both', 2)
    assert.match(four, /^192\.168\.10\./)
    for (const host of [four, `[${six}]`])
      assert.equal((await answers(lab.client, `http://${host}/`, 10)).length >= 10, true)
  })

  test('with policy Local the back end sees the client', async () => {
    await lab.apply(
      podYaml('one', 'one', 'node2') + serviceYaml('one', 'one', 'externalTrafficPolicy: Local, ipFamilies: [IPv6]'),
    )
    await podsReady(lab, ['one'])
    const [address = ''] = await addressesOf('one', 1)
    assert.equal(await ownerOf(address), 'node2')
    const [seen] = await answers(lab.client, `http://[${address}]/`, 1)
    assert.equal(seen?.client, lab.plan.client.address6)
  })

  test('a probe of a cached entry is answered by unicast, and duplicate address detection too', async () => {
    const [address = ''] = await addressesOf('six', 1)
    const owner = lab.node(await ownerOf(address))
    await lab.client.exec(['ip', 'neigh', 'replace', address, 'lladdr', owner.mac, 'dev', 'eth0', 'nud', 'probe'])
    await waitFor(async () => {
      const { stdout } = await lab.client.exec(['ip', '-6', 'neigh', 'show', address])
      return stdout.includes('REACHABLE')
    }, 'the entry to be confirmed')
    await lab.client.exec(['ip', 'addr', 'add', `${address}/64`, 'dev', 'eth0'])
    await waitFor(async () => {
      const { stdout } = await lab.client.exec(['ip', '-6', 'addr', 'show', 'dev', 'eth0'])
      return stdout.includes('dadfailed')
    }, 'the address to be found taken')
    await lab.client.exec(['ip', 'addr', 'del', `${address}/64`, 'dev', 'eth0'])
  })

  test('the owner dies: another node says so to all nodes, overriding, and the client is served again', async t => {
    const [address = ''] = await addressesOf('six', 1)
    const before = await ownerOf(address)
    const dump = lab.client.start(['tcpdump', '-i', 'eth0', '-nnlv', '--immediate-mode', 'dst host ff02::1'])
    const said: string[] = []
    createInterface({ input: dump.stdout! }).on('line', line => said.push(line))
    const probe = new Probe(lab.client, `http://[${address}]/`)
    try {
      await waitFor(() => probe.answersSince(0).length >= 20, 'steady answers')
      const killedAt = Date.now()
      await lab.kill(before)
      await waitFor(() => probe.answersSince(killedAt + 1000).length >= 20, 'answers after the kill', 30_000)
      t.diagnostic(`${longestGap(probe.attempts)?.ms.toFixed(0)} ms without an answer`)
    } finally {
      dump.kill('SIGKILL')
      await probe.stop()
    }
    assert.notEqual(await ownerOf(address), before)
    assert.match(
      said.join(' '),
      new RegExp(`neighbor advertisement, length 32, tgt is ${address}, Flags \\[override\\]`),
    )
  })
})
