/** BGPSessionState objects of this node's sessions, as frr-k8s writes them (chapter 04 section 4.3). */
import { type BGPSessionStateResource, bgpSessionStates } from '../../api/index.ts'
import type { Peer } from '../../core/config/index.ts'
import { parseAddress } from '../../core/ip/index.ts'
import { labelValue } from '../../core/labels.ts'
import type { OwnerReference } from '../../core/object.ts'
import { type Clock, type KubeApi, KubeError, type Logger, type Task, type Timer } from '../../ports/index.ts'
import type { PeerSession } from './peer-session.ts'
import { peerText } from './settings.ts'
import { stateWord } from './state.ts'

/** What is looked at of a session. */
export interface SeenSession {
  readonly peer: Pick<Peer, 'endpoint' | 'vrf'>
  readonly status: Pick<PeerSession['status'], 'state'>
  readonly bfd: Pick<NonNullable<PeerSession['bfd']>, 'state'> | undefined
}

export interface SessionStatesOptions {
  readonly node: string
  /** MetalLB's own namespace: the objects live there. */
  readonly namespace: string
  /** The speaker's pod: its end takes the objects along. */
  readonly owner: OwnerReference
  /** Resolves when the peers are known for the first time: before that every object would look superfluous. */
  readonly settled: Promise<void>
  readonly sessions: () => Iterable<SeenSession>
  readonly kube: KubeApi
  readonly clock: Clock
  readonly log: Logger
}

type Status = Required<NonNullable<BGPSessionStateResource['status']>>

const NODE_LABEL = 'frrk8s.metallb.io/node'
const PEER_LABEL = 'frrk8s.metallb.io/peer'
const VRF_LABEL = 'frrk8s.metallb.io/vrf'
/** Tells ours from those of frr-k8s. */
const WRITER_LABEL = 'app.kubernetes.io/managed-by'
const WRITER = 'metallb-speaker'

const LOOK_MS = 1000
/** A session that flaps is written no more often. */
const PACE_MS = 5000
/** What somebody else changed or deleted is put right by then. */
const RELIST_MS = 60_000
/** Where the kind is not installed, or may not be written. */
const ABSENT_MS = 300_000

/** Keeps one object for every session. It looks at the sessions instead of hearing of them: so it is never in their way. */
export class SessionStateWriter implements Task {
  readonly name = 'BGP session states'
  readonly #options: SessionStatesOptions
  readonly #label: string
  /** As of the last list and our writes since, by VRF and peer; undefined: not known. */
  #existing: Map<string, BGPSessionStateResource> | undefined
  readonly #writtenAt = new Map<string, number>()
  #listedAt = 0
  #told = ''
  #timer: Timer | undefined
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(options: SessionStatesOptions) {
    this.#options = options
    this.#label = labelValue(options.node)
  }

  start(): void {
    void this.#options.settled.then(() => {
      if (this.#state === 'stopped') return
      this.#state = 'running'
      void this.#look()
    })
  }

  stop(): void {
    this.#state = 'stopped'
    this.#timer?.cancel()
  }

  ready(): true {
    return true
  }

  async #look(): Promise<void> {
    const pause = await this.#pass()
    if (this.#state !== 'running') return
    this.#timer = this.#options.clock.after(pause, () => void this.#look())
  }

  /** Answers when to look again. */
  async #pass(): Promise<number> {
    const desired = desiredStatuses(this.#options.sessions(), this.#options.node)
    try {
      const existing = await this.#known(desired.size > 0)
      if (existing === undefined) return ABSENT_MS
      for (const [key, object] of [...existing]) if (!desired.has(key)) await this.#delete(key, object)
      for (const [key, status] of desired) await this.#write(key, status, existing.get(key))
      return LOOK_MS
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      this.#existing = undefined
      return this.#failed(error)
    }
  }

  #failed(error: KubeError): number {
    const absent = error.code === 'NOT_FOUND' || error.code === 'FORBIDDEN'
    if (absent) this.#tell(`BGPSessionStates are not written: ${error.message}`)
    else this.#options.log.error({ op: 'sessionStates', error, msg: 'failed to write the BGPSessionStates' })
    return absent ? ABSENT_MS : PACE_MS
  }

  /** What is there of this node; undefined where frr-k8s reports sessions of the node in this namespace. */
  async #known(inUse: boolean): Promise<Map<string, BGPSessionStateResource> | undefined> {
    const { kube, namespace, clock } = this.#options
    const aged = inUse && clock.monotonic() - this.#listedAt >= RELIST_MS
    if (this.#existing !== undefined && !aged) return this.#existing
    const labelSelector = `${NODE_LABEL}=${this.#label}`
    const listed = await kube.list(bgpSessionStates, { namespace, labelSelector })
    this.#listedAt = clock.monotonic()
    this.#existing = undefined
    const ours = listed.filter(({ metadata }) => metadata.labels?.[WRITER_LABEL] === WRITER)
    if (ours.length < listed.length) {
      for (const object of ours) await this.#delete('', object)
      this.#tell('BGPSessionStates are not written: frr-k8s writes those of this node')
      return undefined
    }
    this.#told = ''
    this.#existing = new Map()
    for (const object of ours) {
      const key = keyOf(object)
      if (this.#existing.has(key)) await this.#delete('', object)
      else this.#existing.set(key, object)
    }
    return this.#existing
  }

  async #write(key: string, status: Status, current: BGPSessionStateResource | undefined): Promise<void> {
    const { kube, namespace, owner, clock } = this.#options
    if (current !== undefined && isAsDesired(current, status, owner)) return
    const writtenAt = this.#writtenAt.get(key)
    if (writtenAt !== undefined && clock.monotonic() - writtenAt < PACE_MS) return
    this.#writtenAt.set(key, clock.monotonic())
    const metadata = { labels: this.#labels(status), ownerReferences: [owner] }
    const name = current?.metadata.name ?? (await this.#create(metadata))
    const ref = { name, namespace }
    if (current !== undefined && !isOwned(current, owner))
      await kube.patch(bgpSessionStates, ref, { type: 'merge', body: { metadata } })
    const written = await kube.patch(bgpSessionStates, ref, { type: 'merge', body: { status } }, 'status')
    this.#existing?.set(key, written)
  }

  async #create(metadata: { labels: Record<string, string>; ownerReferences: OwnerReference[] }): Promise<string> {
    const { kube, namespace, node } = this.#options
    const object = { metadata: { ...metadata, name: '', generateName: `${node}-`, namespace }, spec: {} }
    return (await kube.create(bgpSessionStates, object)).metadata.name
  }

  #labels({ peer, vrf }: Status): Record<string, string> {
    return { [NODE_LABEL]: this.#label, [PEER_LABEL]: peer, [VRF_LABEL]: vrf, [WRITER_LABEL]: WRITER }
  }

  async #delete(key: string, { metadata: { name, namespace } }: BGPSessionStateResource): Promise<void> {
    try {
      await this.#options.kube.delete(bgpSessionStates, { name, namespace })
    } catch (error) {
      if (!(error instanceof KubeError && error.code === 'NOT_FOUND')) throw error
    }
    this.#existing?.delete(key)
    this.#writtenAt.delete(key)
  }

  /** Once, until it is otherwise. */
  #tell(msg: string): void {
    if (msg !== this.#told) this.#options.log.info({ op: 'sessionStates', msg })
    this.#told = msg
  }
}

/** By VRF and peer. Of two sessions with one router the one that is not established is shown. */
function desiredStatuses(sessions: Iterable<SeenSession>, node: string): Map<string, Status> {
  const desired = new Map<string, Status>()
  for (const session of sessions) {
    const status = statusOf(session, node)
    const key = `${status.vrf} ${status.peer}`
    if ((desired.get(key)?.bgpStatus ?? 'Established') === 'Established') desired.set(key, status)
  }
  return desired
}

function statusOf({ peer: { endpoint, vrf = '' }, status, bfd }: SeenSession, node: string): Status {
  const bfdStatus = bfd === undefined ? 'N/A' : bfd.state === 'up' ? 'Up' : 'Down'
  return { node, peer: labelOf(peerText(endpoint)), vrf, bgpStatus: stateWord(status.state), bfdStatus }
}

/** The address as a label value, which has no colons: IPv6 written out, with dashes. */
function labelOf(text: string): string {
  const address = parseAddress(text)
  if (address?.family !== 'ipv6') return text
  return address.value.toString(16).padStart(32, '0').match(/.{4}/g)!.join('-')
}

function keyOf({ metadata: { labels = {} } }: BGPSessionStateResource): string {
  return `${labels[VRF_LABEL] ?? ''} ${labels[PEER_LABEL] ?? ''}`
}

function isAsDesired(current: BGPSessionStateResource, desired: Status, owner: OwnerReference): boolean {
  const { status = {} } = current
  const fields = Object.keys(desired) as (keyof Status)[]
  return isOwned(current, owner) && fields.every(field => (status[field] ?? '') === desired[field])
}

function isOwned({ metadata: { ownerReferences = [] } }: BGPSessionStateResource, { uid }: OwnerReference): boolean {
  return ownerReferences.length === 1 && ownerReferences[0]!.uid === uid
}
