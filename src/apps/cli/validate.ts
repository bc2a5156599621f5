/** `metallbctl validate`: what is wrong with a configuration, and where; of files, of a cluster, of files put onto it. */
import { parseArgs } from 'node:util'
import type { BgpMode } from '../../api/index.ts'
import { EXIT } from './command.ts'
import { tellUnreadable } from './failure.ts'
import { readWrittenFiles } from './files.ts'
import { connect } from './live.ts'
import { type CheckOptions, check, type Verdict } from './validate-check.ts'
import { difference, differenceText } from './validate-diff.ts'
import { readLive } from './validate-live.ts'
import { verdictJson, verdictText } from './validate-print.ts'

const USAGE = `usage: metallbctl validate -f FILE|DIR|- [-f …] [--bgp-mode native|frr|frr-k8s] [--strict-native] [-n NAMESPACE] [-o text|json]
       metallbctl validate --live [--kubeconfig FILE] [--bgp-mode …] …
       metallbctl validate --diff -f FILE|DIR|- [--kubeconfig FILE] [--bgp-mode …] …
`

const OPTIONS = {
  file: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  'bgp-mode': { type: 'string', default: 'native' },
  'strict-native': { type: 'boolean', default: false },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  live: { type: 'boolean', default: false },
  diff: { type: 'boolean', default: false },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = Exclude<ReturnType<typeof read>, string>

/** 0: valid; 1: not valid; 2: a file is not readable; 3: usage; 4: the cluster does not answer. */
export async function validateCommand(args: string[]): Promise<number> {
  const values = read(args)
  if (typeof values === 'string') return complain(`metallbctl validate: ${values}\n${USAGE}`, EXIT.usage)
  if (values.help) {
    process.stdout.write(USAGE)
    return EXIT.ok
  }
  try {
    return (await run(values)).valid ? EXIT.ok : EXIT.failed
  } catch (error) {
    return tellUnreadable('validate', error)
  }
}

function complain(message: string, code: number): number {
  process.stderr.write(message)
  return code
}

function read(args: string[]) {
  try {
    const { values } = parseArgs({ args, options: OPTIONS })
    if (values.help) return values
    if (!['native', 'frr', 'frr-k8s'].includes(values['bgp-mode'])) return '--bgp-mode: native, frr or frr-k8s'
    if (!['text', 'json'].includes(values.output)) return '-o: text or json'
    if (values.diff ? values.live || values.file.length === 0 : values.live === values.file.length > 0)
      return 'files (-f), or --live, or --diff with files'
    return values
  } catch (error) {
    return (error as Error).message
  }
}

async function run(values: Values): Promise<Verdict> {
  const { file, namespace } = values
  const mode = values['bgp-mode'] as BgpMode
  const options: CheckOptions = { mode, strictNative: values['strict-native'], namespace }
  const files = readWrittenFiles(file)
  if (!values.live && !values.diff) return print(check(files, options), values)
  const live = await readLive(await connect(values.kubeconfig), namespace)
  if (values.diff) return printDifference(difference(live, files, options), values)
  return print(
    check(
      live.objects.map(object => ({ object })),
      { ...options, unread: live.unread },
    ),
    values,
  )
}

function print(verdict: Verdict, { output }: Values): Verdict {
  process.stdout.write(output === 'json' ? json(verdictJson(verdict)) : verdictText(verdict))
  return verdict
}

function printDifference(found: ReturnType<typeof difference>, { output }: Values): Verdict {
  const { before, after, changes, config } = found
  const body = { ...verdictJson(after), validBefore: before.valid, changes, configDiff: config }
  process.stdout.write(output === 'json' ? json(body) : differenceText(found) + verdictText(after))
  return after
}

function json(body: object): string {
  return `${JSON.stringify(body, null, 2)}\n`
}
