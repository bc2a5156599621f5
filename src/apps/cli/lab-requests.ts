/** What a shell may ask of a running lab, and the answers. */
import { services } from '../../api/kubernetes/index.ts'
import { inUserNamespace, type Lab, NETWORKS, type Network } from '../lab/index.ts'
import { table } from './terminal.ts'

interface Verb {
  readonly usage: string
  readonly summary: string
  run(lab: Lab, args: readonly string[]): Promise<string>
}

const count = (args: readonly string[], least: number, most = least) => {
  if (args.length < least || args.length > most) throw new UsageError()
}

export class UsageError extends Error {}

export const VERBS: Readonly<Record<string, Verb>> = {
  status: { usage: '', summary: 'nodes, pods, Services and what is broken', run: lab => labStatus(lab) },
  kill: {
    usage: 'NODE',
    summary: 'kill -9 every process of the node and take its links down',
    run: async (lab, args) => {
      count(args, 1)
      await lab.kill(args[0]!)
      return `${args[0]} is dead`
    },
  },
  freeze: {
    usage: 'NODE|PROCESS',
    summary: 'stop a node or one process (speaker-node1) without ending it',
    run: async (lab, args) => {
      count(args, 1)
      lab.freeze(args[0]!)
      return `${args[0]} is frozen`
    },
  },
  cut: {
    usage: 'MACHINE [lan|mgmt|both]',
    summary: 'take the carrier from its links, default that of the LAN',
    run: async (lab, args) => {
      count(args, 1, 2)
      await lab.cut(args[0]!, networksOf(args[1] ?? 'lan'))
      return `${args[0]} is cut off (${args[1] ?? 'lan'})`
    },
  },
  partition: {
    usage: 'A,B C,D …',
    summary: 'groups of machines that no longer reach each other on the LAN',
    run: async (lab, args) => {
      count(args, 2, Number.POSITIVE_INFINITY)
      await lab.partition(args.map(group => group.split(',')))
      return `partitioned: ${args.join(' | ')}`
    },
  },
  loss: {
    usage: 'MACHINE PERCENT',
    summary: 'lose this share of the frames to and from the machine',
    run: async (lab, args) => {
      count(args, 2)
      if (!/^(100|\d\d?)$/.test(args[1]!)) throw new UsageError()
      await lab.loss(args[0]!, Number(args[1]))
      return `${args[0]} loses ${args[1]} % each way`
    },
  },
  restart: {
    usage: 'apiserver|controller|speaker-NODE',
    summary: 'end a process by SIGTERM and start it again',
    run: async (lab, args) => {
      count(args, 1)
      await restart(lab, args[0]!)
      return `${args[0]} was restarted`
    },
  },
  heal: {
    usage: '',
    summary: 'mend everything and boot what was killed',
    run: async (lab, args) => {
      count(args, 0)
      await lab.heal()
      return 'healed'
    },
  },
}

/** Rejects with a UsageError where the arguments do not fit. */
export async function answerRequest(lab: Lab, verb: string, args: readonly string[]): Promise<string> {
  const known = Object.hasOwn(VERBS, verb) ? VERBS[verb]! : undefined
  if (known === undefined) throw new Error(`the lab does not understand '${verb}'`)
  return await known.run(lab, args).catch(error => {
    throw error instanceof UsageError ? new UsageError(`usage: metallbctl lab ${verb} ${known.usage}`) : error
  })
}

function networksOf(name: string): readonly Network[] {
  if (name === 'both') return NETWORKS
  const network = NETWORKS.find(candidate => candidate === name)
  if (network === undefined) throw new UsageError()
  return [network]
}

async function restart(lab: Lab, process: string): Promise<void> {
  if (process === 'apiserver') await lab.apiserver.restart()
  else if (process === 'controller') await lab.restartController()
  else if (process.startsWith('speaker-')) await lab.restartSpeaker(process.slice('speaker-'.length))
  else throw new UsageError()
}

export async function labStatus(lab: Lab): Promise<string> {
  const running = (name: string) => (lab.pid(name) === undefined ? 'not running' : `pid ${lab.pid(name)}`)
  const machines = lab.machines.map(({ name, address, mac }) => [
    name,
    address,
    mac,
    name.startsWith('node') ? `speaker ${running(`speaker-${name}`)}` : '',
    lab.faultsOf(name).join(', ') || 'ok',
  ])
  const control = [
    'control',
    '10.254.0.1',
    '',
    `API server ${running('apiserver')}, controller ${running('controller')}`,
  ]
  const parts = [
    table([['MACHINE', 'ADDRESS', 'MAC', 'PROCESSES', 'STATE'], ...machines, control]),
    lab.pid('apiserver') === undefined ? 'The API server does not run.' : await serviceTable(lab),
    kubectlHint(lab),
  ]
  return parts.join('\n\n')
}

export function kubectlHint({ kubeconfig, plan: { name } }: Lab): string {
  return inUserNamespace()
    ? `For kubectl: metallbctl lab exec --name ${name} control kubectl …`
    : `For kubectl: export KUBECONFIG=${kubeconfig}`
}

async function serviceTable(lab: Lab): Promise<string> {
  const list = (await lab.kube.list(services)).filter(({ spec }) => spec?.type === 'LoadBalancer')
  const rows = await Promise.all(
    list.map(async ({ metadata, status }) => {
      const address = status?.loadBalancer?.ingress?.[0]?.ip
      const owner = address === undefined ? '' : ((await lab.owner(address)) ?? 'nobody')
      return [`${metadata.namespace}/${metadata.name}`, address ?? 'no address', owner]
    }),
  )
  return rows.length === 0
    ? 'No Services of type LoadBalancer.'
    : table([['SERVICE', 'ADDRESS', 'ANSWERED BY'], ...rows])
}
