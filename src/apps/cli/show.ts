/** `metallbctl show bgp …`: what the speakers do now, each asked itself. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Access, Connection, CredentialsError, KubeClient, loadAccess } from '../../adapters/kube/index.ts'
import { systemClock as clock } from '../../adapters/system/clock.ts'
import { systemRandom as random } from '../../adapters/system/random.ts'
import { type PodResource, pods } from '../../api/index.ts'
import { speakerNodes } from '../../control/explain/index.ts'
import { KubeError } from '../../ports/index.ts'
import { type SpeakerState, STATE_PATH } from '../speaker/state.ts'
import { EXIT } from './command.ts'
import { bfdText } from './show-bfd.ts'
import { neighborText, routesText, summaryText } from './show-bgp.ts'
import { runningText } from './show-running.ts'

const USAGE = `usage: metallbctl show bgp summary|neighbor [ADDRESS]|ipv4|ipv6|running-config|bfd
         [--node N] [-n NAMESPACE] [--kubeconfig FILE]
         [--speaker-ca FILE | --insecure-skip-speaker-tls-verify] [--port 9120] [-o text|json]
`

const OPTIONS = {
  node: { type: 'string' },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  port: { type: 'string', default: '9120' },
  'speaker-ca': { type: 'string' },
  'insecure-skip-speaker-tls-verify': { type: 'boolean', default: false },
  output: { type: 'string', short: 'o', default: 'text' },
} as const

/** What is shown of a whole speaker. */
const TEXTS: Readonly<Record<string, (state: SpeakerState) => string>> = {
  summary: summaryText,
  ipv4: state => routesText(state, 'ipv4'),
  ipv6: state => routesText(state, 'ipv6'),
  'running-config': runningText,
  bfd: bfdText,
}

type Asked = Exclude<ReturnType<typeof read>, string>

/** 0: shown; 1: no such neighbor or node; 3: usage; 4: the cluster or a speaker does not answer. */
export async function showCommand(args: string[]): Promise<number> {
  const asked = read(args)
  if (typeof asked === 'string') return complain(`${asked}\n${USAGE}`, EXIT.usage)
  try {
    const states = await speakerStates(asked)
    const shown = asked.values.output === 'json' ? `${JSON.stringify(states, null, 2)}\n` : textOf(asked, states)
    if (states.length === 0) return complain(whyNone(asked), EXIT.failed)
    if (shown === '') return complain(`no neighbor ${asked.neighbor ?? ''}\n`, EXIT.failed)
    process.stdout.write(shown)
    return EXIT.ok
  } catch (error) {
    if (error instanceof KubeError || error instanceof CredentialsError)
      return complain(`${error.message}\n`, EXIT.unreachable)
    throw error
  }
}

function whyNone({ values: { namespace, node } }: Asked): string {
  return `no speaker pod in namespace ${namespace}${node === undefined ? '' : ` on node ${node}`}\n`
}

function complain(message: string, code: number): number {
  process.stderr.write(`metallbctl show: ${message}`)
  return code
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [topic, what = 'summary', neighbor, ...more] = positionals
    if (topic !== 'bgp' || more.length > 0) return 'show what?'
    const ofNeighbors = what === 'neighbor' || what === 'neighbors'
    if (!ofNeighbors && (neighbor !== undefined || !Object.hasOwn(TEXTS, what)))
      return `bgp ${[what, neighbor].filter(Boolean).join(' ')}: unknown`
    if (!['text', 'json'].includes(values.output)) return `-o ${values.output}: text or json`
    return { what, neighbor, values }
  } catch (error) {
    return (error as Error).message
  }
}

function textOf({ what, neighbor }: Asked, states: readonly SpeakerState[]): string {
  const text = TEXTS[what]
  if (text !== undefined) return states.map(text).join('\n')
  const matching = states.flatMap(({ node, bgp }) =>
    bgp.neighbors
      .filter(({ address, name }) => neighbor === undefined || address === neighbor || name === neighbor)
      .map(one => neighborText(one, node)),
  )
  return matching.join('\n')
}

async function speakerStates({ values }: Asked): Promise<SpeakerState[]> {
  const { namespace, node } = values
  const access = await loadAccess({ kubeconfig: values.kubeconfig })
  const kube = new KubeClient(new Connection({ access, clock }), random)
  const speakers = (await kube.list(pods, { namespace }))
    .filter(pod => speakerNodes([pod]) !== undefined)
    .filter(({ spec }) => node === undefined || spec?.nodeName === node)
    .sort((a, b) => (a.spec!.nodeName! < b.spec!.nodeName! ? -1 : 1))
  const trust = speakerTrust(values)
  return Promise.all(speakers.map(pod => stateOf(pod, access, trust, values.port)))
}

/** The token of the user goes to the speaker, so who that is matters: the certificate is checked unless told otherwise. */
function speakerTrust(values: Asked['values']): Access['tls'] {
  const file = values['speaker-ca']
  try {
    const ca = file === undefined ? undefined : readFileSync(file, 'utf8')
    return { ...(ca && { ca }), rejectUnauthorized: !values['insecure-skip-speaker-tls-verify'] }
  } catch (error) {
    throw new CredentialsError(`--speaker-ca ${file}: ${(error as Error).message}`)
  }
}

/** @throws KubeError that names the speaker */
async function stateOf(pod: PodResource, access: Access, tls: Access['tls'], port: string): Promise<SpeakerState> {
  const ip = pod.status?.podIP ?? ''
  const server = new URL(`https://${ip.includes(':') ? `[${ip}]` : ip}:${port}`)
  const speaker = new Connection({ access: { ...access, server, tls }, clock })
  try {
    const { text } = await speaker.request({ method: 'GET', path: STATE_PATH, timeoutMs: 5000 })
    return JSON.parse(text) as SpeakerState
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    throw new KubeError(error.code, `speaker on node ${pod.spec?.nodeName}: ${error.message}`)
  }
}
