// The API server of bench/controller-scale.ts, a process of its own. Answers how many requests there were.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { startApiServer } from '../src/testing/apiserver/index.ts'

const crds = new URL(`file://${process.cwd()}/deploy/crds/`)
const server = await startApiServer({
  plainHttp: true,
  rbac: false,
  endpointSlices: false,
  serviceCidrs: ['10.128.0.0/10'],
  crds: readdirSync(crds).map(file => parse(readFileSync(new URL(file, crds), 'utf8')) as never),
})
const kubeconfig = join(mkdtempSync(join(tmpdir(), 'scale-')), 'kubeconfig')
writeFileSync(kubeconfig, server.kubeconfig('admin'), { mode: 0o600 })
process.on('message', () => process.send?.({ requests: Object.fromEntries(server.requests.entries()) }))
process.on('disconnect', () => process.exit())
process.send?.({ kubeconfig })
