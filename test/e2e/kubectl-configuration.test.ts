/** What kubectl users meet when they write our kinds: documentation, rules, webhooks, versions, server-side apply. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { crds, toV1Beta1, toV1Beta2 } from '../../src/api/index.ts'
import { type ApiServer, startApiServer } from '../../src/testing/apiserver/index.ts'
import { converting, WebhookStub } from '../../src/testing/apiserver/webhook-stub.ts'
import { Kubectl, kubectlMissing } from './kubectl.ts'

const SERVICE = 'metallb-webhook-service.metallb-system.svc'

describe('kubectl and our kinds', { skip: kubectlMissing() }, () => {
  let server: ApiServer
  let kubectl: Kubectl
  let hook: WebhookStub

  before(async () => {
    hook = await WebhookStub.start(SERVICE)
    server = await startApiServer({ crds: crds.map(trusting(hook.caBundle)), webhookService: () => hook.url })
    kubectl = new Kubectl(server, ['admin'])
  })

  after(async () => {
    kubectl.close()
    await server.stop()
    await hook.stop()
  })

  for (const { spec } of crds)
    for (const { name: version, schema } of spec.versions)
      test(`explain answers for every field of ${spec.names.kind} ${version}`, async () => {
        const apiVersion = `--api-version=${spec.group}/${version}`
        const paths = pathsOf(schema.openAPIV3Schema as Schema, spec.names.singular)
        assert.ok(paths.length >= 3, paths.join(' '))
        for (const path of paths) {
          const text = await kubectl.run('explain', path, apiVersion)
          const [, description = ''] = text.split('DESCRIPTION:')
          assert.match(description.trim(), /^(?!<empty>)\w/, `${path}: ${text}`)
          assert.doesNotMatch(text, /<no description>/, path)
        }
      })

  test('explain answers for built-in kinds', async () => {
    assert.match(await kubectl.run('explain', 'svc'), /named abstraction.*spec\t<Object>/s)
    assert.match(await kubectl.run('explain', 'svc.spec.ports'), /nodePort\t<integer>/)
    assert.match(await kubectl.run('explain', 'configmap.metadata.labels'), /map\[string\]string/)
  })

  test('apply --server-side creates, changes, is refused what is another’s, and takes it by force', async () => {
    const apply = (manager: string, addresses: string[], ...more: string[]) => {
      const args = ['apply', '--server-side', `--field-manager=${manager}`, ...more, '-f', '-']
      return kubectl.as('admin', args, JSON.stringify(object('IPAddressPool', 'applied', { addresses })))
    }
    assert.deepEqual(await apply('one', ['192.0.2.0/24']), {
      ...{ code: 0, out: 'ipaddresspool.metallb.io/applied serverside-applied\n', err: '' },
    })
    assert.equal((await apply('one', ['192.0.2.0/25'])).code, 0)
    const { code, err } = await apply('two', ['198.51.100.0/24'])
    assert.equal(code, 1)
    assert.match(err, /^error: Apply failed with 1 conflict: conflict with "one": \.spec\.addresses\n/)
    assert.match(err, /--force-conflicts/)
    assert.equal((await apply('two', ['198.51.100.0/24'], '--force-conflicts')).code, 0)
    const addresses = await kubectl.run('get', 'ipaddresspool', 'applied', '-o', 'jsonpath={.spec.addresses}')
    assert.equal(addresses, '["198.51.100.0/24"]')
    const owners = await kubectl.run(
      'get',
      'ipaddresspool',
      'applied',
      '--show-managed-fields',
      '-o',
      'jsonpath={.metadata.managedFields[*].manager}',
    )
    assert.equal(owners, 'two')
  })

  test('apply --server-side goes on from a client-side apply, and removes what is no longer asked for', async () => {
    await kubectl.apply(object('IPAddressPool', 'moved', { addresses: ['192.0.2.0/24'], autoAssign: false }))
    const args = ['apply', '--server-side', '-f', '-']
    const input = JSON.stringify(object('IPAddressPool', 'moved', { addresses: ['192.0.2.0/25'] }))
    const { code, err } = await kubectl.as('admin', args, input)
    assert.equal(code, 0, err)
    const spec = await kubectl.run(
      'get',
      'ipaddresspool',
      'moved',
      '-o',
      'jsonpath={.spec.addresses} {.spec.autoAssign}',
    )
    assert.equal(spec, '["192.0.2.0/25"] true', 'autoAssign is back at its default')
  })

  test('apply --server-side works on Services and ConfigMaps', async () => {
    const args = ['apply', '--server-side', '-f', '-']
    const configMap = (data: object) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ssa' }, data })
    assert.equal(
      (await kubectl.as('admin', args, configMap({ a: '1', b: '2' }))).out,
      'configmap/ssa serverside-applied\n',
    )
    assert.equal((await kubectl.as('admin', args, configMap({ a: '1' }))).code, 0)
    assert.equal(await kubectl.run('get', 'cm', 'ssa', '-o', 'jsonpath={.data}'), '{"a":"1"}')
    const ports = [{ port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }]
    const named = ports.map((port, index) => ({ name: `p${index}`, ...port }))
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'ssa' },
      spec: { type: 'LoadBalancer', ports: named },
    }
    const { code, err } = await kubectl.as('admin', args, JSON.stringify(service))
    assert.equal(code, 0, err)
    assert.equal(await kubectl.run('get', 'svc', 'ssa', '-o', 'jsonpath={.spec.ports[*].port}'), '80 53')
  })

  test('rules of our kinds refuse with their sentence', async () => {
    const advertisement = object('BGPAdvertisement', 'ruled', { serviceSelectors: [{}], aggregationLength: 24 })
    assert.match(
      await kubectl.refused(['create', '-f', '-'], advertisement),
      /The BGPAdvertisement "ruled" is invalid: spec: Invalid value: "object": serviceSelectors and aggregationLength are mutually exclusive/,
    )
    const peer = { ...PEER, connectTime: '1500ms' }
    assert.match(
      await kubectl.refused(['create', '-f', '-'], object('BGPPeer', 'ruled', peer, 'v1beta2')),
      /spec\.connectTime: Invalid value: "string": connect time should contain a whole number of seconds/,
    )
  })

  test('a rule about changes refuses the change and not the object', async () => {
    const peer = (enableGracefulRestart: boolean) =>
      object('BGPPeer', 'restarting', { ...PEER, enableGracefulRestart }, 'v1beta2')
    await kubectl.apply(peer(true))
    assert.match(
      await kubectl.refused(['apply', '-f', '-'], peer(false)),
      /spec\.enableGracefulRestart: Invalid value: "boolean": EnableGracefulRestart cannot be changed after creation/,
    )
  })

  test('a BGPPeer of one version reads in the other', async () => {
    hook.answer = converting((peer, apiVersion) => {
      const convert = apiVersion === 'metallb.io/v1beta2' ? toV1Beta2 : toV1Beta1
      return { ...(convert(peer as never) as object), kind: 'BGPPeer' }
    })
    const old = object('BGPPeer', 'older', {
      ...PEER,
      sourceAddress: '192.0.2.9',
      nodeSelectors: [{ matchLabels: { a: 'b' } }],
    })
    const { code, err } = await kubectl.as('admin', ['create', '-f', '-'], JSON.stringify(old))
    assert.equal(code, 0, err)
    assert.match(err, /Warning: v1beta1 is deprecated, please use v1beta2|^$/)
    const read = await kubectl.run(
      'get',
      'bgppeers.v1beta2.metallb.io',
      'older',
      '-o',
      'jsonpath={.apiVersion} {.spec.nodeSelectors}',
    )
    assert.equal(read, 'metallb.io/v1beta2 [{"matchLabels":{"a":"b"}}]')
    await kubectl.apply(object('BGPPeer', 'newer', { ...PEER, holdTime: '30s' }, 'v1beta2'))
    const back = await kubectl.run(
      'get',
      'bgppeers.v1beta1.metallb.io',
      'newer',
      '-o',
      'jsonpath={.apiVersion} {.spec.holdTime}',
    )
    assert.equal(back, 'metallb.io/v1beta1 30s')
  })

  test('what a webhook refuses is refused with its name and sentence, what it warns of is shown', async t => {
    await kubectl.apply(validating(hook.caBundle))
    t.after(() => kubectl.run('delete', 'validatingwebhookconfiguration', 'pools'))
    hook.answer = () => ({ allowed: false, status: { code: 403, message: 'pool "hooked" overlaps pool "other"' } })
    assert.equal(
      await kubectl.refused(['create', '-f', '-'], object('IPAddressPool', 'hooked', { addresses: ['192.0.2.0/24'] })),
      'Error from server: error when creating "STDIN": admission webhook "pools.metallb.io" denied the request: pool "hooked" overlaps pool "other"',
    )
    hook.answer = () => ({ allowed: true, warnings: ['spec.autoAssign: rarely wanted'] })
    const input = JSON.stringify(object('IPAddressPool', 'hooked', { addresses: ['192.0.2.0/24'] }))
    const { code, err } = await kubectl.as('admin', ['create', '-f', '-'], input)
    assert.deepEqual([code, err.trim()], [0, 'Warning: spec.autoAssign: rarely wanted'])
  })
})

const PEER = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' }

interface Schema {
  properties?: Record<string, Schema>
  items?: Schema
}

/** The kind and everything below spec and status. */
function pathsOf({ properties = {}, items }: Schema, path: string): string[] {
  const own = Object.entries(properties).filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name))
  const inner = items === undefined ? [] : pathsOf(items, path).slice(1)
  return [path, ...own.flatMap(([name, schema]) => pathsOf(schema, `${path}.${name}`)), ...inner]
}

function object(kind: string, name: string, spec: object, version = 'v1beta1') {
  return { apiVersion: `metallb.io/${version}`, kind, metadata: { name, namespace: 'default' }, spec }
}

/** The definition with the authority of the webhook in it, as the controller writes it there. */
function trusting(caBundle: string): (crd: (typeof crds)[number]) => unknown {
  return crd => {
    const copy = structuredClone(crd) as {
      spec: { conversion?: { webhook?: { clientConfig: { caBundle?: string } } } }
    }
    if (copy.spec.conversion?.webhook !== undefined) copy.spec.conversion.webhook.clientConfig.caBundle = caBundle
    return copy
  }
}

function validating(caBundle: string) {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'pools' },
    webhooks: [
      {
        name: 'pools.metallb.io',
        admissionReviewVersions: ['v1'],
        clientConfig: {
          service: { namespace: 'metallb-system', name: 'metallb-webhook-service', path: '/p' },
          caBundle,
        },
        rules: [
          { apiGroups: ['metallb.io'], apiVersions: ['*'], operations: ['CREATE'], resources: ['ipaddresspools'] },
        ],
        sideEffects: 'None',
      },
    ],
  }
}
