/**
 * The control plane of the lab: the embedded API server in its own process and namespace, the door to it from outside
 * (a relay on 127.0.0.1), the credentials of everybody, and the lab's own client.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { Connection, Informers, KubeClient, loadAccess } from '../../adapters/kube/index.ts'
import { systemClock } from '../../adapters/system/clock.ts'
import { systemRandom } from '../../adapters/system/random.ts'
import { silent } from '../../ports/index.ts'
import { NAMESPACE } from './objects.ts'
import type { Processes } from './processes.ts'
import { nodeCommand } from './programs.ts'
import { CONTROL_ADDRESS, type Plan } from './topology.ts'
import { waitFor } from './wait.ts'

const PORT = 6443

/** Who may ask, and as whom; the server adds `admin`, who may do everything. */
const USERS = {
  admin: 'admin',
  controller: `system:serviceaccount:${NAMESPACE}:controller`,
  speaker: `system:serviceaccount:${NAMESPACE}:speaker`,
}
export type UserName = keyof typeof USERS

export class ControlPlane {
  readonly kube: KubeClient
  readonly informers: Informers
  readonly #dir: string
  readonly #processes: Processes
  readonly #plan: Plan

  /** Starts the API server and waits until it answers. */
  static async start(plan: Plan, dir: string, processes: Processes): Promise<ControlPlane> {
    writeTokens(dir)
    await startServer(plan, dir, processes)
    const port = await startRelay(plan, processes)
    await waitFor(() => processes.log('apiserver').includes('"ready":true'), 'the API server to start')
    writeKubeconfigs(dir, port)
    const access = await loadAccess({ kubeconfig: kubeconfigPath(dir, 'admin') })
    const connection = new Connection({ access, clock: systemClock, userAgent: 'metallb-lab/1.0' })
    const plane = new ControlPlane(plan, dir, processes, new KubeClient(connection, systemRandom))
    await plane.whenReady()
    return plane
  }

  private constructor(plan: Plan, dir: string, processes: Processes, kube: KubeClient) {
    this.#plan = plan
    this.#dir = dir
    this.#processes = processes
    this.kube = kube
    this.informers = new Informers({ client: kube, clock: systemClock, random: systemRandom, log: silent })
  }

  /** With the address that is reached from inside the lab, or for the administrator from outside. */
  kubeconfig(user: UserName): string {
    return kubeconfigPath(this.#dir, user)
  }

  /** Ends the process; its data stay in the snapshot. */
  async stopServer(): Promise<void> {
    await this.#processes.stop(({ name }) => name === 'apiserver')
  }

  async startServer(): Promise<void> {
    await startServer(this.#plan, this.#dir, this.#processes)
    await this.whenReady()
  }

  async whenReady(): Promise<void> {
    const request = { method: 'GET', path: '/readyz', timeoutMs: 1000 } as const
    const answers = () =>
      this.kube.connection.request(request).then(
        ({ status }) => status === 200,
        () => false,
      )
    await waitFor(answers, 'the API server to be ready')
  }

  async close(): Promise<void> {
    await this.informers.stop()
    this.kube.connection.close()
  }
}

function kubeconfigPath(dir: string, user: UserName): string {
  return join(dir, user === 'admin' ? 'kubeconfig' : `${user}.kubeconfig`)
}

function writeTokens(dir: string): void {
  const accounts = [USERS.controller, USERS.speaker]
  const users = accounts.map(user => ({ token: randomBytes(24).toString('base64url'), user }))
  writeFileSync(join(dir, 'tokens.json'), JSON.stringify(users), { mode: 0o600 })
}

async function startServer(plan: Plan, dir: string, processes: Processes): Promise<void> {
  const flags = {
    ...{ host: CONTROL_ADDRESS, port: PORT, tokens: join(dir, 'tokens.json') },
    ...{ snapshot: join(dir, 'apiserver.json'), 'kubeconfig-dir': join(dir, 'users') },
  }
  const argv = nodeCommand(
    'apiserver',
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  )
  await processes.start({ name: 'apiserver', netns: plan.control, argv, capabilities: [] })
}

/** Answers the port on 127.0.0.1 of this process's own network. */
async function startRelay(plan: Plan, processes: Processes): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const argv = nodeCommand('relay', [CONTROL_ADDRESS, String(PORT)])
  const relay = await processes.start({ name: 'relay', netns: plan.control, argv, capabilities: [], ipc: true })
  await new Promise<void>(resolve => relay.send('listen', server, () => resolve()))
  server.close() // the relay has the socket now
  return port
}

/** The server's own files, the administrator's with the address that is reached from outside. */
function writeKubeconfigs(dir: string, relayPort: number): void {
  for (const [name, user] of Object.entries(USERS)) {
    const text = readFileSync(join(dir, 'users', `${user.replaceAll(':', '_')}.kubeconfig`), 'utf8')
    const inside = `https://${CONTROL_ADDRESS}:${PORT}`
    const outside = name === 'admin' ? text.replace(inside, `https://127.0.0.1:${relayPort}`) : text
    writeFileSync(kubeconfigPath(dir, name as UserName), outside, { mode: 0o600 })
  }
}
