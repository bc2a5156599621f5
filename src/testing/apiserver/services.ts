/** What the API server does to a Service: defaults, validation, cluster IPs, node ports (core/v1 strategy). */

import { isDeepStrictEqual } from 'node:util'
import { objectKey } from '../../core/object.ts'
import type { IpFamily } from './allocations.ts'
import type { Cluster } from './cluster.ts'
import { type Cause, duplicateValue, forbiddenField, invalidValue, required, unsupportedValue } from './errors.ts'
import { type Fields, fieldsAt, isFields, type KubeJson, listAt } from './object.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export function admitService(service: KubeJson, before: KubeJson | undefined, cluster: Cluster): Cause[] {
  const spec = { ...fieldsAt(service, 'spec') }
  const old = before === undefined ? undefined : fieldsAt(before, 'spec')
  service.spec = spec
  applyServiceDefaults(spec)
  if (old !== undefined) carryOver(spec, old)
  const causes = [...checkSpec(spec), ...(old === undefined ? [] : checkUnchanged(spec, old))]
  if (causes.length > 0) return causes
  const key = objectKey(service.metadata)
  causes.push(...assignClusterIps(spec, key, cluster), ...assignNodePorts(spec, key, cluster))
  defaultIngress(service, spec)
  return causes
}

const publishes = ({ type }: Fields) => type === 'LoadBalancer' || type === 'NodePort'
const balances = ({ type }: Fields) => type === 'LoadBalancer'
const local = (spec: Fields) => balances(spec) && spec.externalTrafficPolicy === 'Local'
const nonEmpty = (value: unknown): value is unknown[] => Array.isArray(value) && value.length > 0

/** Fields that only some Services have. */
const CONDITIONAL: readonly [field: string, applies: (spec: Fields) => boolean, rule: string][] = [
  ['externalTrafficPolicy', publishes, 'may only be set for externally-accessible services'],
  ['allocateLoadBalancerNodePorts', balances, "may only be used when `type` is 'LoadBalancer'"],
  ['loadBalancerClass', balances, "may only be used when `type` is 'LoadBalancer'"],
  [
    'healthCheckNodePort',
    local,
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
]

function applyServiceDefaults(spec: Fields): void {
  spec.type ??= 'ClusterIP'
  spec.sessionAffinity ??= 'None'
  if (Array.isArray(spec.ports))
    spec.ports = spec.ports.filter(isFields).map(port => ({ protocol: 'TCP', targetPort: port.port, ...port }))
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster'
  if (publishes(spec)) spec.externalTrafficPolicy ??= 'Cluster'
  if (balances(spec)) spec.allocateLoadBalancerNodePorts ??= true
}

/**
 * What an update that leaves a field out keeps: addresses, families and ports already handed out. What it drops: fields
 * that the new type does not have and the request did not touch, the second address of a Service made single-stack.
 */
function carryOver(spec: Fields, old: Fields): void {
  for (const [field, applies] of CONDITIONAL) if (!applies(spec) && spec[field] === old[field]) delete spec[field]
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return
  for (const field of ['clusterIP', 'ipFamilyPolicy']) spec[field] ||= old[field]
  if (spec.clusterIP !== old.clusterIP && isDeepStrictEqual(spec.clusterIPs, old.clusterIPs))
    spec.clusterIPs = [spec.clusterIP] // only the older of the two fields was written
  for (const field of ['clusterIPs', 'ipFamilies']) {
    if (!nonEmpty(spec[field]) && spec.clusterIP === old.clusterIP) spec[field] = old[field]
    const untouched = isDeepStrictEqual(spec[field], old[field])
    const narrowed = spec.ipFamilyPolicy === 'SingleStack' && old.ipFamilyPolicy !== 'SingleStack'
    if (narrowed && untouched && nonEmpty(spec[field])) spec[field] = spec[field].slice(0, 1)
  }
  if (local(spec)) spec.healthCheckNodePort ||= old.healthCheckNodePort
  if (publishes(spec)) keepNodePorts(listAt({ spec }, 'spec.ports'), listAt({ old }, 'old.ports'))
}

function keepNodePorts(ports: Fields[], old: Fields[]): void {
  for (const port of ports) {
    const same = old.find(other => other.port === port.port && (other.protocol ?? 'TCP') === port.protocol)
    if (!port.nodePort && same?.nodePort) port.nodePort = same.nodePort
  }
}

function checkSpec(spec: Fields): Cause[] {
  const causes: Cause[] = []
  const oneOf = (field: string, values: readonly string[]) => {
    if (spec[field] !== undefined && !values.includes(String(spec[field])))
      causes.push(unsupportedValue(`spec.${field}`, spec[field], values))
  }
  oneOf('type', TYPES)
  oneOf('sessionAffinity', ['ClientIP', 'None'])
  oneOf('externalTrafficPolicy', ['Cluster', 'Local'])
  oneOf('internalTrafficPolicy', ['Cluster', 'Local'])
  oneOf('ipFamilyPolicy', POLICIES)
  for (const [field, applies, rule] of CONDITIONAL)
    if (spec[field] !== undefined && spec[field] !== 0 && !applies(spec))
      causes.push(forbiddenField(`spec.${field}`, rule))
  const headless = spec.clusterIP === 'None'
  if (headless && publishes(spec))
    causes.push(invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  if (spec.type === 'ExternalName') return spec.externalName ? causes : [...causes, required('spec.externalName')]
  if (!nonEmpty(spec.ports)) return headless ? causes : [...causes, required('spec.ports')]
  return [...causes, ...checkPorts(spec.ports.filter(isFields))]
}

function checkPorts(ports: Fields[]): Cause[] {
  const causes: Cause[] = []
  const names = new Set<unknown>()
  const numbers = new Set<string>()
  for (const [index, { name, port, protocol, targetPort }] of ports.entries()) {
    const at = `spec.ports[${index}]`
    if (name === undefined && ports.length > 1) causes.push(required(`${at}.name`))
    if (name !== undefined && names.has(name)) causes.push(duplicateValue(`${at}.name`, name))
    names.add(name)
    if (!isPort(port)) causes.push(invalidValue(`${at}.port`, port ?? 0, 'must be between 1 and 65535, inclusive'))
    if (!PROTOCOLS.includes(String(protocol))) causes.push(unsupportedValue(`${at}.protocol`, protocol, PROTOCOLS))
    if (typeof targetPort === 'number' && !isPort(targetPort) && isPort(port))
      causes.push(invalidValue(`${at}.targetPort`, targetPort, 'must be between 1 and 65535, inclusive'))
    if (numbers.has(`${protocol}/${port}`)) causes.push(duplicateValue(at, { protocol, port }))
    numbers.add(`${protocol}/${port}`)
  }
  return causes
}

function isPort(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535
}

function checkUnchanged(spec: Fields, old: Fields): Cause[] {
  const causes: Cause[] = []
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer' && spec.loadBalancerClass !== old.loadBalancerClass)
    causes.push(
      invalidValue(
        'spec.loadBalancerClass',
        spec.loadBalancerClass,
        'may not change once set while type is LoadBalancer',
      ),
    )
  const first = (fields: Fields) => (nonEmpty(fields.clusterIPs) ? fields.clusterIPs[0] : fields.clusterIP)
  const both = spec.type !== 'ExternalName' && old.type !== 'ExternalName'
  if (both && first(old) && first(spec) !== first(old))
    causes.push(invalidValue('spec.clusterIPs[0]', first(spec), 'may not change once set'))
  if (both && nonEmpty(old.ipFamilies) && nonEmpty(spec.ipFamilies) && spec.ipFamilies[0] !== old.ipFamilies[0])
    causes.push(invalidValue('spec.ipFamilies[0]', spec.ipFamilies[0], 'may not change once set'))
  return causes
}

function assignClusterIps(spec: Fields, key: string, { allocations }: Cluster): Cause[] {
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field]
    return []
  }
  const given = nonEmpty(spec.clusterIPs) ? spec.clusterIPs.map(String) : spec.clusterIP ? [String(spec.clusterIP)] : []
  const headless = given[0] === 'None'
  const families = chooseFamilies(spec, headless ? [] : given, allocations.families)
  if (!Array.isArray(families)) return [families]
  spec.ipFamilies = families
  const ips = headless ? ['None'] : families.map((family, index) => given[index] ?? allocations.freeIp(family))
  spec.clusterIPs = ips
  spec.clusterIP = ips[0]
  if (headless) return []
  return ips.flatMap((ip, index) => {
    const field = `spec.clusterIPs[${index}]`
    if (ip === undefined) return [invalidValue(field, '', 'failed to allocate IP: range is full')]
    const why = allocations.refusesIp(ip, key)
    return why === undefined ? [] : [invalidValue(field, [ip], `failed to allocate IP ${ip}: ${why}`)]
  })
}

/** The families by ipFamilyPolicy, what is asked for and what the cluster has; also completes the policy. */
function chooseFamilies(spec: Fields, given: string[], has: readonly IpFamily[]): IpFamily[] | Cause {
  const asked = nonEmpty(spec.ipFamilies) ? (spec.ipFamilies as IpFamily[]) : []
  const missing = asked.find(family => !has.includes(family))
  if (missing) return invalidValue('spec.ipFamilies[0]', missing, 'not configured on this cluster')
  const fromIps = given.map(ip => (ip.includes(':') ? 'IPv6' : 'IPv4') as IpFamily)
  const chosen = [...new Set<IpFamily>([...asked, ...fromIps])]
  spec.ipFamilyPolicy ??= chosen.length > 1 ? 'RequireDualStack' : 'SingleStack'
  if (spec.ipFamilyPolicy === 'RequireDualStack' && has.length < 2)
    return invalidValue(
      'spec.ipFamilyPolicy',
      'RequireDualStack',
      'this cluster is not configured for dual-stack services',
    )
  const wanted = [...new Set<IpFamily>([...chosen, ...has])]
  if (spec.ipFamilyPolicy !== 'SingleStack') return wanted.slice(0, 2)
  if (asked.length > 1 || given.length > 1)
    return invalidValue('spec.ipFamilyPolicy', 'SingleStack', 'may only be "SingleStack" with one family')
  return wanted.slice(0, 1)
}

function assignNodePorts(spec: Fields, key: string, { allocations }: Cluster): Cause[] {
  const ports = listAt({ spec }, 'spec.ports')
  const allocates = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts)
  const taken = new Set(ports.map(port => Number(port.nodePort ?? 0)))
  const causes: Cause[] = []
  for (const [index, port] of ports.entries()) {
    if (!publishes(spec)) {
      delete port.nodePort
      continue
    }
    if (!port.nodePort && allocates) port.nodePort = allocations.freeNodePort(taken)
    if (!port.nodePort) continue
    taken.add(Number(port.nodePort))
    const why = allocations.refusesNodePort(Number(port.nodePort), String(port.protocol), key)
    if (why !== undefined) causes.push(invalidValue(`spec.ports[${index}].nodePort`, port.nodePort, why))
  }
  if (local(spec)) spec.healthCheckNodePort ||= allocations.freeNodePort(taken)
  return causes
}

/** ipMode is VIP where an address has none; a Service of another type has no load balancer status. */
function defaultIngress(service: KubeJson, spec: Fields): void {
  const status = { ...fieldsAt(service, 'status') }
  const loadBalancer = { ...fieldsAt(status, 'loadBalancer') }
  if (spec.type !== 'LoadBalancer') delete loadBalancer.ingress
  if (Array.isArray(loadBalancer.ingress))
    loadBalancer.ingress = loadBalancer.ingress
      .filter(isFields)
      .map(item => (item.ip && !item.ipMode ? { ...item, ipMode: 'VIP' } : item))
  service.status = { ...status, loadBalancer }
}
