/** The daemons of MetalLB as a cluster would run them: their flags, identities and capabilities. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secrets } from '../../api/kubernetes/index.ts'
import { KubeError } from '../../ports/index.ts'
import { run } from './command.ts'
import type { ControlPlane } from './control-plane.ts'
import { inside } from './network.ts'
import { CONTROLLER_POD, NAMESPACE, SPEAKER_LABELS, speakerPod } from './objects.ts'
import type { Processes, ProcessSpec } from './processes.ts'
import { nodeCommand } from './programs.ts'
import type { NodePlan, Plan } from './topology.ts'
import { waitFor } from './wait.ts'

const READY_MS = 60_000
const ML_SECRET = 'memberlist'

export interface DaemonOptions {
  readonly plan: Plan
  readonly dir: string
  readonly plane: ControlPlane
  readonly processes: Processes
  /** Flags beside the ones of the manifests. */
  readonly speakerFlags: readonly string[]
  readonly controllerFlags: readonly string[]
}

export class Daemons {
  readonly #options: DaemonOptions

  constructor(options: DaemonOptions) {
    this.#options = options
  }

  /** Resolves when it is ready; rejects with the end of its log where it is not. */
  async startController(): Promise<void> {
    const { plan, plane, controllerFlags } = this.#options
    const flags = {
      ...{ namespace: NAMESPACE, 'pod-name': CONTROLLER_POD, kubeconfig: plane.kubeconfig('controller') },
      ...{ 'ml-secret-name': ML_SECRET, deployment: 'controller' },
    }
    const argv = nodeCommand('metallb', ['controller', ...flagList(flags), ...controllerFlags])
    await this.#start({ name: 'controller', netns: plan.control, argv, capabilities: [] })
  }

  /** As the DaemonSet does: no capability but NET_RAW (chapter 05 section 3.5), the key from the mounted Secret. */
  async startSpeaker(node: NodePlan): Promise<void> {
    const { plane, speakerFlags } = this.#options
    const flags = {
      ...{ namespace: NAMESPACE, 'pod-name': speakerPod(node.name), kubeconfig: plane.kubeconfig('speaker') },
      ...{ 'node-name': node.name, 'ml-bindaddr': node.address, 'ml-labels': SPEAKER_LABELS },
      'ml-secret-key-path': await this.#mountSecret(),
    }
    const argv = nodeCommand('metallb', ['speaker', ...flagList(flags), ...speakerFlags])
    const place = { name: speakerPod(node.name), netns: node.netns, node: node.name }
    await this.#start({ ...place, argv, capabilities: ['+net_raw'] })
  }

  /** Ends it as a kubelet does: SIGTERM, then SIGKILL after the grace period. */
  async stop(name: string): Promise<void> {
    await this.#options.processes.stop(spec => spec.name === name, 5000)
  }

  async #start(spec: ProcessSpec): Promise<void> {
    const child = await this.#options.processes.start(spec)
    const url = 'http://127.0.0.1:17472/readyz'
    const fetching = [...inside(spec.netns), ...nodeCommand('fetch', [url, String(READY_MS)])]
    const ready = run(fetching, { timeoutMs: 2 * READY_MS }) // it gives up by itself, and says why
    const failure = await Promise.race([
      ready.then(({ code, stderr }) => (code === 0 ? undefined : stderr)),
      died(child),
    ])
    if (failure !== undefined) throw new Error(this.#complaint(spec.name, failure))
  }

  #complaint(name: string, failure: string): string {
    const { processes } = this.#options
    const end = processes.log(name).trim().split('\n').slice(-12).join('\n  ')
    return `${name} did not become ready: ${failure.trim()}\n  ${end}`
  }

  async #mountSecret(): Promise<string> {
    const { plane, dir } = this.#options
    const secret = await waitFor(
      () =>
        plane.kube.get(secrets, { namespace: NAMESPACE, name: ML_SECRET }).catch(error => {
          if (error instanceof KubeError && error.code === 'NOT_FOUND') return undefined
          throw error
        }),
      `the controller to create the Secret ${NAMESPACE}/${ML_SECRET}`,
    )
    const path = join(dir, 'ml_secret_key')
    mkdirSync(path, { recursive: true, mode: 0o700 })
    writeFileSync(join(path, 'secretkey'), Buffer.from(secret.data?.secretkey ?? '', 'base64'), { mode: 0o600 })
    return path
  }
}

function flagList(flags: Readonly<Record<string, string>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

async function died(child: ChildProcess): Promise<string> {
  const [code, signal] = await once(child, 'exit')
  return `it ended (${signal ?? `exit code ${code}`})`
}
