/** The TCP-AO keys of a peer, from a Secret that an annotation of ours names: chapter 04 section 6.12. */
import {
  keyProblem,
  type Peer,
  TCP_AO_ALGORITHMS,
  type TcpAoAlgorithm,
  type TcpAoKey,
} from '../../core/config/index.ts'
import type { BGPPeerResource } from '../bgp-peer.ts'
import type { ObjectReport } from './objects.ts'
import { entryOf, type Secrets, type WrittenSecret } from './password.ts'

const TCP_AO_SECRET = 'metallb.io/tcp-ao-secret'

const PATH = `metadata.annotations[${TCP_AO_SECRET}]`
const TYPE = 'metallb.io/tcp-ao'
const DEFAULT_ALGORITHM: TcpAoAlgorithm = 'hmac-sha-1-96'
/** `key-2`, or `key-2-102` where the router calls it otherwise. */
const KEY = /^key-([0-9]{1,3})(?:-([0-9]{1,3}))?$/

/** Without `secrets` the keys stay unknown: somebody else reads them. */
export function aoKeysOf(
  { metadata: { annotations = {} }, spec }: BGPPeerResource,
  secrets: Secrets | undefined,
  on: ObjectReport,
): Pick<Peer, 'aoKeys'> {
  const name = annotations[TCP_AO_SECRET]
  if (name === undefined) return {}
  const error = (message: string, transient = false) => {
    on.error({ path: PATH, message, ...(transient && { transient }) })
    return {}
  }
  if (spec?.password || spec?.passwordSecret?.name) return error('TCP-AO and a password exclude each other')
  if (secrets === undefined) return {}
  const secret = secrets.get(name)
  if (secret === undefined) return error(`secret "${name}" not found`, true)
  if (secret.type !== TYPE) return error(`secret "${name}" must be of type "${TYPE}"`)
  const keys = keysOf(secret)
  return typeof keys === 'string' ? error(`secret "${name}": ${keys}`) : { aoKeys: keys }
}

/** The one that signs comes first, then by number. Or what is wrong, which never repeats a secret. */
function keysOf(secret: WrittenSecret): TcpAoKey[] | string {
  const names = Object.keys({ ...secret.data, ...secret.stringData }).filter(name => name.startsWith('key-'))
  const algorithm = textOf(secret, 'algorithm') ?? DEFAULT_ALGORITHM
  if (!isAlgorithm(algorithm)) return `algorithm must be one of ${TCP_AO_ALGORITHMS.join(', ')}`
  const keys = new Map<string, TcpAoKey>()
  for (const name of names) {
    const key = keyOf(name, textOf(secret, name), algorithm)
    if (typeof key === 'string') return key
    keys.set(name, key)
  }
  if (keys.size === 0) return 'it has no entry key-NUMBER'
  return twice([...keys.values()]) ?? signingFirst(keys, textOf(secret, 'current'))
}

function keyOf(name: string, secret: string | undefined, algorithm: TcpAoAlgorithm): TcpAoKey | string {
  const [, send, receive = send] = KEY.exec(name) ?? []
  const [sendId, receiveId] = [Number(send), Number(receive)]
  if (send === undefined || sendId > 255 || receiveId > 255) return `entry ${name} must be key-NUMBER, of 0 to 255`
  const problem = secret === undefined ? 'is not text' : keyProblem(secret)
  return problem === undefined ? { sendId, receiveId, algorithm, secret: secret! } : `entry ${name} ${problem}`
}

/** RFC 5925 section 3.1: a number means one key. */
function twice(keys: readonly TcpAoKey[]): string | undefined {
  for (const which of ['sendId', 'receiveId'] as const) {
    const numbers = keys.map(key => key[which])
    const repeated = numbers.find((number, index) => numbers.indexOf(number) !== index)
    if (repeated !== undefined) return `two keys have the number ${repeated}`
  }
  return undefined
}

function signingFirst(keys: ReadonlyMap<string, TcpAoKey>, current: string | undefined): TcpAoKey[] | string {
  const sorted = [...keys.values()].sort((a, b) => a.sendId - b.sendId)
  const signing = current === undefined ? sorted[0]! : keys.get(current)
  if (signing === undefined) return `current must name one of ${[...keys.keys()].sort().join(', ')}`
  return [signing, ...sorted.filter(key => key !== signing)]
}

function textOf(secret: WrittenSecret, key: string): string | undefined {
  const entry = entryOf(secret, key)
  return typeof entry === 'object' ? entry.text : undefined
}

function isAlgorithm(text: string): text is TcpAoAlgorithm {
  return (TCP_AO_ALGORITHMS as readonly string[]).includes(text)
}
