import { type Address, formatAddress } from '../../core/ip/index.ts'
import type { Clock, Logger, Stream, StreamEvents, StreamPort } from '../../ports/index.ts'
import { type EnvelopeOptions, unwrapStream, wrapStream } from './envelope/index.ts'
import { PacketError } from './errors.ts'
import { decodeMessage, encodeMessage, type Message, type Ping, type PushPull } from './message/index.ts'

export interface StreamsOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly envelope: () => EnvelopeOptions
  readonly connect: StreamPort['connect']
  readonly source?: Address
  readonly timeoutMs: number
  /** The own state, as an answer or to begin with. */
  readonly state: (join: boolean) => PushPull
  /** Applies what another node holds. @throws Error where it must not be */
  readonly merge: (remote: PushPull) => void
  /** Whether a ping means this node. */
  readonly isForMe: (ping: Ping) => boolean
}

/** Connections served at once; more are closed. */
const MAX_INBOUND = 128
/** Bytes of unfinished messages on all connections together; buffers are at most twice as large. */
const MAX_BUFFERED = 64 * 1024 * 1024
/** Unfinished input is tried anew with every piece while it is small, then only when this much more has come or none comes. */
const SMALL = 64 * 1024
const GROWTH = 1.25
const PAUSE_MS = 50

/** What memberlist says over TCP: one request a connection (section 4.10 of chapter 03). */
export class Streams {
  readonly #options: StreamsOptions
  readonly #conversations = new Set<Conversation>()
  #inbound = 0

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Exchanges everything with one node. Rejects with the reason where that failed. */
  pushPull(address: Address, port: number, join: boolean, withinMs: number): Promise<void> {
    const { state, merge } = this.#options
    return new Promise((resolve, reject) => {
      this.#ask(
        address,
        port,
        () => state(join),
        withinMs,
        answer => {
          if (typeof answer === 'string') return reject(new Error(answer))
          if (answer.kind === 'error') return reject(new Error(`remote error: ${answer.error}`))
          if (answer.kind !== 'pushPull') return reject(new Error(`${answer.kind} instead of a push/pull`))
          try {
            merge(answer)
            resolve()
          } catch (error) {
            reject(error)
          }
        },
      )
    })
  }

  ping(address: Address, port: number, ping: Ping, withinMs: number, done: (answered: boolean) => void): void {
    this.#ask(
      address,
      port,
      () => ping,
      withinMs,
      answer => {
        done(typeof answer !== 'string' && answer.kind === 'ack' && answer.seqNo === ping.seqNo)
      },
    )
  }

  /** A connection from another node. */
  accept(stream: Stream): StreamEvents | undefined {
    if (this.#inbound >= MAX_INBOUND) {
      this.#options.log.warn({ msg: `memberlist: Too many pending push/pull requests: ${this.#inbound}` })
      return undefined
    }
    this.#inbound++
    const conversation = this.#converse(this.#options.timeoutMs, message => {
      this.#inbound--
      if (typeof message === 'string') this.#refuse(stream, message, conversation.refusal)
      else this.#answer(stream, message)
    })
    conversation.stream = stream
    return conversation.events
  }

  stop(): void {
    for (const conversation of [...this.#conversations]) conversation.end('shutting down')
  }

  get buffered(): number {
    let sum = 0
    for (const { length } of this.#conversations) sum += length
    return sum
  }

  #answer(stream: Stream, message: Message): void {
    const { state, merge, isForMe, log } = this.#options
    if (message.kind === 'pushPull') {
      this.#say(stream, state(message.join))
      try {
        merge(message)
      } catch (error) {
        log.error({ msg: `memberlist: Failed push/pull merge: ${(error as Error).message}`, from: textOf(stream) })
      }
    } else if (message.kind === 'ping' && isForMe(message)) this.#say(stream, { kind: 'ack', seqNo: message.seqNo })
    stream.end()
  }

  #refuse(stream: Stream, reason: string, refusal: PacketError | undefined): void {
    if (refusal === undefined) {
      stream.destroy() // the other side went away, or was too slow
      return
    }
    this.#options.log.error({ msg: `memberlist: failed to receive: ${reason}`, from: textOf(stream) })
    this.#say(stream, { kind: 'error', error: reason })
    stream.end()
  }

  #say(stream: Stream, message: Message): void {
    stream.write(wrapStream(encodeMessage(message), this.#options.envelope()))
  }

  /** The question is made when the connection is there: that may take long, and what was so before would be told as news. */
  #ask(
    address: Address,
    port: number,
    question: () => Message,
    withinMs: number,
    done: (answer: Message | string) => void,
  ): void {
    const { connect, source } = this.#options
    const conversation = this.#converse(withinMs, answer => {
      stream.destroy()
      done(answer)
    })
    const events = { ...conversation.events, connected: () => this.#say(stream, question()) }
    const stream = connect({ address, port, ...(source && { source }) }, events)
    conversation.stream = stream
  }

  #converse(withinMs: number, done: (message: Message | string) => void): Conversation {
    const conversation = new Conversation(this.#options, withinMs, message => {
      this.#conversations.delete(conversation)
      done(message)
    })
    conversation.grown = () => this.#makeRoom()
    this.#conversations.add(conversation)
    return conversation
  }

  /** Who holds most goes first: a peer that never stops must not keep the others from being heard. */
  #makeRoom(): void {
    while (this.buffered > MAX_BUFFERED) {
      const largest = [...this.#conversations].reduce((a, b) => (b.length > a.length ? b : a))
      largest.end('too much is being received')
    }
  }
}

/** Collects one message from a connection. */
class Conversation {
  stream: Stream | undefined
  /** Set where the bytes were wrong. */
  refusal: PacketError | undefined
  grown = () => {}
  length = 0
  readonly events: StreamEvents
  readonly #options: Pick<StreamsOptions, 'clock' | 'envelope'>
  readonly #done: (message: Message | string) => void
  readonly #timer: { cancel(): void }
  #pause: { cancel(): void } | undefined
  #bytes = new Uint8Array(1024)
  #tried = 0
  #over = false

  constructor(
    options: Pick<StreamsOptions, 'clock' | 'envelope'>,
    withinMs: number,
    done: (message: Message | string) => void,
  ) {
    this.#options = options
    this.#done = done
    this.#timer = options.clock.after(withinMs, () => this.end('i/o timeout'))
    this.events = {
      connected: () => {},
      data: bytes => this.#take(bytes),
      drained: () => {},
      closed: message => this.end(message),
    }
  }

  end(message: Message | string): void {
    if (this.#over) return
    this.#over = true
    this.#timer.cancel()
    this.#pause?.cancel()
    this.length = 0
    this.#bytes = new Uint8Array()
    this.#done(message)
  }

  #take(piece: Uint8Array): void {
    if (this.#over) return
    this.#append(piece)
    this.grown()
    if (this.#over) return // it held most
    this.#pause?.cancel()
    if (this.length < SMALL || this.length >= GROWTH * this.#tried) this.#try()
    else this.#pause = this.#options.clock.after(PAUSE_MS, () => this.#try())
  }

  #append(piece: Uint8Array): void {
    const length = this.length + piece.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.length))
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.length)
    this.length = length
  }

  #try(): void {
    this.#tried = this.length
    try {
      const plain = unwrapStream(this.#bytes.subarray(0, this.length), this.#options.envelope())
      if (plain !== undefined) this.end(decodeMessage(plain))
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      if (error.code === 'TRUNCATED') return // more may come; if not, time will be up
      this.refusal = error
      this.end(error.message)
    }
  }
}

const textOf = ({ remote }: Stream) => `${formatAddress(remote.address)}:${remote.port}`
