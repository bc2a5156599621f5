/** What a speaker of ours says about itself in memberlist's meta; reference speakers say nothing and keep it untouched. */
export interface SpeakerMeta {
  /** It keeps the fast timing, and wants to be judged by it. */
  readonly fast: boolean
  /** It sends heartbeats besides: their absence means something. */
  readonly heartbeats: boolean
  /** It cannot announce yet: it is no candidate. */
  readonly joining: boolean
}

const PREFIX = 'metallb.io/speaker;'

const WORDS = ['fast', 'heartbeats', 'joining'] as const

export function writeMeta(meta: SpeakerMeta): Uint8Array {
  const text = `${PREFIX}${WORDS.filter(word => meta[word]).join(',')}`
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

/** What was read is kept with the bytes: every packet asks for every member's. */
const known = new WeakMap<Uint8Array, SpeakerMeta>()

/** Words not known are for later versions. A meta of others means a full member with the usual timing. */
export function readMeta(meta: Uint8Array): SpeakerMeta {
  const before = known.get(meta)
  if (before !== undefined) return before
  const text = String.fromCharCode(...meta.subarray(0, 512))
  const words = text.startsWith(PREFIX) ? text.slice(PREFIX.length).split(',') : []
  const [fast, heartbeats, joining] = WORDS.map(word => words.includes(word))
  const read = { fast: fast!, heartbeats: heartbeats!, joining: joining! }
  known.set(meta, read)
  return read
}
