import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./metallb.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'daemon-'))
const kubeconfig = join(directory, 'bad.kubeconfig')
writeFileSync(kubeconfig, 'kind: Config\ncurrent-context: nowhere\n')

/** `NAME=value` words before the daemon are its environment. */
function run(line: string) {
  const words = line.split(' ')
  const settings = words.filter(word => /^[A-Z_]+=/.test(word)).map(word => word.split('=', 2))
  const env = { PATH: process.env.PATH, HOME: directory, ...Object.fromEntries(settings) }
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words.slice(settings.length)], {
    encoding: 'utf8',
    env,
  })
  return { status, text: stdout + stderr }
}

const ns = '--namespace metallb-system'
const refused: [string, number, RegExp][] = [
  ['conductor', 2, /unknown daemon "conductor"/],
  ['controller -x', 2, /flag provided but not defined: -x\nUsage of controller:/],
  ['controller --port=many', 2, /invalid value "many" for flag -port: parse error/],
  ['controller --log-level=loud', 1, /^failed to initialize logging: failed to parse log level: loud$/m],
  [`controller ${ns} --webhook-mode=sometimes`, 1, /"error":"invalid webhookmode value".*"value":"sometimes"/],
  [
    `controller ${ns} --tls-min-version=VersionTLS09`,
    1,
    /parsing tls-min-version: unknown tls version \\"VersionTLS09\\".*"msg":"failed to parse TLS configuration"/,
  ],
  ['controller', 1, /Unable to get namespace from pod service account data/],
  [`controller ${ns}`, 1, /no Kubernetes credentials/],
  [`controller ${ns} --kubeconfig=/nope`, 1, /kubeconfig \/nope: no such file/],
  [`controller ${ns} --kubeconfig=${kubeconfig}`, 1, /no context named \\"nowhere\\"/],
  [`speaker ${ns}`, 1, /must specify --node-name or METALLB_NODE_NAME/],
  [`speaker ${ns} --node-name=n --bgp-listen-port=65536`, 1, /invalid BGP listen address/],
  [`speaker ${ns} --node-name=n --bgp-listen-port=179 --bgp-listen-address=here`, 1, /invalid BGP listen address/],
  [`speaker ${ns} --node-name=n --bgp-debounce-timeout=0`, 1, /invalid BGP debounce timeout value/],
  [`speaker ${ns} --node-name=n --require-majority`, 1, /"msg":"without membership no speaker sees another one/],
  [`speaker ${ns} --node-name=n --quiet-takeover=soon`, 1, /invalid --quiet-takeover, must be a duration/],
  [`speaker ${ns} --node-name=n --ml-bindaddr=here --ml-labels=a=b`, 1, /no IP address that other speakers can reach/],
  [`controller ${ns} --no-pools-grace=soon`, 1, /invalid no-pools-grace, must be a duration/],
  [`speaker ${ns} --tls-curve-preferences=x`, 1, /"msg":"failed to parse TLS flags"/],
  [`METALLB_BGP_TYPE=bird speaker ${ns} --node-name=n`, 1, /unsupported BGP implementation type: bird/],
  [`speaker ${ns} --node-name=n --frrk8s-secret-passthrough`, 1, /passthrough requires METALLB_BGP_TYPE=frr-k8s/],
  [
    `METALLB_BGP_TYPE=frr-k8s speaker ${ns} --node-name=n --frrk8s-secret-passthrough`,
    1,
    /passthrough requires --frrk8s-namespace to be set/,
  ],
]
for (const [line, code, complaint] of refused)
  test(`metallb ${line.replace(directory, '…')} ends with ${code} and says why`, () => {
    const { status, text } = run(line)
    assert.match(text, complaint)
    assert.equal(status, code)
  })

test('help goes to the user and is no failure', () => {
  for (const line of ['help', 'controller --help', 'speaker -h']) {
    const { status, text } = run(line)
    assert.equal(status, 0)
    assert.match(text, /usage/i)
  }
})
