/** `metallbctl show bgp …`: what the speakers do now, each asked itself. */
import { parseArgs } from 'node:util'
import { Connection, CredentialsError, KubeClient, loadAccess } from '../../adapters/kube/index.ts'
import { systemClock as clock } from '../../adapters/system/clock.ts'
import { systemRandom as random } from '../../adapters/system/random.ts'
import { pods } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import type { SpeakerSessions, SpeakerState } from '../speaker/state.ts'
import { EXIT } from './command.ts'
import { bfdText } from './show-bfd.ts'
import { neighborText, routesText, summaryText } from './show-bgp.ts'
import { runningText } from './show-running.ts'
import { askSpeakers, SPEAKER_OPTIONS } from './speakers.ts'

const USAGE = `usage: metallbctl show bgp summary|neighbor [ADDRESS]|ipv4|ipv6|running-config|bfd
         [--node N] [-n NAMESPACE] [--kubeconfig FILE]
         [--speaker-ca FILE | --insecure-skip-speaker-tls-verify] [--port 9120] [-o text|json]
`

const OPTIONS = {
  node: { type: 'string' },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  ...SPEAKER_OPTIONS,
  output: { type: 'string', short: 'o', default: 'text' },
} as const

/** What is shown of a whole speaker. */
const TEXTS: Readonly<Record<string, (state: SpeakerSessions) => string>> = {
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

function textOf({ what, neighbor }: Asked, states: readonly SpeakerSessions[]): string {
  const text = TEXTS[what]
  if (text !== undefined) return states.map(text).join('\n')
  const matching = states.flatMap(({ node, bgp }) =>
    bgp.neighbors
      .filter(({ address, name }) => neighbor === undefined || address === neighbor || name === neighbor)
      .map(one => neighborText(one, node)),
  )
  return matching.join('\n')
}

/** @throws KubeError of the first speaker that does not answer */
async function speakerStates({ values }: Asked): Promise<SpeakerState[]> {
  const { namespace, node } = values
  const access = await loadAccess({ kubeconfig: values.kubeconfig })
  const kube = new KubeClient(new Connection({ access, clock }), random)
  const wanted = (await kube.list(pods, { namespace })).filter(
    ({ spec }) => node === undefined || spec?.nodeName === node,
  )
  return (await askSpeakers<SpeakerState>(wanted, access, values)).map(({ node, state }) => {
    if (state instanceof KubeError) throw new KubeError(state.code, `speaker on node ${node}: ${state.message}`)
    return state
  })
}
