/** The embedded API server through an unmodified kubectl: what a user types and what a user sees. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { crds } from '../../src/api/crds.ts'
import { type ApiServer, startApiServer } from '../../src/testing/apiserver/index.ts'
import { Kubectl, kubectlMissing } from './kubectl.ts'

describe('kubectl', { skip: kubectlMissing() }, () => {
  let server: ApiServer
  let kubectl: Kubectl

  before(async () => {
    server = await startApiServer({ crds, tokens: [{ token: 'jane-token', user: 'jane' }] })
    kubectl = new Kubectl(server, ['admin', 'jane'])
  })

  after(async () => {
    kubectl.close()
    await server.stop()
  })

  const rows = (text: string) => text.split('\n').map(line => line.split(/ {2,}/))

  test('apply creates, leaves alone, and changes', async () => {
    assert.equal(await kubectl.apply(service('applied')), 'service/applied created')
    assert.equal(await kubectl.apply(service('applied')), 'service/applied unchanged')
    assert.equal(
      await kubectl.apply(service('applied', { externalTrafficPolicy: 'Local' })),
      'service/applied configured',
    )
    const policy = await kubectl.run('get', 'svc', 'applied', '-o', 'jsonpath={.spec.externalTrafficPolicy}')
    assert.equal(policy, 'Local')
    assert.match(await kubectl.run('get', 'svc', 'applied', '-o', 'jsonpath={.spec.healthCheckNodePort}'), /^3\d{4}$/)
  })

  test('create twice: the second is told that it exists', async () => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'twice' }, data: { a: 'b' } }
    assert.equal((await kubectl.as('admin', ['create', '-f', '-'], JSON.stringify(configMap))).code, 0)
    assert.match(
      await kubectl.refused(['create', '-f', '-'], configMap),
      /AlreadyExists.*configmaps "twice" already exists/,
    )
  })

  test('typed creates, which kubectl sends as protobuf, make what they are told', async () => {
    await kubectl.run('create', 'namespace', 'typed')
    await kubectl.run('-n', 'typed', 'create', 'configmap', 'map', '--from-literal=key=value')
    await kubectl.run('-n', 'typed', 'create', 'secret', 'generic', 'secret', '--from-literal=key=value')
    await kubectl.run('-n', 'typed', 'create', 'service', 'loadbalancer', 'web', '--tcp=80:8080')
    assert.equal(await kubectl.run('-n', 'typed', 'get', 'cm', 'map', '-o', 'jsonpath={.data.key}'), 'value')
    assert.equal(await kubectl.run('-n', 'typed', 'get', 'secret', 'secret', '-o', 'jsonpath={.data.key}'), 'dmFsdWU=')
    const ports = await kubectl.run('-n', 'typed', 'get', 'svc', 'web', '-o', 'jsonpath={.spec.ports[0]}')
    assert.deepEqual(JSON.parse(ports), {
      name: '80-8080',
      nodePort: JSON.parse(ports).nodePort,
      port: 80,
      protocol: 'TCP',
      targetPort: 8080,
    })
  })

  test('get prints the tables users know', async () => {
    await kubectl.apply(service('table'))
    await kubectl.run('patch', 'svc', 'table', '--subresource=status', '--type=merge', '-p', ingress('192.0.2.7'))
    const [head, row] = rows(await kubectl.run('get', 'svc', 'table'))
    assert.deepEqual(head, ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'])
    assert.deepEqual(row?.slice(0, 2), ['table', 'LoadBalancer'])
    assert.match(row![2]!, /^10\.96\.\d+\.\d+$/)
    assert.equal(row![3], '192.0.2.7')
    assert.match(row![4]!, /^80:3\d{4}\/TCP$/)
    const [wideHead, wideRow] = rows(await kubectl.run('get', 'svc', 'table', '-o', 'wide'))
    assert.equal(wideHead?.at(-1), 'SELECTOR')
    assert.equal(wideRow?.at(-1), 'app=table')
    assert.match(await kubectl.run('get', 'svc', 'table', '-o', 'yaml'), /- ip: 192\.0\.2\.7\n\s+ipMode: VIP/)
    assert.equal(
      await kubectl.run('get', 'namespace', 'default', '--no-headers').then(line => line.split(/ +/)[1]),
      'Active',
    )
  })

  test('label and field selectors choose', async () => {
    await kubectl.apply(service('one', {}, { tier: 'a' }), service('two', {}, { tier: 'b' }), service('three'))
    const names = async (...args: string[]) => (await kubectl.run('get', 'svc', '-o', 'name', ...args)).split('\n')
    assert.deepEqual(await names('-l', 'tier=a'), ['service/one'])
    assert.deepEqual(await names('-l', 'tier in (a,b)'), ['service/one', 'service/two'])
    assert.deepEqual(await names('-l', 'tier,tier!=a'), ['service/two'])
    assert.deepEqual(await names('--field-selector', 'metadata.name=three'), ['service/three'])
    assert.match(
      await kubectl.refused(['get', 'svc', '--field-selector', 'spec.color=red']),
      /field label not supported: spec.color/,
    )
  })

  test('get -w shows each change as it happens', async () => {
    await kubectl.apply(service('watched'))
    const watch = kubectl.follow('get', 'svc', 'watched', '-w', '--no-headers')
    await watch.prints(/<pending>/)
    await kubectl.run('patch', 'svc', 'watched', '--subresource=status', '--type=merge', '-p', ingress('192.0.2.8'))
    await watch.prints(/<pending>(.|\n)*192\.0\.2\.8/)
    watch.stop()
  })

  test('describe shows endpoints and events', async () => {
    await kubectl.apply(service('described'), pod('described'))
    const status = {
      podIP: '10.244.0.5',
      podIPs: [{ ip: '10.244.0.5' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    }
    const patch = JSON.stringify({ status })
    await kubectl.run('patch', 'pod', 'described', '--subresource=status', '--type=merge', '-p', patch)
    const uid = await kubectl.run('get', 'svc', 'described', '-o', 'jsonpath={.metadata.uid}')
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'described.1' },
      involvedObject: { kind: 'Service', name: 'described', namespace: 'default', uid, apiVersion: 'v1' },
      type: 'Normal',
      reason: 'IPAllocated',
      message: 'Assigned IP ["192.0.2.9"]',
      source: { component: 'metallb-controller' },
      count: 1,
    })
    const text = await kubectl.run('describe', 'svc', 'described')
    assert.match(text, /Endpoints:\s+10\.244\.0\.5:8080/)
    assert.match(text, /Normal\s+IPAllocated\s+\S+\s+metallb-controller\s+Assigned IP \["192\.0\.2\.9"\]/)
  })

  test('wait ends when the address is there, and fails when it does not come', async () => {
    await kubectl.apply(service('waited'))
    const wait = kubectl.run(
      'wait',
      '--for=jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.10',
      'svc/waited',
      '--timeout=20s',
    )
    await kubectl.run('patch', 'svc', 'waited', '--subresource=status', '--type=merge', '-p', ingress('192.0.2.10'))
    assert.equal(await wait, 'service/waited condition met')
    const never = [
      'wait',
      '--for=jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.11',
      'svc/waited',
      '--timeout=1s',
    ]
    assert.match(await kubectl.refused(never), /timed out waiting/)
  })

  test('the three patches, and a JSON patch whose test fails', async () => {
    await kubectl.apply(service('patched'))
    const ports = () => kubectl.run('get', 'svc', 'patched', '-o', 'jsonpath={.spec.ports[*].port}')
    await kubectl.run('patch', 'svc', 'patched', '-p', '{"spec":{"ports":[{"port":443,"name":"https"}]}}')
    assert.equal(await ports(), '80 443', 'strategic merge adds a port by its key')
    await kubectl.run(
      'patch',
      'svc',
      'patched',
      '--type=merge',
      '-p',
      '{"spec":{"ports":[{"port":8443,"name":"only"}]}}',
    )
    assert.equal(await ports(), '8443', 'merge replaces the list')
    await kubectl.run(
      'patch',
      'svc',
      'patched',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/ports/0/port","value":81}]',
    )
    assert.equal(await ports(), '81')
    const failing = ['patch', 'svc', 'patched', '--type=json', '-p', '[{"op":"test","path":"/spec/type","value":"x"}]']
    assert.match(await kubectl.refused(failing), /testing value failed/)
  })

  test('label and annotate, and taking them off again', async () => {
    await kubectl.apply(service('marked'))
    assert.equal(await kubectl.run('label', 'svc', 'marked', 'tier=gold'), 'service/marked labeled')
    assert.equal(
      await kubectl.run('annotate', 'svc', 'marked', 'metallb.io/address-pool=p'),
      'service/marked annotated',
    )
    const marks = () =>
      kubectl.run(
        'get',
        'svc',
        'marked',
        '-o',
        'jsonpath={.metadata.labels.tier} {.metadata.annotations.metallb\\.io/address-pool}',
      )
    assert.equal(await marks(), 'gold p')
    await kubectl.run('label', 'svc', 'marked', 'tier-')
    assert.equal(await marks(), 'p')
  })

  test('delete waits for a finalizer to be taken off', async () => {
    await kubectl.apply(service('held'))
    await kubectl.run('patch', 'svc', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}')
    const deletion = kubectl.run('delete', 'svc', 'held')
    await until(
      async () => (await kubectl.run('get', 'svc', 'held', '-o', 'jsonpath={.metadata.deletionTimestamp}')) !== '',
    )
    await kubectl.run('patch', 'svc', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}')
    assert.match(await deletion, /service "held" deleted/)
    assert.match(await kubectl.refused(['get', 'svc', 'held']), /services "held" not found/)
  })

  test('deleting a namespace takes what is in it along', async () => {
    await kubectl.run('create', 'namespace', 'doomed')
    await kubectl.run('-n', 'doomed', 'create', 'configmap', 'map')
    assert.match(await kubectl.run('delete', 'namespace', 'doomed'), /namespace "doomed" deleted/)
    assert.match(await kubectl.refused(['get', 'namespace', 'doomed']), /namespaces "doomed" not found/)
    await kubectl.run('create', 'namespace', 'doomed')
    assert.match(await kubectl.refused(['-n', 'doomed', 'get', 'configmap', 'map']), /configmaps "map" not found/)
  })

  test('a bad Service is refused with every reason', async () => {
    const port = await kubectl.refused(['apply', '-f', '-'], service('bad', { ports: [{ port: 70000 }] }))
    assert.match(
      port,
      /The Service "bad" is invalid: spec.ports\[0\].port: Invalid value: 70000: must be between 1 and 65535/,
    )
    assert.match(
      await kubectl.refused(['apply', '-f', '-'], service('bad', { type: 'Balancer' })),
      /Unsupported value: "Balancer"/,
    )
    assert.match(
      await kubectl.refused(['apply', '-f', '-'], service('bad', { colour: 'red' })),
      /unknown field "spec.colour"/,
    )
    assert.match(await kubectl.refused(['apply', '-f', '-'], service('Bad_Name')), /Invalid value: "Bad_Name"/)
  })

  test('the class of a load balancer cannot be changed', async () => {
    await kubectl.apply(service('classed', { loadBalancerClass: 'metallb.io/lb' }))
    const change = ['patch', 'svc', 'classed', '-p', '{"spec":{"loadBalancerClass":"other.io/lb"}}']
    assert.match(await kubectl.refused(change), /spec.loadBalancerClass.*may not change once set/)
  })

  test('custom resources: shown in columns, defaulted, validated, unknown fields refused', async () => {
    assert.equal(await kubectl.apply(pool({ addresses: ['192.0.2.0/24'] })), 'ipaddresspool.metallb.io/pool created')
    assert.equal(await kubectl.apply(pool({ addresses: ['192.0.2.0/24'] })), 'ipaddresspool.metallb.io/pool unchanged')
    const [head, row] = rows(await kubectl.run('get', 'ipaddresspools'))
    assert.deepEqual(head, ['NAME', 'AUTO ASSIGN', 'AVOID BUGGY IPS', 'ADDRESSES'])
    assert.deepEqual(row, ['pool', 'true', 'false', '["192.0.2.0/24"]'])
    assert.match(await kubectl.refused(['apply', '-f', '-'], pool({})), /spec.addresses: Required value/)
    assert.match(
      await kubectl.refused(['apply', '-f', '-'], pool({ addresses: 'all' })),
      /must be of type array: "string"/,
    )
    const unknown = await kubectl.refused(['create', '-f', '-'], pool({ addresses: ['192.0.2.0/24'], adresses: [] }))
    assert.match(unknown, /strict decoding error: unknown field "spec.adresses"/)
  })

  test('a 64-bit count in a status keeps every digit', async () => {
    await kubectl.apply(pool({ addresses: ['2001:db8::/64'] }, 'large'))
    const patch = '{"status":{"availableIPv6":9223372036854775807,"availableIPv4":0,"assignedIPv4":0,"assignedIPv6":0}}'
    await kubectl.run('patch', 'ipaddresspool', 'large', '--subresource=status', '--type=merge', '-p', patch)
    assert.match(
      await kubectl.run('get', '--raw', '/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools/large'),
      /9223372036854775807/,
    )
  })

  test('api-resources lists built-in and custom kinds', async () => {
    const names = (await kubectl.run('api-resources', '-o', 'name')).split('\n')
    for (const name of [
      'services',
      'endpointslices.discovery.k8s.io',
      'ipaddresspools.metallb.io',
      'bgppeers.metallb.io',
    ])
      assert.ok(names.includes(name), `${name} is missing`)
  })

  test('roles decide: may, may not, and what the refusal says', async () => {
    await kubectl.run('create', 'role', 'reader', '--verb=get,list', '--resource=services')
    await kubectl.run('create', 'rolebinding', 'reader', '--role=reader', '--user=jane')
    assert.equal((await kubectl.as('jane', ['auth', 'can-i', 'list', 'services'])).out.trim(), 'yes')
    assert.equal((await kubectl.as('jane', ['auth', 'can-i', 'delete', 'services'])).out.trim(), 'no')
    assert.equal((await kubectl.as('jane', ['get', 'services'])).code, 0)
    const { code, err } = await kubectl.as('jane', ['get', 'secrets'])
    assert.equal(code, 1)
    assert.match(
      err,
      /secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"/,
    )
  })
})

const ingress = (ip: string) => JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } })

function service(name: string, spec: Record<string, unknown> = {}, labels: Record<string, string> = {}) {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }]
  const base = { type: 'LoadBalancer', selector: { app: name }, ports }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, labels }, spec: { ...base, ...spec } }
}

function pod(name: string) {
  const containers = [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { nodeName: 'n1', containers },
  }
}

function pool(spec: Record<string, unknown>, name = 'pool') {
  return { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name, namespace: 'default' }, spec }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) if (Date.now() > deadline) throw new Error('the condition did not come true within 20 s')
}
