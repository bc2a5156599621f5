/** `metallbctl explain` asks the speakers: who is in a minority, and which configuration is in force. Real processes. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { DEMO_MANIFEST } from '../../src/apps/cli/demo-manifest.ts'
import { type Lab, startLab, waitFor } from '../../src/apps/lab/index.ts'
import { serveDemo, whyNoLab } from './harness.ts'

const skip = whyNoLab() ?? false

interface Row {
  readonly node: string
  readonly announces: boolean
  readonly by: string
  readonly reasons: readonly { code: string }[]
}

interface Said {
  readonly layer2: { readonly nodes: readonly Row[] }
  readonly assumptions: readonly string[]
}

describe('metallbctl explain, where a majority is required', { skip }, () => {
  let lab: Lab
  let address: string
  let owner: string
  const names = () => lab.plan.nodes.map(({ name }) => name)

  before(async () => {
    lab = await startLab({ name: 'exexplain', notReadyAfterMs: 1000, speakerFlags: ['--require-majority'] })
    ;({ address, owner } = await serveDemo(lab))
  })
  after(() => lab?.close())

  /** As an administrator on the node would ask. */
  async function explain(node: string, ...args: string[]): Promise<string> {
    const kubeconfig = join(lab.dir, 'users', 'admin.kubeconfig')
    const argv = ['src/apps/metallbctl.ts', 'explain', 'service', 'default/web', '--kubeconfig', kubeconfig]
    const { stdout, stderr } = await lab.node(node).exec([process.execPath, ...argv, ...args])
    return stdout + stderr
  }
  const asked = async (node: string): Promise<Said> =>
    JSON.parse(await explain(node, '--insecure-skip-speaker-tls-verify', '-o', 'json'))
  const shown = ({ layer2 }: Said) =>
    layer2.nodes.map(({ node, announces, by, reasons }) => [node, announces, by, ...reasons.map(({ code }) => code)])
  const others = () => names().filter(name => name !== owner)

  test('each speaker says itself what it decides', async () => {
    const row = (node: string) =>
      node === owner ? [node, true, 'speaker', 'owner'] : [node, false, 'speaker', 'notOwner', 'electionLost']
    await waitFor(async () => {
      owner = (await lab.owner(address)) ?? owner // the last to join may be the one
      return isDeepStrictEqual(shown(await asked('node1')), names().map(row))
    }, 'one owner, by its own word, and two that lost')
  })

  test('a speaker whose certificate nobody vouches for is not asked, and that is said', async () => {
    const text = await explain('node1')
    assert.match(text, new RegExp(`no answer of the speaker on ${names().join(', ')}: .*certificate: not trusted`))
    assert.match(text, /what speakers know at run time: assumed are/)
    assert.match(text, new RegExp(`Layer 2: announced from node ${owner}\n`))
  })

  test('a node in a minority says so; who cannot be asked is judged by what the others see', async () => {
    const [first, second] = others() as [string, string]
    await lab.partition([
      [owner, 'client'],
      [first, second, 'router'],
    ])
    const alone = await waitFor(async () => {
      const said = await asked(owner)
      const row = said.layer2.nodes.find(({ node }) => node === owner)!
      return row.reasons[0]!.code === 'minorityPartition' ? said : undefined
    }, `${owner} to see no majority`)
    assert.deepEqual(
      shown(alone).find(([node]) => node === owner),
      [owner, false, 'speaker', 'minorityPartition'],
    )
    assert.match(alone.assumptions.join(), new RegExp(`no answer of the speaker on .*${first}`))
    const rowOf = (said: Said, node: string) => shown(said).find(([name]) => name === node)
    await waitFor(async () => {
      const said = await asked(first)
      const heir = said.layer2.nodes.find(({ announces }) => announces)?.node
      const gone = [owner, false, 'computed', 'notOwner', 'memberMissing']
      return heir !== undefined && heir !== owner && isDeepStrictEqual(rowOf(said, owner), gone)
    }, 'a node of the majority to announce, and the owner to be missed')
    await lab.heal()
  })

  test('while the configuration is refused, the speakers say which one is in force', async () => {
    await waitFor(async () => (await lab.owner(address)) === owner, `${owner} to answer again`, 15_000)
    await lab.kubectl(['delete', 'validatingwebhookconfigurations', 'metallb-webhook-configuration'])
    const overlapping = DEMO_MANIFEST.split('---')[0]!.replace('name: lan', 'name: twin')
    await lab.apply(overlapping)
    const text = await waitFor(async () => {
      const said = await explain('node1', '--insecure-skip-speaker-tls-verify')
      return said.includes(`Configuration of speaker-${names().join(', speaker-')}: in force is`) ? said : undefined
    }, 'all speakers to refuse it')
    assert.match(text, /the configuration is not valid, so the last valid one stays in force:\n.*twin.*overlaps/)
    assert.match(
      text,
      /in force is that of 20.*Z\n {2}since then: IPAddressPool metallb-system\/twin added\n {2}refused: .*twin/,
    )
    assert.match(text, new RegExp(`Layer 2: announced from node ${owner}\n`))
    assert.match(text, /Configuration of controller: not the newest is in force, since 20.*\n {2}refused: .*twin/)
    const events = async () => {
      const path = 'jsonpath={range .items[?(@.reason=="configRejected")]}{.involvedObject.name}: {.message}{end}'
      return (await lab.kubectl(['get', 'events', '-n', 'metallb-system', '-o', path])).stdout
    }
    await waitFor(async () => /^twin: the last valid .* overlaps/.test(await events()), 'the event on the pool', 20_000)
  })
})
