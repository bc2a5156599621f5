import assert from 'node:assert/strict'
import { test } from 'node:test'
import { x509Certificates } from '../../adapters/certificates/index.ts'
import { bgpPeerCrd, customResourceDefinitions, secrets, validatingWebhookConfigurations } from '../../api/index.ts'
import { type KeyPair, KubeError } from '../../ports/index.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { FakeKube } from '../../testing/fake-kube.ts'
import { FakeLog } from '../../testing/fake-log.ts'
import { FakeMetrics } from '../../testing/fake-metrics.ts'
import { keysOf } from './decide.ts'
import { CertificateRotation, ServingPair, WEBHOOK_CONFIGURATION } from './index.ts'
import { CHECK_MS } from './rotation.ts'

const namespace = 'metallb-system'
const REF = { namespace, name: 'metallb-webhook-cert' }
const HOST = `metallb-webhook-service.${namespace}.svc`
const DAY_MS = 86_400_000

function cluster() {
  const kube = new FakeKube()
  kube.put(secrets, { metadata: REF })
  kube.put(customResourceDefinitions, bgpPeerCrd)
  overwrite(kube)
  return kube
}

function overwrite(kube: FakeKube): void {
  const webhooks = ['a', 'b'].map(name => ({ name, clientConfig: { caBundle: 'bm9uZQ==' } }))
  kube.put(validatingWebhookConfigurations, { metadata: { name: WEBHOOK_CONFIGURATION }, webhooks })
}

function replica(kube: FakeKube, clock = new FakeClock()) {
  const log = new FakeLog()
  const served: KeyPair[] = []
  const serving = new ServingPair({
    certificates: x509Certificates,
    metrics: new FakeMetrics(),
    use: pair => void served.push(pair),
  })
  const rotation = new CertificateRotation({
    ...{ kube, clock, log, serving, namespace, secretName: REF.name, host: HOST, certificates: x509Certificates },
    sources: {
      secrets: kube.informer(secrets),
      webhooks: kube.informer(validatingWebhookConfigurations),
      crds: kube.informer(customResourceDefinitions),
    },
  })
  rotation.start()
  return { rotation, clock, log, served }
}

async function until(what: string, holds: () => boolean, clock?: FakeClock): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    assert.ok(turn < 20_000, what)
    await new Promise(resolve => setTimeout(resolve, 1))
    clock?.advance(5)
  }
}

const held = (kube: FakeKube) => keysOf(kube.peek(secrets, REF)!)
const bundles = (kube: FakeKube) => [
  ...kube
    .peek(validatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION })!
    .webhooks!.map(w => w.clientConfig.caBundle),
  kube.peek(customResourceDefinitions, { name: 'bgppeers.metallb.io' })!.spec.conversion!.webhook.clientConfig.caBundle,
]
const trusted = (kube: FakeKube) => {
  const ca = kube.peek(secrets, REF)?.data?.['ca.crt']
  return ca !== undefined && bundles(kube).every(bundle => bundle === ca)
}

test('an empty Secret is filled, the authority injected, then all is ready; edits are reverted (176, 177, E21)', async () => {
  const kube = cluster()
  const { rotation, served, log } = replica(kube)
  assert.notEqual(rotation.ready(), true)
  await until('ready', () => rotation.ready() === true)
  assert.equal(bundles(kube).length, 3)
  assert.ok(trusted(kube))
  const first = held(kube)
  assert.deepEqual(served, [first.serving])
  overwrite(kube)
  assert.match(String(rotation.ready()), /caBundle is not injected yet into ValidatingWebhookConfiguration/)
  await until('the edit is reverted', () => rotation.ready() === true)
  assert.deepEqual(held(kube), first)
  kube.put(secrets, { metadata: REF })
  await until('another authority', () => rotation.ready() === true && served.length === 2)
  assert.notEqual(held(kube).authority.cert, first.authority.cert)
  assert.ok(!JSON.stringify(log.lines).includes('PRIVATE KEY'))
  await rotation.stop()
})

test('a certificate is renewed 90 days before it expires, and not before; the authority stays', async () => {
  const kube = cluster()
  const { rotation, clock, served } = replica(kube)
  await until('ready', () => rotation.ready() === true)
  const before = held(kube)
  clock.jump(274 * DAY_MS)
  await clock.advanceAsync(CHECK_MS)
  await until('checked', () => clock.armed === 1)
  assert.deepEqual(held(kube), before)
  clock.jump(DAY_MS)
  await clock.advanceAsync(CHECK_MS)
  await until('renewed', () => served.length === 2)
  assert.equal(held(kube).authority.cert, before.authority.cert)
  await rotation.stop()
})

test('an authority that grows old stays trusted behind the new one', async () => {
  const kube = cluster()
  const { rotation, clock, served } = replica(kube)
  await until('ready', () => rotation.ready() === true)
  const old = held(kube).authority.cert
  clock.jump(3561 * DAY_MS)
  await clock.advanceAsync(CHECK_MS)
  await until('renewed', () => served.length === 2)
  const { authority, serving } = held(kube)
  assert.equal(authority.cert.match(/BEGIN CERTIFICATE/g)?.length, 2)
  assert.ok(authority.cert.includes(old.trim()))
  assert.ok(x509Certificates.isIssuedBy(serving.cert, authority.cert))
  await rotation.stop()
})

test('three replicas at once agree on one certificate', async () => {
  const kube = cluster()
  const replicas = [replica(kube), replica(kube), replica(kube)]
  for (const { rotation, clock } of replicas) await until('ready', () => rotation.ready() === true, clock)
  await until('agreed', () => replicas.every(({ served }) => served.at(-1)?.cert === held(kube).serving.cert))
  const writes = kube.calls.length
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
  assert.equal(kube.calls.length, writes, 'and then nobody writes any more')
  for (const { rotation } of replicas) await rotation.stop()
})

test('a missing Secret is created; rights that are missing are told by readiness', async () => {
  const kube = cluster()
  kube.remove(secrets, REF)
  let refuse = true
  kube.fail = verb => {
    if (refuse && verb === 'create') throw new KubeError('FORBIDDEN', 'secrets is forbidden')
  }
  const { rotation, clock } = replica(kube)
  await until('told', () => /cannot be kept: secrets is forbidden/.test(String(rotation.ready())))
  refuse = false
  await until('ready', () => rotation.ready() === true, clock)
  await rotation.stop()
})

test('of Secret and files the newer pair is served, the Secret where both are equal', async () => {
  const served: KeyPair[] = []
  const certificates = x509Certificates
  const serving = new ServingPair({ certificates, metrics: new FakeMetrics(), use: pair => void served.push(pair) })
  const authority = await certificates.createAuthority(0)
  const [older, newer, same] = await Promise.all([0, DAY_MS, DAY_MS].map(at => certificates.issue(authority, HOST, at)))
  serving.offer('files', newer!)
  serving.offer('secret', older!)
  assert.deepEqual(served, [newer])
  serving.offer('secret', same!)
  assert.deepEqual(served, [newer, same])
  serving.offer('files', { cert: '', key: '' })
  assert.equal(served.length, 2)
})
