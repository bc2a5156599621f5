import type { Family, Prefix } from '../../../core/ip/index.ts'
import { unicastFamily } from '../family.ts'
import { EXTENDED_MAX_LENGTH, MAX_LENGTH, REFRESH_REQUEST, type RouteRefresh, type Update } from '../message/index.ts'
import type { Agreed } from '../negotiation.ts'
import type { Nlri } from '../nlri.ts'
import { PLAIN_WIRE } from '../wire.ts'
import { Marks } from './marks.ts'
import { chooseNextHop, type LocalAddresses, type NextHopChoice } from './next-hop.ts'
import { announcement, split, withdrawal } from './packing.ts'
import { copyOf, isFirst, keyOf, PathTable, pathsOf } from './paths.ts'
import { attributesKey, pathAttributes, type Route, type RouteAttributes, type Sender } from './route.ts'

/** The local side, as far as routes depend on it. */
export interface OutboundSettings {
  readonly localAsn: number
  /** LOCAL_PREF of routes that have none, for internal peers. */
  readonly defaultLocalPref: number
}

interface Wanted {
  readonly prefix: Nlri
  readonly attributes: RouteAttributes
  /** Key of the attributes as the peer of this session sees them. */
  readonly group: string
}

interface Told {
  readonly prefix: Nlri
  /** Key of the attributes, or NOTHING_VALID after the peer has asked to be told again. */
  group: string
}

/** Paths that fit into one message, with what decides whether it is still true when its turn comes. */
interface Batch {
  readonly keys: readonly string[]
  /** Undefined: withdrawn. */
  readonly group: string | undefined
  readonly message: (prefixes: readonly Nlri[]) => Update
}

interface Open {
  readonly agreed: Agreed
  readonly sender: Sender
  readonly hops: ReadonlyMap<Family, NextHopChoice>
}

const NOTHING_VALID = ''

/**
 * What a peer should know, what it has been told, and the messages from one to the other. Messages are made one by one
 * when they can be sent, so that a slow peer costs no memory and always gets the newest.
 */
export class Outbound {
  readonly #settings: OutboundSettings
  readonly #wanted = new PathTable<Wanted>()
  readonly #told = new PathTable<Told>()
  /** Keys that may differ between the two. */
  #dirty = new Set<string>()
  #batches: Batch[] = []
  #open: Open | undefined
  readonly #marks = new Marks()
  readonly #tooLarge = new Set<string>()

  constructor(settings: OutboundSettings) {
    this.#settings = settings
  }

  /** Prefixes that the peer should know. */
  get wanted(): number {
    return this.#wanted.prefixes
  }

  /** Prefixes that the peer has been told. */
  get told(): number {
    return this.#told.prefixes
  }

  /** What the peer should know. */
  *routes(): Iterable<Route> {
    for (const wanted of this.#wanted.values()) if (isFirst(wanted.prefix)) yield wanted
  }

  /** The prefixes that the peer has been told. */
  *advertised(): Iterable<Route> {
    for (const [key, { group }] of this.#told) {
      const wanted = this.#wanted.get(key)
      if (wanted?.group === group && isFirst(wanted.prefix)) yield wanted
    }
  }

  /** Adds routes, or changes those of their prefixes. Host bits must be zero. */
  announce(routes: Iterable<Route>): void {
    const wire = this.#open?.agreed.wire ?? PLAIN_WIRE
    for (const { prefix, attributes } of routes) {
      const group = this.#groupOf(attributes)
      const paths = pathsOf(prefix, attributes, wire)
      for (const path of paths) this.#want({ prefix: path, attributes, group })
      if (this.#wanted.copies > 0) this.#forget(prefix, paths.length + 1)
    }
  }

  withdraw(prefixes: Iterable<Prefix>): void {
    for (const prefix of prefixes) this.#forget(prefix, 1)
  }

  #want(wanted: Wanted): void {
    const key = keyOf(wanted.prefix)
    const before = this.#wanted.get(key)
    this.#wanted.set(key, wanted)
    if (before?.group !== wanted.group) this.#changed(key)
  }

  /** The paths from this identifier on; there are no gaps. */
  #forget(prefix: Prefix, from: number): void {
    for (let pathId = from; ; pathId++) {
      const key = keyOf(copyOf(prefix, pathId))
      if (!this.#wanted.delete(key)) return
      this.#changed(key)
    }
  }

  /** The whole of what the peer should know, in place of what was said before. */
  replace(routes: readonly Route[]): void {
    const kept = new Set(routes.map(({ prefix }) => keyOf(prefix)))
    this.withdraw([...this.routes()].filter(({ prefix }) => !kept.has(keyOf(prefix))).map(one => one.prefix))
    this.announce(routes)
  }

  /**
   * All routes known before a restart are here: only now may the peer be told that they were all, because it then
   * forgets those it kept for us (RFC 4724 section 4.1).
   */
  complete(): void {
    this.#marks.complete()
  }

  /** A session is up, and nothing has been told in it. */
  open(agreed: Agreed, local: LocalAddresses): void {
    this.close()
    const { families, extendedNextHop, wire, onlyToCustomer } = agreed
    const hops = new Map(families.map(family => [family, chooseNextHop(family, local, extendedNextHop)]))
    const { localAsn: asn, defaultLocalPref } = this.#settings
    const sender = { asn, defaultLocalPref, wire, onlyToCustomer }
    this.#open = { agreed, sender, hops }
    this.#marks.open(families)
    const routes = [...this.routes()]
    this.#wanted.clear()
    this.announce(routes)
  }

  /** The session is gone, and with it what was told. */
  close(): void {
    this.#open = undefined
    this.#batches = []
    this.#marks.close()
    for (const set of [this.#told, this.#dirty, this.#tooLarge]) set.clear()
  }

  /** The peer asks for a family again. */
  refresh({ afi, safi, subtype }: RouteRefresh): void {
    const family = unicastFamily({ afi, safi })
    if (subtype !== REFRESH_REQUEST || family === undefined || !this.#open?.agreed.families.includes(family)) return
    for (const [key, told] of this.#told) {
      if (told.prefix.family !== family) continue
      told.group = NOTHING_VALID
      this.#dirty.add(key)
    }
    if (this.#open.agreed.wire.enhancedRefresh) this.#marks.refresh(family)
  }

  /** The next message, undefined where the peer knows everything. What it says counts as told. */
  next(): Update | RouteRefresh | undefined {
    if (this.#open === undefined) return undefined
    const opening = this.#marks.opening()
    if (opening !== undefined) return opening
    for (;;) {
      while (this.#batches.length === 0 && this.#dirty.size > 0) this.#plan(this.#open)
      const batch = this.#batches.shift()
      if (batch === undefined) return this.#marks.closing()
      const message = this.#perform(batch)
      if (message !== undefined) return message
    }
  }

  /** Why the prefix is not sent to the peer in this session; undefined where it is, or will be. */
  reasonNotSent(prefix: Prefix): string | undefined {
    if (this.#open === undefined) return 'the session is not established'
    const hop = this.#open.hops.get(prefix.family)
    if (hop === undefined) return `${prefix.family} unicast is not agreed on with the peer`
    if (hop.kind === 'none') return hop.why
    return this.#tooLarge.has(keyOf(prefix)) ? 'its attributes do not fit into a message' : undefined
  }

  /** What to tell, from what differs: withdrawals first, then a group of messages for each set of attributes. */
  #plan(open: Open): void {
    const withdrawn = new Map<Family, string[]>()
    const announced = new Map<string, string[]>()
    for (const key of this.#dirty) {
      const wanted = this.#sendable(key, open)
      const told = this.#told.get(key)
      if (wanted !== undefined) {
        if (wanted.group !== told?.group) add(announced, `${wanted.prefix.family} ${wanted.group}`, key)
      } else if (told !== undefined) add(withdrawn, told.prefix.family, key)
    }
    this.#dirty = new Set()
    for (const [family, keys] of withdrawn) this.#planWithdrawal(family, keys, open)
    for (const keys of announced.values()) this.#planAnnouncement(keys, open)
  }

  #planWithdrawal(family: Family, keys: readonly string[], open: Open): void {
    const hop = open.hops.get(family)!
    const prefixes = keys.map(key => this.#told.get(key)!.prefix)
    this.#cut(prefixes, undefined, open, part => withdrawal(family, part, hop))
  }

  #planAnnouncement(keys: readonly string[], open: Open): void {
    const all = keys.map(key => this.#wanted.get(key)!)
    const { prefix, attributes, group } = all[0]!
    const hop = open.hops.get(prefix.family)!
    if (hop.kind === 'none') return
    const path = pathAttributes(attributes, open.sender)
    const prefixes = all.map(one => one.prefix)
    const fit = this.#cut(prefixes, group, open, part => announcement(prefix.family, part, hop, path))
    if (!fit) this.#refuse(keys)
  }

  /** An older form that the peer still has must go, as the new one cannot come. */
  #refuse(keys: readonly string[]): void {
    for (const key of keys) {
      this.#tooLarge.add(key)
      if (this.#told.has(key)) this.#dirty.add(key)
    }
  }

  #cut(prefixes: Nlri[], group: string | undefined, { agreed }: Open, message: Batch['message']): boolean {
    const maxLength = agreed.extendedMessage ? EXTENDED_MAX_LENGTH : MAX_LENGTH
    const parts = split(prefixes, maxLength, agreed.wire, message)
    for (const part of parts ?? []) this.#batches.push({ keys: part.map(keyOf), group, message })
    return parts !== undefined
  }

  /** The part of the batch that is still true; the rest is dirty again and comes later. */
  #perform({ keys, group, message }: Batch): Update | undefined {
    const prefixes: Nlri[] = []
    for (const key of keys) {
      const wanted = this.#sendable(key, this.#open!)
      if (wanted?.group !== group) continue
      const prefix = wanted?.prefix ?? this.#told.get(key)!.prefix
      prefixes.push(prefix)
      if (group === undefined) this.#told.delete(key)
      else this.#told.set(key, { prefix, group })
    }
    return prefixes.length === 0 ? undefined : message(prefixes)
  }

  /** Not known before there is a session. */
  #groupOf(attributes: RouteAttributes): string {
    return this.#open === undefined ? '' : attributesKey(attributes, this.#open.sender)
  }

  /** Without a session nothing is told, and nothing needs to be remembered. */
  #changed(key: string): void {
    this.#tooLarge.delete(key)
    if (this.#open !== undefined) this.#dirty.add(key)
  }

  #sendable(key: string, { hops }: Open): Wanted | undefined {
    const wanted = this.#wanted.get(key)
    if (wanted === undefined || this.#tooLarge.has(key)) return undefined
    const hop = hops.get(wanted.prefix.family)
    return hop === undefined || hop.kind === 'none' ? undefined : wanted
  }
}

function add<K>(map: Map<K, string[]>, key: K, value: string): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
