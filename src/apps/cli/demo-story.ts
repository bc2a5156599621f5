/** The steps of the demo. Each observes what it claims and rejects with one sentence where it does not see it. */
import { services } from '../../api/kubernetes/index.ts'
import { type Failover, type Lab, measureFailover, nodeCommand, waitFor } from '../lab/index.ts'
import { BACK_ENDS, DEMO_MANIFEST } from './demo-manifest.ts'
import { style, table } from './terminal.ts'

type Say = (text: string) => void

export async function tellStory(lab: Lab, say: Say): Promise<void> {
  await applyManifest(lab, say)
  const address = await waitForAddress(lab, say)
  await fetchPages(lab, say, address)
  await showOwner(lab, say, address)
  await loseOwner(lab, say, address)
}

async function applyManifest(lab: Lab, say: Say): Promise<void> {
  const kubectl = await lab.kubectl(['version', '--client']).then(
    ({ code }) => code === 0,
    () => false,
  )
  const how = kubectl ? 'kubectl apply -f -' : 'no kubectl here: our own client applies'
  say(heading(`A pool, an advertisement, a Service with three back ends (${how})`))
  if (!kubectl) {
    await lab.apply(DEMO_MANIFEST)
    return
  }
  const { code, stdout, stderr } = await lab.kubectl(['apply', '-f', '-'], { input: DEMO_MANIFEST })
  if (code !== 0) throw new Error(`kubectl apply failed: ${stderr.trim()}`)
  say(indent(stdout))
}

async function waitForAddress(lab: Lab, say: Say): Promise<string> {
  const ref = { namespace: 'default', name: 'web' }
  const began = performance.now()
  const address = await waitFor(async () => {
    const { status } = await lab.kube.get(services, ref)
    return status?.loadBalancer?.ingress?.[0]?.ip
  }, 'the controller to give Service default/web an address')
  const owner = await waitFor(() => lab.owner(address), `a speaker to answer ARP for ${address}`)
  const took = Math.round(performance.now() - began)
  say(heading(`Service default/web has the address ${style(address, 'green')}`))
  say(`  announced by ${owner} after ${took} ms`)
  return address
}

async function fetchPages(lab: Lab, say: Say, address: string): Promise<void> {
  const url = `http://${address}/`
  say(heading(`The client fetches ${url} until every back end has answered`))
  const seen = new Set<string>()
  for (let i = 0; i < 30 && seen.size < BACK_ENDS.length; i++) {
    const { code, stdout, stderr } = await lab.client.exec(nodeCommand('fetch', [url, i === 0 ? '5000' : '0']))
    if (code !== 0) throw new Error(`the client got no answer: ${stderr.trim()}`)
    say(indent(stdout))
    seen.add(/pod=(\S+)/.exec(stdout)?.[1] ?? '')
  }
  if (seen.size < BACK_ENDS.length) throw new Error(`only ${[...seen].join(', ')} answered in 30 requests`)
}

async function showOwner(lab: Lab, say: Say, address: string): Promise<void> {
  say(heading(`Who owns it: arping ${address} from the client`))
  const { stdout, stderr } = await lab.client.exec(['arping', '-c', '3', '-w', '3', '-i', 'eth0', address])
  say(indent(stdout))
  const macs = [...new Set([...stdout.matchAll(/from ([0-9a-f:]{17})/g)].map(([, mac]) => mac))]
  if (macs.length === 0) throw new Error(`nobody answered ARP for ${address}: ${stderr.trim() || 'silence'}`)
  if (macs.length > 1) throw new Error(`${address} is answered by more than one: ${macs.join(', ')}`)
  const owner = lab.machines.find(({ mac }) => mac === macs[0])
  if (owner === undefined) throw new Error(`${address} is answered by ${macs[0]}, which no node has`)
  say(`  ${macs[0]} is ${style(owner.name, 'green')}, and nobody else answered`)
}

async function loseOwner(lab: Lab, say: Say, address: string): Promise<void> {
  say(heading('The node that owns it dies (kill -9 and links down); the client asks every 20 ms'))
  const failover = await measureFailover(lab, address)
  const { before, after } = failover
  say(timeline(failover))
  const answered = failover.attempts.filter(({ error }) => error === undefined).length
  say(heading('What the client saw'))
  const rows = [
    ['owner before', `${before} ${lab.node(before).mac}`],
    ['owner after', `${after} ${lab.node(after).mac}`],
    ['requests', `${failover.attempts.length}, ${answered} answered`],
    ['outage', `${Math.round(failover.outageMs)} ms, the longest time without an answer`],
  ]
  say(table(rows, '  '))
}

function timeline({ before, after, killedAt, lastAnswer, learned, firstAnswer }: Failover): string {
  const moments: [number, string][] = [
    [lastAnswer, `last answer through ${before}`],
    [killedAt, `${before} is killed`],
    [learned, `the client's ARP table has ${after}`],
    [firstAnswer, `first answer through ${after}`],
  ]
  moments.sort(([a], [b]) => a - b)
  return moments.map(([at, what]) => `${signed(at - killedAt).padStart(10)} ms  ${what}`).join('\n')
}

const signed = (ms: number) => `${ms < 0 ? '-' : '+'}${Math.abs(ms).toFixed(0)}`
const heading = (text: string) => `\n${style(text, 'bold')}`
const indent = (text: string) => text.trimEnd().replace(/^/gm, '  ')
