/** The server as a process of its own: `node src/testing/apiserver/main.ts --port 6443 --kubeconfig-dir DIR …`. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse, parseAllDocuments } from 'yaml'
import { type ApiServer, parseJson, type Snapshot, startApiServer, type TokenUser, toJson } from './index.ts'

const USAGE = `usage: main.ts [--port N] [--host ADDRESS] [--advertise HOST] [--name SAN]… [--plain-http]
  [--tokens FILE]        a YAML or JSON list of {token, user, groups}
  [--load FILE]…         YAML documents to start with: CustomResourceDefinitions first, then any objects
  [--service-cidr CIDR]… [--no-rbac] [--no-endpoint-slices]
  [--kubeconfig-dir DIR] writes DIR/USER.kubeconfig for admin and every user of the token list
  [--snapshot FILE]      loaded at the start, written every --snapshot-seconds (5) and at the end`

function options() {
  return parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      advertise: { type: 'string' },
      name: { type: 'string', multiple: true },
      'plain-http': { type: 'boolean', default: false },
      tokens: { type: 'string' },
      load: { type: 'string', multiple: true, default: [] },
      'service-cidr': { type: 'string', multiple: true },
      'no-rbac': { type: 'boolean', default: false },
      'no-endpoint-slices': { type: 'boolean', default: false },
      'kubeconfig-dir': { type: 'string' },
      snapshot: { type: 'string' },
      'snapshot-seconds': { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function readTokens(file: string): TokenUser[] {
  const list: unknown = parse(readFileSync(file, 'utf8'))
  const good = (entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'token' in entry && 'user' in entry && typeof entry.user === 'string'
  if (!Array.isArray(list) || !list.every(good)) throw new Error(`${file}: expected a list of {token, user, groups}`)
  return list as TokenUser[]
}

function readObjects(file: string): unknown[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'))
  return documents.map(document => document.toJS() as unknown).filter(object => object !== null)
}

function writeKubeconfigs(server: ApiServer, directory: string, users: readonly string[]): void {
  mkdirSync(directory, { recursive: true })
  for (const user of users) {
    const file = join(directory, `${user.replaceAll(/[^\w.-]/g, '_')}.kubeconfig`)
    writeFileSync(file, server.kubeconfig(user), { mode: 0o600 })
  }
}

/** Whole or not at all: a kill while writing leaves the last good file. */
function writeSnapshot(server: ApiServer, file: string): void {
  writeFileSync(`${file}.new`, toJson(server.snapshot()), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

async function main(): Promise<void> {
  const flags = options()
  if (flags.help) return void console.log(USAGE)
  const tokens = flags.tokens === undefined ? [] : readTokens(flags.tokens)
  const { snapshot: file } = flags
  const server = await startApiServer({
    ...{ port: Number(flags.port), host: flags.host, advertise: flags.advertise, names: flags.name, tokens },
    ...{ plainHttp: flags['plain-http'], serviceCidrs: flags['service-cidr'] },
    ...{ rbac: !flags['no-rbac'], endpointSlices: !flags['no-endpoint-slices'] },
    snapshot: file !== undefined && existsSync(file) ? (parseJson(readFileSync(file, 'utf8')) as Snapshot) : undefined,
  })
  for (const path of flags.load) for (const object of readObjects(path)) server.objects.ensure(object)
  const users = ['admin', ...tokens.map(({ user }) => user)]
  if (flags['kubeconfig-dir'] !== undefined) writeKubeconfigs(server, flags['kubeconfig-dir'], users)
  if (file !== undefined) keepSnapshot(server, file, Number(flags['snapshot-seconds']) * 1000)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(server, file))
  console.log(toJson({ ready: true, url: server.url, pid: process.pid }))
}

/** Writes at once, so that the certificates survive even an early kill, and then whenever something changed. */
function keepSnapshot(server: ApiServer, file: string, everyMs: number): void {
  const { store } = server.cluster
  let written = -1
  const write = () => {
    if (written === store.revision) return
    writeSnapshot(server, file)
    written = store.revision
  }
  write()
  setInterval(write, everyMs).unref()
}

async function end(server: ApiServer, file: string | undefined): Promise<void> {
  await server.stop()
  if (file !== undefined) writeSnapshot(server, file)
  process.exit(0)
}

main().catch((error: Error) => {
  console.error(`apiserver: ${error.message}`)
  process.exit(1)
})
