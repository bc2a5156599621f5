/** The controller as a process, with the manifests that are shipped, against the embedded API server. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { Connection, KubeClient, loadAccess } from '../../src/adapters/kube/index.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { systemRandom } from '../../src/adapters/system/random.ts'
import { crds } from '../../src/api/crds.ts'
import {
  configurationStates,
  ipAddressPools,
  pods,
  secrets,
  services,
  validatingWebhookConfigurations,
} from '../../src/api/index.ts'
import { namespaces } from '../../src/api/kubernetes/index.ts'
import { nodeCommand, waitFor } from '../../src/apps/lab/index.ts'
import { type ApiServer, startApiServer } from '../../src/testing/apiserver/index.ts'

const NAMESPACE = 'metallb-system'
const HOST = `metallb-webhook-service.${NAMESPACE}.svc`
const SECRET = { namespace: NAMESPACE, name: 'metallb-webhook-cert' }
const CONFIGURATION = { name: 'metallb-webhook-configuration' }

describe('webhooks', () => {
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-test-'))
  let server: ApiServer
  let kube: KubeClient
  let controller: ChildProcess
  let log = ''
  let ports: { webhook: number; probes: number }

  before(async () => {
    server = await startApiServer({ crds, webhookService: () => `https://127.0.0.1:${ports.webhook}` })
    writeFileSync(join(dir, 'kubeconfig'), server.kubeconfig())
    const access = await loadAccess({ kubeconfig: join(dir, 'kubeconfig') })
    kube = new KubeClient(new Connection({ access, clock: systemClock }), systemRandom)
    const manifests = parseAllDocuments(readFileSync('deploy/manifests/webhooks.yaml', 'utf8')).map(d => d.toJS())
    const [secret, , configuration] = manifests
    await kube.create(namespaces, { metadata: { name: NAMESPACE } })
    await kube.create(pods, {
      metadata: { name: 'c', namespace: NAMESPACE },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    } as never)
    await kube.create(secrets, secret)
    ports = { webhook: await freePort(), probes: await freePort() }
    start()
    await waitFor(() => isReady(ports.probes), 'the controller to be ready', 20_000)
    await kube.create(validatingWebhookConfigurations, configuration)
    await waitFor(async () => (await bundles()).every(bundle => bundle !== undefined), 'the caBundle of every webhook')
    await waitFor(() => isReady(ports.probes), 'the controller to be ready again')
  })

  after(async () => {
    await stop()
    kube.connection.close()
    await server.stop()
    rmSync(dir, { recursive: true })
  })

  async function stop(): Promise<void> {
    controller.kill('SIGTERM')
    await once(controller, 'exit')
  }

  function start(more: Record<string, string> = {}): void {
    const flags = {
      ...{ kubeconfig: join(dir, 'kubeconfig'), namespace: NAMESPACE, 'pod-name': 'c', port: 0 },
      ...{ 'health-probe-port': ports.probes, 'webhook-port': ports.webhook, 'cert-dir': join(dir, 'none') },
      ...more,
    }
    const [command, ...args] = nodeCommand('metallb', [
      'controller',
      ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    ])
    controller = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    controller.stdout!.on('data', chunk => {
      log += chunk
    })
  }

  async function bundles(): Promise<(string | undefined)[]> {
    const { webhooks = [] } = await kube.get(validatingWebhookConfigurations, CONFIGURATION)
    return webhooks.map(({ clientConfig }) => clientConfig.caBundle)
  }

  /** As an API server calls: trusting what the webhook configuration says at the moment. */
  async function review(object: object): Promise<{ allowed: boolean; status: { code: number; message: string } }> {
    const [ca] = await bundles()
    const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }
    const asked = { uid: 'u', operation: 'CREATE', namespace: NAMESPACE, object }
    const path = '/validate-metallb-io-v1beta1-ipaddresspool'
    const text = await post(ports.webhook, path, { ...body, request: asked }, Buffer.from(ca!, 'base64').toString())
    return JSON.parse(text).response
  }

  const pool = (name: string, ...addresses: string[]) => ({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace: NAMESPACE },
    spec: { addresses },
  })

  test('a wrong object is refused with a message that says where and why', async () => {
    assert.equal((await review(pool('good', '192.0.2.0/28'))).allowed, true)
    const { allowed, status } = await review(pool('bad', '192.0.2.300/28'))
    assert.deepEqual([allowed, status.code], [false, 403])
    await assert.rejects(kube.create(ipAddressPools, pool('bad', '192.0.2.300/28')), {
      message:
        /admission webhook "ipaddresspoolvalidationwebhook.metallb.io" denied the request: IPAddressPool metallb-system\/bad /,
    })
    assert.match(status.message, /^IPAddressPool metallb-system\/bad spec\.addresses\[0\]: /)
    await waitFor(() => log.includes('"msg":"invalid configuration"'), 'the refusal in the log')
  })

  test('500 reviews while the certificate is renewed five times: none is lost', async () => {
    let done = 0
    let renewals = 0
    const worker = async () => {
      while (done++ < 500 || renewals < 5) assert.equal((await review(pool('p', '192.0.2.0/28'))).allowed, true)
    }
    const renew = async () => {
      for (; renewals < 5; renewals++) {
        const secret = await kube.get(secrets, SECRET)
        const { 'tls.crt': before, ...rest } = secret.data!
        await kube.replace(secrets, { ...secret, data: rest })
        const renewed = async () => (await kube.get(secrets, SECRET)).data?.['tls.crt']
        await waitFor(async () => ![undefined, before].includes(await renewed()), 'another certificate')
      }
    }
    await Promise.all([renew(), worker(), worker(), worker(), worker()])
    assert.equal(log.match(/"msg":"certificate renewed"/g)?.length, 6)
    assert.ok(!log.includes('PRIVATE KEY'))
  })

  test('an edited caBundle is restored, and an emptied Secret gives another authority', async () => {
    const configuration = await kube.get(validatingWebhookConfigurations, CONFIGURATION)
    const [before] = await bundles()
    const edited = configuration.webhooks!.map(webhook => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: Buffer.from('x').toString('base64') },
    }))
    await kube.replace(validatingWebhookConfigurations, { ...configuration, webhooks: edited })
    await waitFor(async () => (await bundles()).every(bundle => bundle === before), 'the bundles to be restored')
    const secret = await kube.get(secrets, SECRET)
    await kube.replace(secrets, { ...secret, data: {} })
    await waitFor(async () => (await bundles()).every(bundle => bundle !== before), 'the bundle of another authority')
    const trusts = () =>
      review(pool('good', '192.0.2.0/28')).then(
        ({ allowed }) => allowed,
        () => false,
      )
    await waitFor(trusts, 'the server to be trusted again')
  })

  async function restart(mode: string): Promise<void> {
    await stop()
    start({ 'webhook-mode': mode })
    await waitFor(() => isReady(ports.probes), `the controller to be ready with webhook mode ${mode}`, 20_000)
  }

  const addressOf = async (name: string) =>
    (await kube.get(services, { namespace: 'default', name })).status?.loadBalancer?.ingress?.[0]?.ip

  test('mode onlywebhook reviews and hands out nothing, mode disabled hands out and does not listen', async () => {
    await kube.create(ipAddressPools, pool('p', '192.0.2.0/28'))
    await restart('onlywebhook')
    await kube.create(services, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    assert.equal((await review(pool('bad', '192.0.2.300/28'))).allowed, false)
    await waitFor(async () => (await kube.list(configurationStates, { namespace: NAMESPACE })).length > 0, 'the state')
    assert.equal(await addressOf('web'), undefined)
    await restart('disabled')
    await waitFor(async () => (await addressOf('web')) === '192.0.2.0', 'the address')
    await assert.rejects(review(pool('bad', '192.0.2.300/28')), { code: 'ECONNREFUSED' })
  })
})

function post(port: number, path: string, body: object, ca: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers, servername: HOST, ca, agent: false }
    const asked = request(options, async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
