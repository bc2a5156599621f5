/** What a speaker of ours says about itself in memberlist's meta; reference speakers say nothing and keep it untouched. */
export interface SpeakerMeta {
  /** It keeps the fast timing, and wants to be judged by it. */
  readonly fast: boolean
  /** It sends heartbeats besides: their absence means something. */
  readonly heartbeats: boolean
  /** It cannot announce yet: it is no candidate. */
  readonly joining: boolean
  /** It leaves addresses to others for now (IMP-4). */
  readonly held: boolean
  /** It has been well for long enough to be left with what it has. */
  readonly settled: boolean
  /** Its usable interfaces; undefined where it publishes none (IMP-25). */
  readonly interfaces: readonly string[] | undefined
}

const PREFIX = 'metallb.io/speaker;'
const WORDS = ['fast', 'heartbeats', 'joining', 'held', 'settled'] as const
const MAX_META = 512
const ROOM = MAX_META - `${PREFIX}${WORDS.join(',')};`.length
/** What Linux takes as the name of an interface, as far as it is printable ASCII; a slash it never takes. */
const INTERFACE = /^[!-.0-~]{1,15}$/

/** `metallb.io/speaker;fast,heartbeats;eth0/eth1`: without the second semicolon no interfaces are published. */
export function writeMeta(meta: SpeakerMeta): Uint8Array {
  const words = WORDS.filter(word => meta[word]).join(',')
  const text = `${PREFIX}${words}${meta.interfaces === undefined ? '' : `;${meta.interfaces.join('/')}`}`
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

/** In order, each once; undefined where they have no room or cannot be said: the node then publishes none. */
export function publishable(interfaces: readonly string[] | undefined): readonly string[] | undefined {
  if (interfaces === undefined || !interfaces.every(name => INTERFACE.test(name))) return undefined
  const names = [...new Set(interfaces)].sort()
  return names.join('/').length <= ROOM ? names : undefined
}

/** What was read is kept with the bytes: every packet asks for every member's. */
const known = new WeakMap<Uint8Array, SpeakerMeta>()

/** Words not known are for later versions. A meta of others means a full member with the usual timing. */
export function readMeta(meta: Uint8Array): SpeakerMeta {
  const before = known.get(meta)
  if (before !== undefined) return before
  const text = String.fromCharCode(...meta.subarray(0, MAX_META))
  const [said = '', names] = text.startsWith(PREFIX) ? halves(text.slice(PREFIX.length)) : []
  const words = new Set(said.split(','))
  const [fast = false, heartbeats = false, joining = false, held = false, settled = false] = WORDS.map(word =>
    words.has(word),
  )
  const read = { fast, heartbeats, joining, held, settled, interfaces: interfacesIn(names) }
  known.set(meta, read)
  return read
}

/** A semicolon may be part of an interface's name. */
function halves(text: string): [string, string?] {
  const at = text.indexOf(';')
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function interfacesIn(names: string | undefined): readonly string[] | undefined {
  if (names === undefined) return undefined
  return publishable(names === '' ? [] : names.split('/'))
}
