/** TCP as the inside sees it: events in, bytes out, and never a wait. */
import type { Address } from '../core/ip/index.ts'

export interface StreamEndpoint {
  readonly address: Address
  readonly port: number
}

/** How a connection behaves below its bytes; what is absent is left to the system. */
export interface StreamTraits {
  /** Network device, or VRF, that all packets must use (SO_BINDTODEVICE). */
  readonly device?: string
  /** TTL or hop limit of packets sent. */
  readonly ttl?: number
  /** Packets with a lower TTL or hop limit are not received (RFC 5082). */
  readonly minTtl?: number
  /** DSCP and ECN, the whole byte. */
  readonly trafficClass?: number
  /** The connection fails when data stays unacknowledged as long as this. */
  readonly userTimeoutMs?: number
}

export interface StreamTarget extends StreamTraits {
  readonly address: Address
  readonly port: number
  /** Interface of a link-local address. */
  readonly scope?: string
  /** Absent: the system chooses. */
  readonly source?: Address
  /** RFC 2385, 1 to 80 bytes. Never printed. */
  readonly md5Password?: string
}

/** After `closed`, and after the holder called `end` or `destroy`, none is called any more. */
export interface StreamEvents {
  /** Not called for a connection that the peer opened. */
  connected(): void
  /** The bytes belong to the receiver. */
  data(bytes: Uint8Array): void
  /** Nothing waits to be sent any more, after `write` had answered false. */
  drained(): void
  /** The connection is gone, or was not made. A sentence that says why. */
  closed(message: string): void
}

export interface Stream {
  /** Known once the connection is made. */
  readonly local: StreamEndpoint | undefined
  readonly remote: StreamEndpoint
  /** The bytes must not be changed. False where enough waits to be sent: hold back until `drained`. */
  write(bytes: Uint8Array): boolean
  /** Sends what is written, then closes. */
  end(): void
  /** Closes at once; what waits to be sent is lost. */
  destroy(): void
}

export interface StreamListenOptions extends StreamTraits {
  /** Absent: every local address. */
  readonly address?: Address
  readonly port: number
  /** Peers that must sign (RFC 2385). Never printed. */
  readonly md5Keys?: readonly { readonly address: Address; readonly md5Password: string }[]
}

/** Answers who listens to the new connection; undefined refuses it. */
export type StreamAcceptor = (stream: Stream) => StreamEvents | undefined

export interface StreamPort {
  /** Never throws: what is wrong comes as `closed`, and no event comes before this has returned. */
  connect(target: StreamTarget, events: StreamEvents): Stream
  /** Resolves when connections are accepted; rejects where the address cannot be had. */
  listen(options: StreamListenOptions, accept: StreamAcceptor): Promise<{ close(): Promise<void> }>
}
