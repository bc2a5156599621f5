/** Images and workloads against the programs that they start. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { controllerFlags } from '../../src/apps/controller/flags.ts'
import { type FlagSpecs, parseFlags } from '../../src/apps/flags.ts'
import { NODE_FLAGS } from '../../src/apps/lab/programs.ts'
import { speakerFlags } from '../../src/apps/speaker/flags.ts'

const DAEMONS: Readonly<Record<string, FlagSpecs>> = { controller: controllerFlags, speaker: speakerFlags }

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number }
}

interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
}

test('the images start Node as the lab does, each with its daemon', () => {
  const entries = readFileSync('deploy/image/Dockerfile', 'utf8').match(/(?<=^ENTRYPOINT ).*/gm) ?? []
  assert.deepEqual(
    entries.map(entry => JSON.parse(entry)),
    Object.keys(DAEMONS).map(name => ['node', ...NODE_FLAGS, '/metallb/dist/metallb.js', name]),
  )
})

for (const [name, flags] of Object.entries(DAEMONS)) {
  const { image, args, env, ports, livenessProbe, readinessProbe } = containerOf(name)
  const values = Object.fromEntries(env.map(({ name, value = 'from the API' }) => [name, value]))
  const parsed = parseFlags(flags, args, values)

  test(`the ${name}'s container gives it arguments and variables that it has`, () => {
    assert.match(image, new RegExp(`/${name}:`))
    assert.equal(parsed.kind, 'run')
    const known = Object.values(flags).map(({ env }) => env)
    for (const variable of Object.keys(values)) assert.ok(known.includes(variable), variable)
  })

  test(`the ${name}'s ports and probes are where it listens`, () => {
    assert.ok(parsed.kind === 'run')
    const values: Readonly<Record<string, unknown>> = parsed.flags
    const { port, 'health-probe-port': probes, 'webhook-port': webhooks } = values
    const byName = Object.fromEntries(ports.map(({ name, containerPort }) => [name, containerPort]))
    assert.equal(byName.metricshttps, port)
    assert.equal(byName['webhook-server'], webhooks)
    assert.deepEqual([livenessProbe.httpGet.path, livenessProbe.httpGet.port], ['/healthz', probes])
    assert.deepEqual([readinessProbe.httpGet.path, readinessProbe.httpGet.port], ['/readyz', probes])
  })
}

function containerOf(name: string): Container {
  const documents = parseAllDocuments(readFileSync(`deploy/manifests/${name}.yaml`, 'utf8'))
  const workloads = documents.map(document => document.toJS()).filter(({ spec }) => spec?.template !== undefined)
  assert.equal(workloads.length, 1)
  return workloads[0].spec.template.spec.containers[0]
}
