/** The TCP MD5 password of a peer, from the object or from a Secret: chapter 01 section 2.7. */
import type { Peer } from '../../core/config/index.ts'
import type { BGPPeerResource } from '../bgp-peer.ts'
import type { SecretResource } from '../kubernetes/index.ts'
import { decodeBase64Text } from './base64.ts'
import { type ObjectReport, type Reading, type Report, readObjects } from './objects.ts'

const TEXTS = { type: 'object', additionalProperties: { type: 'string' } } as const

/** What the API server would have moved from `stringData` into `data` a file may still have there. */
export interface WrittenSecret extends SecretResource {
  stringData?: Record<string, string>
}

const READING: Reading = {
  kind: 'Secret',
  noun: 'secret',
  fields: { type: { type: 'string' }, data: TEXTS, stringData: TEXTS },
}

export type Secrets = ReadonlyMap<string, WrittenSecret>

export function readSecrets(objects: readonly SecretResource[], report: Report): Secrets {
  return new Map(readObjects(READING, objects, report).map(secret => [secret.metadata.name, secret]))
}

const WANTED_TYPE = 'kubernetes.io/basic-auth'

/** Without `secrets` a reference stays unresolved: somebody else reads it. The namespace in it is ignored. */
export function passwordOf(
  { metadata: { name, namespace = '' }, spec }: BGPPeerResource,
  secrets: Secrets | undefined,
  on: ObjectReport,
): Pick<Peer, 'password' | 'passwordSecret'> {
  const { password, passwordSecret = {} } = spec ?? {}
  if (!passwordSecret.name) return password ? { password } : {}
  const reference = {
    name: passwordSecret.name,
    ...(passwordSecret.namespace ? { namespace: passwordSecret.namespace } : {}),
  }
  const error = (message: string, transient = false) => {
    on.error({
      path: 'spec.passwordSecret',
      message: `parsing peer ${name} ${message}`,
      ...(transient ? { transient } : {}),
    })
    return { passwordSecret: reference }
  }
  if (password) return error(`can not have both password and secret ref set in peer config "${namespace}"/"${name}"`)
  if (secrets === undefined) return { passwordSecret: reference }
  const context = `failed to parse peer ${name} password secret: `
  const secret = secrets.get(reference.name)
  if (secret === undefined)
    return error(`${context}secret ref not found for peer config "${namespace}"/"${name}"`, true)
  const shown = `"${secret.metadata.namespace ?? namespace}"/"${reference.name}"`
  if (secret.type !== WANTED_TYPE)
    return error(`${context}secret type mismatch on ${shown}, type "${WANTED_TYPE}" is expected`)
  const value = entryOf(secret, 'password')
  if (value === undefined) return error(`${context}password not specified in the secret ${shown}`)
  if (value === 'unreadable') return error(`${context}password in the secret ${shown} is not text`)
  return { passwordSecret: reference, password: value.text }
}

export function entryOf(
  { data = {}, stringData = {} }: WrittenSecret,
  key: string,
): { text: string } | 'unreadable' | undefined {
  if (Object.hasOwn(stringData, key)) return { text: stringData[key]! }
  if (!Object.hasOwn(data, key)) return undefined
  const text = decodeBase64Text(data[key]!)
  return text === undefined ? 'unreadable' : { text }
}
