/** Credential plugins: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
import { CredentialsError, type Identity } from './access.ts'
import { type Fields, isFields } from './json.ts'

export interface ExecPlugin {
  /** File and field, for messages. */
  readonly where: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly apiVersion: string
  /** Handed over in KUBERNETES_EXEC_INFO where provideClusterInfo is set. */
  readonly cluster?: Fields
}

const TIMEOUT_MS = 60_000
/** Ask again a little before the credential ends. */
const EARLY_MS = 10_000

/** Runs the plugin when the last credential has run out or was refused; one run serves all who wait for it. */
export class ExecIdentity {
  readonly #plugin: ExecPlugin
  readonly #now: () => number
  #running: Promise<Identity> | undefined
  #expires = 0

  constructor(plugin: ExecPlugin, now: () => number) {
    this.#plugin = plugin
    this.#now = now
  }

  identity(): Promise<Identity> {
    if (this.#running !== undefined && this.#now() < this.#expires) return this.#running
    this.#expires = Number.POSITIVE_INFINITY
    const running = this.#run()
    running.catch(() => this.forget())
    this.#running = running
    return running
  }

  forget(): void {
    this.#running = undefined
  }

  async #run(): Promise<Identity> {
    const { where } = this.#plugin
    const status = statusOf(where, await runPlugin(this.#plugin))
    const expires = typeof status.expirationTimestamp === 'string' ? Date.parse(status.expirationTimestamp) : Number.NaN
    this.#expires = Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - EARLY_MS
    const { token, clientCertificateData: cert, clientKeyData: key } = status
    if (typeof cert === 'string' && typeof key === 'string')
      return { cert, key, ...(typeof token === 'string' && { token }) }
    if (typeof token === 'string' && token !== '') return { token }
    throw new CredentialsError(`${where}: the plugin gave neither a token nor a certificate with its key`)
  }
}

async function runPlugin({ where, command, args, env, apiVersion, cluster }: ExecPlugin): Promise<string> {
  const info = { apiVersion, kind: 'ExecCredential', spec: { interactive: false, ...(cluster && { cluster }) } }
  const options = {
    env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 20,
  }
  const { execFile } = await import('node:child_process')
  return await new Promise((resolve, reject) => {
    execFile(command, [...args], options, (error, stdout) => {
      // neither output nor environment is quoted: both may hold secrets
      if (error === null) resolve(stdout)
      else reject(new CredentialsError(`${where}: ${command} failed: ${error.killed ? 'time-out' : error.code}`))
    })
  })
}

function statusOf(where: string, output: string): Fields {
  let answer: unknown
  try {
    answer = JSON.parse(output)
  } catch {
    throw new CredentialsError(`${where}: the plugin did not print JSON`)
  }
  if (!isFields(answer) || answer.kind !== 'ExecCredential' || !isFields(answer.status))
    throw new CredentialsError(`${where}: the plugin did not print an ExecCredential with a status`)
  return answer.status
}
