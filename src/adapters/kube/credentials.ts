/** Finds credentials in the order of chapter 05 section 1.11: --kubeconfig, KUBECONFIG, in-cluster, ~/.kube/config. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Access, CredentialsError, type Identity, type TlsTrust } from './access.ts'
import { ExecIdentity } from './exec-plugin.ts'
import { isFields } from './json.ts'
import { readKubeconfig, Section } from './kubeconfig.ts'
import { WatchedFile } from './watched-file.ts'

export interface CredentialOptions {
  /** Value of --kubeconfig. */
  readonly kubeconfig?: string
  /** Instead of current-context. */
  readonly context?: string
  /** Defaults: the process and its user. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly home?: string
  readonly serviceAccountDir?: string
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Rejects with CredentialsError. */
export async function loadAccess(options: CredentialOptions = {}): Promise<Access> {
  const { kubeconfig, env = process.env, home = homedir(), serviceAccountDir = SERVICE_ACCOUNT_DIR } = options
  if (kubeconfig) return await fromKubeconfig([kubeconfig], options.context)
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter(Boolean)
  if (listed.length > 0) return await fromKubeconfig(listed, options.context)
  if (env.KUBERNETES_SERVICE_HOST && options.context === undefined) return inCluster(env, serviceAccountDir)
  const standard = join(home, '.kube', 'config')
  if (existsSync(standard)) return await fromKubeconfig([standard], options.context)
  throw new CredentialsError(
    `no Kubernetes credentials: no --kubeconfig, KUBECONFIG is not set, KUBERNETES_SERVICE_HOST is not set, ${standard} does not exist`,
  )
}

function inCluster(env: Readonly<Record<string, string | undefined>>, dir: string): Access {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env
  const token = new WatchedFile(join(dir, 'token'))
  token.read()
  const ca = new WatchedFile(join(dir, 'ca.crt')).read()
  checkCa(ca, problem => {
    throw new CredentialsError(`${join(dir, 'ca.crt')}: ${problem}`)
  })
  const namespace = join(dir, 'namespace')
  return {
    source: 'in-cluster',
    server: serverUrl(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'KUBERNETES_SERVICE_HOST'),
    tls: { ca, rejectUnauthorized: true },
    namespace: existsSync(namespace) ? readFileSync(namespace, 'utf8').trim() : undefined,
    identity: async () => ({ token: token.read() }),
    renew: () => false, // the file is looked at before every request anyway
  }
}

async function fromKubeconfig(paths: readonly string[], wanted: string | undefined): Promise<Access> {
  const config = await readKubeconfig(paths)
  const name = wanted ?? config.currentContext
  if (name === undefined) throw new CredentialsError(`kubeconfig ${config.files}: current-context is not set`)
  const context = config.contexts.get(name)
  if (context === undefined) throw new CredentialsError(`kubeconfig ${config.files}: no context named "${name}"`)
  const cluster = config.clusters.get(context.text('cluster') ?? '')
  if (cluster === undefined) return context.fail('cluster', `no cluster named "${context.text('cluster') ?? ''}"`)
  const user = context.has('user') ? config.users.get(context.text('user')!) : new Section(config.files, 'users', {})
  if (user === undefined) return context.fail('user', `no user named "${context.text('user')}"`)
  return {
    source: `kubeconfig ${config.files}, context ${name}`,
    server: serverUrl(cluster.text('server') ?? cluster.fail('server', 'is missing'), `${cluster.where}.server`),
    tls: trustOf(cluster),
    namespace: context.text('namespace'),
    ...identityOf(user, cluster),
  }
}

function serverUrl(text: string, where: string): URL {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new CredentialsError(`${where}: "${text}" is not an http or https URL`)
  return url
}

function trustOf(cluster: Section): TlsTrust {
  if (cluster.has('proxy-url')) cluster.fail('proxy-url', 'proxies are not supported')
  const insecure = cluster.flag('insecure-skip-tls-verify')
  const ca = cluster.pem('certificate-authority')
  if (insecure && ca !== undefined)
    cluster.fail('insecure-skip-tls-verify', 'cannot be combined with a certificate authority')
  if (ca !== undefined) checkCa(ca, problem => cluster.fail('certificate-authority', problem))
  return { ca, servername: cluster.text('tls-server-name'), rejectUnauthorized: !insecure }
}

function checkCa(pem: string, fail: (problem: string) => never): void {
  try {
    new X509Certificate(pem)
  } catch {
    fail('holds no certificate that can be read')
  }
}

function identityOf(user: Section, cluster: Section): Pick<Access, 'identity' | 'renew'> {
  if (user.has('auth-provider')) user.fail('auth-provider', 'is not supported, use exec')
  const headers = impersonation(user)
  if (user.has('exec')) {
    const exec = execOf(user, cluster)
    const identity = async (): Promise<Identity> => ({ ...(await exec.identity()), headers })
    return {
      identity,
      renew: () => {
        exec.forget()
        return true
      },
    }
  }
  const fixed = { ...keyPair(user), ...basic(user, headers) }
  const token = tokenOf(user)
  return { identity: async () => ({ ...fixed, token: token() }), renew: () => false }
}

/** A file wins over the token beside it, as in client-go. */
function tokenOf(user: Section): () => string | undefined {
  const path = user.path('tokenFile')
  const fixed = user.text('token')
  if (path === undefined) return () => fixed
  const file = new WatchedFile(path)
  return () => file.read()
}

function keyPair(user: Section): Pick<Identity, 'cert' | 'key'> {
  const cert = user.pem('client-certificate')
  const key = user.pem('client-key')
  if (cert === undefined && key === undefined) return {}
  if (cert === undefined) return user.fail('client-certificate', 'is missing, but there is a client-key')
  if (key === undefined) return user.fail('client-key', 'is missing, but there is a client-certificate')
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    user.fail('client-certificate', `cannot be used with client-key: ${(error as Error).message}`)
  }
  return { cert, key }
}

function impersonation(user: Section): Identity['headers'] {
  const as = user.text('as')
  if (as === undefined) return undefined
  const groups = user.texts('as-groups')
  return { 'Impersonate-User': as, ...(groups.length > 0 && { 'Impersonate-Group': groups }) }
}

function basic(user: Section, headers: Identity['headers']): Pick<Identity, 'headers'> {
  const name = user.text('username')
  if (name === undefined) return { headers }
  const authorization = `Basic ${Buffer.from(`${name}:${user.text('password') ?? ''}`).toString('base64')}`
  return { headers: { ...headers, authorization } }
}

function execOf(user: Section, cluster: Section): ExecIdentity {
  const section = user.child('exec')
  const apiVersion = section.text('apiVersion') ?? ''
  if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion))
    section.fail('apiVersion', `"${apiVersion}" is not client.authentication.k8s.io/v1 or v1beta1`)
  if (section.text('interactiveMode') === 'Always') section.fail('interactiveMode', 'Always is not supported')
  const command = section.text('command') ?? section.fail('command', 'is missing')
  const env = section.list('env').map(item => {
    if (!isFields(item) || typeof item.name !== 'string') return section.fail('env', 'must hold mappings with a name')
    return [item.name, String(item.value ?? '')] as const
  })
  return new ExecIdentity(
    {
      where: section.where,
      command: /[/\\]/.test(command) ? section.path('command')! : command,
      args: section.texts('args'),
      env: Object.fromEntries(env),
      apiVersion,
      cluster: section.flag('provideClusterInfo') ? cluster.fields : undefined,
    },
    () => Date.now(),
  )
}
