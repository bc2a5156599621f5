/**
 * Reads the Kubernetes protobuf that kubectl's typed commands send (`kubectl create namespace`, `auth can-i`): the
 * envelope runtime.Unknown and the kinds below, by the field numbers of the published generated.proto files.
 */
import { unsupportedMediaType } from './errors.ts'
import type { Fields } from './object.ts'

/** How a field's bytes become JSON: a scalar, a map of scalars, or a message of its own. */
type Reading = 'string' | 'int' | 'bool' | 'bytes' | 'intOrString' | 'stringMap' | 'bytesMap' | Message
type Message = Readonly<Record<number, readonly [name: string, reading: Reading, repeated?: 'list']>>

const OWNER: Message = {
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
}

const METADATA: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  11: ['labels', 'stringMap'],
  12: ['annotations', 'stringMap'],
  13: ['ownerReferences', OWNER, 'list'],
  14: ['finalizers', 'string', 'list'],
}

const PORT: Message = {
  1: ['name', 'string'],
  2: ['protocol', 'string'],
  3: ['port', 'int'],
  4: ['targetPort', 'intOrString'],
  5: ['nodePort', 'int'],
  6: ['appProtocol', 'string'],
}

const SERVICE_SPEC: Message = {
  1: ['ports', PORT, 'list'],
  2: ['selector', 'stringMap'],
  3: ['clusterIP', 'string'],
  4: ['type', 'string'],
  5: ['externalIPs', 'string', 'list'],
  7: ['sessionAffinity', 'string'],
  8: ['loadBalancerIP', 'string'],
  9: ['loadBalancerSourceRanges', 'string', 'list'],
  10: ['externalName', 'string'],
  11: ['externalTrafficPolicy', 'string'],
  12: ['healthCheckNodePort', 'int'],
  13: ['publishNotReadyAddresses', 'bool'],
  17: ['ipFamilyPolicy', 'string'],
  18: ['clusterIPs', 'string', 'list'],
  19: ['ipFamilies', 'string', 'list'],
  20: ['allocateLoadBalancerNodePorts', 'bool'],
  21: ['loadBalancerClass', 'string'],
  22: ['internalTrafficPolicy', 'string'],
}

const RULE: Message = {
  1: ['verbs', 'string', 'list'],
  2: ['apiGroups', 'string', 'list'],
  3: ['resources', 'string', 'list'],
  4: ['resourceNames', 'string', 'list'],
  5: ['nonResourceURLs', 'string', 'list'],
}

const SUBJECT: Message = {
  1: ['kind', 'string'],
  2: ['apiGroup', 'string'],
  3: ['name', 'string'],
  4: ['namespace', 'string'],
}

const ACCESS: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
}

const ACCESS_SPEC: Message = {
  1: ['resourceAttributes', ACCESS],
  2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }],
}

const ROLE: Message = { 1: ['metadata', METADATA], 2: ['rules', RULE, 'list'] }
const ROLE_REF: Message = { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] }
const BINDING: Message = { 1: ['metadata', METADATA], 2: ['subjects', SUBJECT, 'list'], 3: ['roleRef', ROLE_REF] }
const DATA = ['data', 'stringMap'] as const

const KINDS: Readonly<Record<string, Message>> = {
  Namespace: { 1: ['metadata', METADATA] },
  ServiceAccount: { 1: ['metadata', METADATA] },
  ConfigMap: { 1: ['metadata', METADATA], 2: DATA, 3: ['binaryData', 'bytesMap'], 4: ['immutable', 'bool'] },
  Secret: { 1: ['metadata', METADATA], 2: ['data', 'bytesMap'], 3: ['type', 'string'], 5: ['immutable', 'bool'] },
  Service: { 1: ['metadata', METADATA], 2: ['spec', SERVICE_SPEC] },
  Role: ROLE,
  ClusterRole: ROLE,
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
  SelfSubjectAccessReview: { 2: ['spec', ACCESS_SPEC] },
  LocalSubjectAccessReview: { 2: ['spec', ACCESS_SPEC] },
  SelfSubjectRulesReview: { 2: ['spec', { 1: ['namespace', 'string'] }] },
  SelfSubjectReview: {},
}

const MAGIC = Buffer.from('k8s\0')
const ENVELOPE: Message = { 1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }], 2: ['raw', 'bytes'] }

/** The object as JSON would say it; throws 415 for kinds that are not in the table, RangeError for short input. */
export function decodeProtobuf(body: Buffer): Fields {
  if (!body.subarray(0, 4).equals(MAGIC)) throw unsupportedMediaType('the body does not begin as Kubernetes protobuf')
  const { type, raw } = readMessage(body.subarray(4), ENVELOPE) as { type?: Fields; raw?: string }
  const message = KINDS[String(type?.kind)]
  if (message === undefined || type === undefined)
    throw unsupportedMediaType(`this server reads ${type?.kind ?? 'this'} only as JSON or YAML, not as protobuf`)
  return { ...type, ...readMessage(Buffer.from(raw ?? '', 'base64'), message) }
}

/** Unknown fields are passed over; empty values are left out, as `omitempty` does. */
function readMessage(bytes: Buffer, message: Message): Fields {
  const fields: Fields = {}
  for (const { number, value } of wireFields(bytes)) {
    const [name, reading, repeated] = message[number] ?? []
    if (name === undefined || reading === undefined) continue
    if (reading === 'stringMap' || reading === 'bytesMap') addMapEntry(fields, name, value as Buffer, reading)
    else if (repeated === 'list') fields[name] = [...((fields[name] as unknown[]) ?? []), readValue(value, reading)]
    else if (!isEmpty(value, reading)) fields[name] = readValue(value, reading)
  }
  return fields
}

function isEmpty(value: Buffer | number, reading: Reading): boolean {
  return typeof value === 'number' ? value === 0 && reading === 'int' : value.length === 0
}

function readValue(value: Buffer | number, reading: Reading): unknown {
  if (typeof value === 'number') return reading === 'bool' ? value !== 0 : value
  if (reading === 'string') return value.toString()
  if (reading === 'bytes') return value.toString('base64')
  if (reading === 'intOrString') {
    const { type, number, text } = readMessage(value, {
      1: ['type', 'int'],
      2: ['number', 'int'],
      3: ['text', 'string'],
    })
    return type === 1 ? text : number
  }
  return readMessage(value, reading as Message)
}

function addMapEntry(fields: Fields, name: string, bytes: Buffer, reading: 'stringMap' | 'bytesMap'): void {
  const entry = readMessage(bytes, { 1: ['key', 'string'], 2: ['value', reading === 'stringMap' ? 'string' : 'bytes'] })
  fields[name] = { ...(fields[name] as Fields), [String(entry.key)]: entry.value ?? '' }
}

function* wireFields(bytes: Buffer): Generator<{ number: number; value: Buffer | number }> {
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at++)
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const wire = tag & 7
    if (wire !== 0 && wire !== 2) throw new RangeError(`protobuf wire type ${wire} is not used by Kubernetes objects`)
    const length = varint()
    if (wire === 0) yield { number: tag >>> 3, value: length }
    else {
      if (at + length > bytes.length) throw new RangeError('protobuf message ends early')
      yield { number: tag >>> 3, value: bytes.subarray(at, at + length) }
      at += length
    }
  }
}
