import { formatAddress } from '../../core/ip/index.ts'
import type { Clock, Datagram, DatagramSocket, Logger } from '../../ports/index.ts'
import type { Broadcasts } from './broadcasts.ts'
import type { MemberlistConfig } from './config.ts'
import { type EnvelopeOptions, PART_OVERHEAD, packetBudget, unwrapPacket, wrapPacket } from './envelope/index.ts'
import { PacketError } from './errors.ts'
import { type Member, maxVersion, SPEAKS } from './member.ts'
import { decodeMessage, encodeMessage, type Message } from './message/index.ts'

export interface PacketsOptions {
  readonly socket: DatagramSocket
  readonly clock: Clock
  readonly log: Logger
  readonly config: Pick<MemberlistConfig, 'retransmitMult' | 'udpBufferSize'>
  readonly envelope: () => EnvelopeOptions
  readonly broadcasts: Broadcasts
  /** How many nodes are known: news are said the more often, the more there are. */
  readonly size: () => number
  /** Does what a message asks for. @throws PacketError where it is none for a packet */
  readonly apply: (message: Message, from: string, port: number) => void
  /** A packet, or a message in one, was not believed. */
  readonly refused?: (code: string) => void
}

type Place = Pick<Member, 'address' | 'port'>

const COMPLAIN_EVERY_MS = 10_000
/** A compound counts its parts in one byte. */
const MOST_PARTS = 255

/** What memberlist says over UDP: messages with as much news as has room, or news alone (section 4.7 of chapter 03). */
export class Packets {
  readonly #options: PacketsOptions
  readonly #complained = new Map<string, number>()
  #stopped = false

  constructor(options: PacketsOptions) {
    this.#options = options
  }

  start(): void {
    this.#options.socket.receive(datagram => this.#receive(datagram))
  }

  /** Hears nothing any more; the socket is closed by its owner. */
  stop(): void {
    this.#stopped = true
  }

  send(to: Place, messages: readonly Message[]): void {
    const own = messages.map(encodeMessage)
    const used = own.reduce((sum, { length }) => sum + length + PART_OVERHEAD, 0)
    this.#transmit(to, [...own, ...this.#news(used, MOST_PARTS - own.length)], false)
  }

  /** News alone. False where there are none. */
  sendNews(to: Member): boolean {
    const news = this.#news(0, MOST_PARTS)
    if (news.length > 0) this.#transmit(to, news, maxVersion(to) >= SPEAKS.checksum)
    return news.length > 0
  }

  #news(used: number, parts: number): Uint8Array[] {
    const { config, envelope, broadcasts, size } = this.#options
    const budget = packetBudget(config.udpBufferSize, envelope()) - used
    return broadcasts.take(budget, config.retransmitMult, size(), parts)
  }

  #transmit({ address, port }: Place, parts: readonly Uint8Array[], sum: boolean): void {
    const { socket, envelope } = this.#options
    socket.send(wrapPacket(parts, sum, envelope()), formatAddress(address), port)
  }

  #receive({ data, from, port }: Datagram): void {
    if (this.#stopped) return
    try {
      for (const bytes of unwrapPacket(data, this.#options.envelope())) this.#handle(bytes, from, port)
    } catch (error) {
      this.#complain(error, from)
    }
  }

  /** One bad message does not spoil the others in its packet. */
  #handle(bytes: Uint8Array, from: string, port: number): void {
    try {
      this.#options.apply(decodeMessage(bytes), from, port)
    } catch (error) {
      this.#complain(error, from)
    }
  }

  /** A line for each kind of bad packet every ten seconds. */
  #complain(error: unknown, from: string): void {
    if (!(error instanceof PacketError)) throw error
    const { clock, log, refused } = this.#options
    refused?.(error.code)
    const now = clock.monotonic()
    const last = this.#complained.get(error.code)
    if (last !== undefined && now - last < COMPLAIN_EVERY_MS) return
    this.#complained.set(error.code, now)
    const what = error.code === 'BAD_KEY' ? 'Decrypt packet failed' : 'failed to read packet'
    log.error({ msg: `memberlist: ${what}: ${error.message}`, code: error.code, from })
  }
}
