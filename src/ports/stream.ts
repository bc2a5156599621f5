/** TCP as the inside sees it: events in, bytes out, and never a wait. */
import type { TcpAoKey } from '../core/config/index.ts'
import type { Address } from '../core/ip/index.ts'

export interface StreamEndpoint {
  readonly address: Address
  readonly port: number
  /** Interface of a link-local address, where it is known. */
  readonly scope?: string
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

/** How segments are signed, one way or the other; both absent: not at all. Never printed. */
export interface StreamSecrets {
  /** RFC 2385, 1 to 80 bytes. */
  readonly md5Password?: string
  /** RFC 5925. The first signs what is sent, all are accepted, so that keys can be changed without a break. */
  readonly aoKeys?: readonly TcpAoKey[]
}

export interface StreamTarget extends StreamTraits, StreamSecrets {
  readonly address: Address
  readonly port: number
  /** Interface of a link-local address. */
  readonly scope?: string
  /** Absent: the system chooses. */
  readonly source?: Address
}

/** What of a target can be changed while a connection lasts. */
export type StreamAdjustment = Omit<StreamTraits, 'device'> & StreamSecrets

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
  /**
   * Makes of the connection what `connect` would have made with these: what is absent is left to the system again, and
   * segments from now on are signed and checked with the new keys. Answers the sentence that says why it cannot be.
   * Absent: nothing below the bytes can be changed.
   */
  adjust?(to: StreamAdjustment): string | undefined
}

export interface StreamListenOptions extends StreamTraits {
  /** Absent: every local address. */
  readonly address?: Address
  readonly port: number
  /** Listeners for other devices may have the port too. */
  readonly shared?: true
  /** Peers that must sign. */
  readonly keys?: readonly PeerSecrets[]
}

export interface PeerSecrets extends StreamSecrets {
  readonly address: Address
}

/** Answers who listens to the new connection; undefined refuses it. */
export type StreamAcceptor = (stream: Stream) => StreamEvents | undefined

export interface StreamListener {
  /** Also ends the connections made through it. */
  close(): Promise<void>
  /** For connections from now on. Answers the sentence that says what could not be had; the rest is done all the same. */
  adjust?(to: Pick<StreamListenOptions, 'ttl' | 'minTtl' | 'keys'>): string | undefined
}

/** Segments that the system has dropped for their signature since it started, on whatever connection. */
export interface SignatureFaults {
  /** Not signed, though they had to be. */
  readonly missing: number
  /** Signed, though nobody had agreed to that. */
  readonly unexpected: number
  /** Signed with another key. */
  readonly wrong: number
}

export interface StreamPort {
  /** Never throws: what is wrong comes as `closed`, and no event comes before this has returned. */
  connect(target: StreamTarget, events: StreamEvents): Stream
  /** Resolves when connections are accepted; rejects where the address cannot be had. */
  listen(options: StreamListenOptions, accept: StreamAcceptor): Promise<StreamListener>
  /** Absent: it does not count them. */
  signatureFaults?(): SignatureFaults
}
