/** The form of what speakers answer: one of another version, or another program, is told of and not trusted. */
import type { SpeakerVerdict } from '../../control/announce/index.ts'
import type { BfdState, NeighborState } from '../../control/bgp/index.ts'
import type { ServiceView } from '../../control/explain/index.ts'
import type { Reason } from '../../core/reason.ts'
import type { SpeakerSessions } from '../speaker/state.ts'
import { type Check, count, fields, flag, list, map, optional, text, wordOr } from './shape.ts'

const texts = list(text)
const reasons = list(
  fields<Reason>({
    code: text,
    message: text,
    object: optional(fields<NonNullable<Reason['object']>>({ kind: text, name: text, namespace: optional(text) })),
    field: optional(text),
  }),
)
const decision = { node: text, announces: flag, reasons }

const serviceView: Check = fields<ServiceView>({
  node: text,
  speaker: fields<ServiceView['speaker']>({
    options: fields<ServiceView['speaker']['options']>({ ignoreExcludeLb: flag, lbClass: text }),
    waiting: optional(text),
    members: optional(texts),
    held: texts,
    minority: optional(fields<NonNullable<ServiceView['speaker']['minority']>>({ seen: count, expected: count })),
    interfaces: map(texts),
  }),
  configuration: fields<ServiceView['configuration']>({
    since: optional(text),
    refused: optional(text),
    differs: texts,
  }),
  verdict: optional(
    fields<SpeakerVerdict>({
      layer2: fields<SpeakerVerdict['layer2']>({ ...decision, interfaces: wordOr('all', texts), score: count }),
      bgp: fields<SpeakerVerdict['bgp']>({ ...decision, warnings: reasons, prefixes: texts, peers: texts }),
      announced: fields<SpeakerVerdict['announced']>({ bgp: texts, layer2: texts }),
    }),
  ),
  sessions: list(
    fields<ServiceView['sessions'][number]>({ peer: text, state: text, why: optional(text), notSent: texts }),
  ),
})

const bfd = fields<BfdState>({
  state: text,
  profile: fields<{ name: string }>({ name: text }),
})

const neighbor = fields<NeighborState>({
  name: text,
  address: text,
  port: count,
  vrf: optional(text),
  localAsn: count,
  remoteAs: numberOrWord,
  state: text,
  families: optional(texts),
  addPath: optional(texts),
  establishedCount: count,
  lastClose: optional(fields<NonNullable<NeighborState['lastClose']>>({ reason: text, agoMs: count })),
  sent: map(count),
  received: map(count),
  prefixesWanted: count,
  prefixesTold: count,
  prefixesReceived: count,
  bfd: optional(bfd),
  config: fields<NeighborState['config']>({
    myAsn: count,
    remoteAs: numberOrWord,
    families: texts,
    passive: flag,
    ebgpMultiHop: flag,
    gracefulRestart: flag,
  }),
  routes: list(fields<NeighborState['routes'][number]>({ prefix: text, communities: texts, notSent: optional(text) })),
})

function numberOrWord(value: unknown, path: string): void {
  if (typeof value !== 'string') count(value, path)
}

const speakerSessions: Check = fields<SpeakerSessions>({
  node: text,
  bgp: fields<SpeakerSessions['bgp']>({ neighbors: list(neighbor) }),
})

/** The answer to `?service=NAMESPACE/NAME`. @throws Misshapen */
export function readServiceView(value: unknown): ServiceView {
  serviceView(value, '')
  return value as ServiceView
}

/** The answer without a query, as far as it is about sessions. @throws Misshapen */
export function readSessions(value: unknown): SpeakerSessions {
  speakerSessions(value, '')
  return value as SpeakerSessions
}
