/** `metallbctl show bgp …`: what the speakers do now, each asked itself. */
import { parseArgs } from 'node:util'
import { CredentialsError } from '../../adapters/kube/index.ts'
import { pods } from '../../api/index.ts'
import { KubeError } from '../../ports/index.ts'
import type { SpeakerSessions } from '../speaker/state.ts'
import { EXIT } from './command.ts'
import { openCluster } from './live.ts'
import { knownNeighbors, ofNeighbor, viewJson, viewNamed, viewText } from './show-views.ts'
import { readSessions } from './speaker-answers.ts'
import { askSpeakers, SPEAKER_OPTIONS, type SpeakerAnswer } from './speakers.ts'

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

type Asked = Exclude<ReturnType<typeof read>, string>

/**
 * 0: shown; 1: no such neighbor or node; 3: usage; 4: the cluster, or one of the speakers, does not answer. What the
 * others say is shown all the same.
 */
export async function showCommand(args: string[]): Promise<number> {
  const asked = read(args)
  if (typeof asked === 'string') return complain(`${asked}\n${USAGE}`, EXIT.usage)
  try {
    return show(asked, await answers(asked))
  } catch (error) {
    if (error instanceof KubeError || error instanceof CredentialsError)
      return complain(`${error.message}\n`, EXIT.unreachable)
    throw error
  }
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [topic, what = 'summary', neighbor, ...more] = positionals
    if (topic !== 'bgp' || more.length > 0) return 'show what?'
    const view = viewNamed(what)
    if (typeof view === 'string') return view
    if (neighbor !== undefined && view.name !== 'neighbors') return `bgp ${what} ${neighbor}: unknown`
    if (!['text', 'json'].includes(values.output)) return `-o ${values.output}: text or json`
    return { view, neighbor, values }
  } catch (error) {
    return (error as Error).message
  }
}

function show({ view, neighbor, values }: Asked, answers: readonly SpeakerAnswer<SpeakerSessions>[]): number {
  const { namespace, node, output } = values
  const on = node === undefined ? '' : ` on node ${node}`
  if (answers.length === 0) return complain(`no speaker pod in namespace ${namespace}${on}\n`, EXIT.failed)
  const silent = answers.flatMap(({ node: name, state }) =>
    state instanceof KubeError ? `speaker on node ${name}: ${state.message}` : [],
  )
  const states = answers.flatMap(({ state }) => (state instanceof KubeError ? [] : state))
  const shown = ofNeighbor(states, neighbor)
  if (shown.length > 0) process.stdout.write(output === 'json' ? viewJson(view, shown) : viewText(view, shown))
  if (silent.length > 0) return complain(`${silent.join('\n')}\n`, EXIT.unreachable)
  if (shown.length > 0) return EXIT.ok
  return complain(`no neighbor ${neighbor}${on}; there are: ${knownNeighbors(states)}\n`, EXIT.failed)
}

function complain(message: string, code: number): number {
  process.stderr.write(`metallbctl show: ${message}`)
  return code
}

/** @throws KubeError, CredentialsError */
async function answers({ values }: Asked): Promise<SpeakerAnswer<SpeakerSessions>[]> {
  const { namespace, node, kubeconfig } = values
  const { access, kube } = await openCluster(kubeconfig)
  const wanted = (await kube.list(pods, { namespace })).filter(
    ({ spec }) => node === undefined || spec?.nodeName === node,
  )
  return askSpeakers(wanted, access, values, readSessions)
}
