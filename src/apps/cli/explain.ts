/** `metallbctl explain service NS/NAME`: the decisions of controller and speakers, with their reasons. */
import { parseArgs } from 'node:util'
import {
  type Answers,
  type Cluster,
  clusterOf,
  type Explanation,
  explainService,
  isTold,
  NOT_ASKED,
  type ServiceView,
} from '../../control/explain/index.ts'
import { KubeError } from '../../ports/index.ts'
import { EXIT } from './command.ts'
import { DECISION_FLAGS, DECISION_OPTIONS, decisionOptions } from './decision-flags.ts'
import { explanationJson, explanationText } from './explain-text.ts'
import { tellUnreadable } from './failure.ts'
import { readObjectFiles } from './files.ts'
import { openCluster, readCluster } from './live.ts'
import { readServiceView } from './speaker-answers.ts'
import { askSpeakers, SPEAKER_OPTIONS, type SpeakerAnswer } from './speakers.ts'

const USAGE = `usage: metallbctl explain service NAMESPACE/NAME [-n NAMESPACE] [--kubeconfig FILE]
         [--speaker-ca FILE | --insecure-skip-speaker-tls-verify] [--port 9120] [-o text|json]
       metallbctl explain service NAMESPACE/NAME -f FILE|DIR|-… …
       flags of controller and speakers, where these do not say: ${DECISION_FLAGS}
`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  ...DECISION_OPTIONS,
  ...SPEAKER_OPTIONS,
  output: { type: 'string', short: 'o', default: 'text' },
} as const

/** 0: it has an address and a node announces it; 1: not so; 2: the files are not readable; 3: usage; 4: no cluster. */
export async function explainCommand(args: string[]): Promise<number> {
  const parsed = read(args)
  if (typeof parsed === 'string') return complain(`${parsed}\n${USAGE}`, EXIT.usage)
  const { key, values } = parsed
  try {
    const { cluster, answers } = await gather(values, key)
    const explanation = explainService(cluster, key, decisionOptions(values), answers)
    process.stdout.write(values.output === 'json' ? explanationJson(explanation) : explanationText(explanation, key))
    return works(explanation) ? EXIT.ok : EXIT.failed
  } catch (error) {
    return tellUnreadable('explain', error)
  }
}

function complain(message: string, code: number): number {
  process.stderr.write(message)
  return code
}

function read(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    const [what, name, ...more] = positionals
    if ((what !== 'service' && what !== 'svc') || name === undefined || more.length > 0) return 'which service?'
    if (!['text', 'json'].includes(values.output)) return `-o ${values.output}: text or json`
    return { key: name.includes('/') ? name : `default/${name}`, values }
  } catch (error) {
    return (error as Error).message
  }
}

type Values = Exclude<ReturnType<typeof read>, string>['values']

async function gather(values: Values, key: string): Promise<{ cluster: Cluster; answers: Answers }> {
  const { file, kubeconfig, namespace } = values
  if (file !== undefined) return { cluster: clusterOf(readObjectFiles(file), namespace), answers: NOT_ASKED }
  const { access, kube } = await openCluster(kubeconfig)
  const cluster = await readCluster(kube, namespace)
  const query = `?service=${encodeURIComponent(key)}`
  return { cluster, answers: sorted(await askSpeakers(cluster.pods ?? [], access, values, readServiceView, query)) }
}

function sorted(said: readonly SpeakerAnswer<ServiceView>[]): Answers {
  const views = said.flatMap(({ state }) => (state instanceof KubeError ? [] : state))
  const silent = said.flatMap(({ node, state }) => (state instanceof KubeError ? { node, error: state.message } : []))
  return { views, silent }
}

function works(explanation: Explanation): boolean {
  if (explanation.kind !== 'explained') return false
  const { allocation, layer2, bgp, views } = explanation
  const announced = layer2.nodes.some(({ announces }) => announces) || bgp.nodes.some(row => isTold(row, views))
  return allocation.addresses.length > 0 && announced
}
