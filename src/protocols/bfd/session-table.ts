/** Which session a packet belongs to: RFC 5880 section 6.3, RFC 5881 section 3, RFC 5883 section 3. */
import { type Address, sameAddress } from '../../core/ip/index.ts'
import type { LivenessTarget } from '../../ports/index.ts'
import { BfdError } from './errors.ts'
import { type ControlPacket, decodeControl } from './packet.ts'
import type { Session } from './session.ts'

export interface Entry {
  readonly target: LivenessTarget
  readonly session: Session
}

/** A datagram, and what the kernel says about it. */
export interface Arrival {
  readonly bytes: Uint8Array
  /** Read only where the packet does not name the session. */
  readonly source: () => Address
  readonly destination: () => Address
  /** Device that the socket is bound to. */
  readonly interface?: string
  /** By the port. */
  readonly multihop: boolean
  readonly ttl: number
}

export class SessionTable<E extends Entry> {
  readonly #byDiscriminator = new Map<number, E>()

  add(entry: E): void {
    this.#byDiscriminator.set(entry.session.discriminator, entry)
  }

  delete(entry: E): void {
    this.#byDiscriminator.delete(entry.session.discriminator)
  }

  has(discriminator: number): boolean {
    return this.#byDiscriminator.has(discriminator)
  }

  get(discriminator: number): E | undefined {
    return this.#byDiscriminator.get(discriminator)
  }

  entries(): Iterable<E> {
    return this.#byDiscriminator.values()
  }

  /** Hands the packet to its session and answers that. @throws BfdError where it is to be discarded */
  receive(arrival: Arrival, now: number): E {
    const packet = decodeControl(arrival.bytes)
    const entry = this.#find(packet, arrival)
    if (entry === undefined)
      throw new BfdError('NO_SESSION', `no session for discriminator ${packet.yourDiscriminator}`)
    // RFC 5881 section 5: exactly 255 without authentication; RFC 5883: as configured
    const least = arrival.multihop ? entry.session.settings.minimumTtl : 255
    if (arrival.ttl < least) throw new BfdError('TTL', `TTL ${arrival.ttl}, at least ${least} is wanted`)
    entry.session.receive(packet, now)
    return entry
  }

  #find({ yourDiscriminator }: ControlPacket, arrival: Arrival): E | undefined {
    if (yourDiscriminator === 0) return this.#byAddresses(arrival)
    const entry = this.#byDiscriminator.get(yourDiscriminator)
    return entry?.target.multihop === arrival.multihop ? entry : undefined
  }

  /** The one that is bound most closely. */
  #byAddresses(arrival: Arrival): E | undefined {
    const source = arrival.source()
    const destination = arrival.destination()
    let best: E | undefined
    for (const entry of this.#byDiscriminator.values()) {
      const { target, session } = entry
      if (target.multihop !== arrival.multihop || !sameAddress(target.peer, source)) continue
      if (target.local !== undefined && !sameAddress(target.local, destination)) continue
      if (target.interface !== undefined && target.interface !== arrival.interface) continue
      if (session.state === 'adminDown') continue // on its way out, maybe beside its successor
      if (best === undefined || closeness(target) > closeness(best.target)) best = entry
    }
    return best
  }
}

function closeness({ local, interface: device }: LivenessTarget): number {
  return (device === undefined ? 0 : 2) + (local === undefined ? 0 : 1)
}
