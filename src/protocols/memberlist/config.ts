/** The settings of section 4.4 of chapter 03; times in milliseconds. */
export interface MemberlistConfig extends ProbeTiming {
  /** Connecting, and the whole exchange on a stream. */
  readonly tcpTimeoutMs: number
  readonly indirectChecks: number
  readonly retransmitMult: number
  readonly suspicionMaxTimeoutMult: number
  readonly pushPullIntervalMs: number
  readonly disableTcpPings: boolean
  readonly awarenessMaxMultiplier: number
  readonly gossipIntervalMs: number
  readonly gossipNodes: number
  readonly gossipToTheDeadMs: number
  readonly verifyIncoming: boolean
  readonly sealOutgoing: boolean
  readonly enableCompression: boolean
  /** Most UDP payload to send. */
  readonly udpBufferSize: number
  /**
   * Between peers that both say so in their meta: they are probed and suspected with this timing, everybody else with the
   * one above. A node with slower timers, as every Go peer has, so keeps the time it needs to refute.
   */
  readonly fast?: ProbeTiming
}

export interface ProbeTiming {
  readonly probeIntervalMs: number
  readonly probeTimeoutMs: number
  readonly suspicionMult: number
}

export const LAN: MemberlistConfig = {
  tcpTimeoutMs: 10_000,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullIntervalMs: 30_000,
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  disableTcpPings: false,
  awarenessMaxMultiplier: 8,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  gossipToTheDeadMs: 30_000,
  verifyIncoming: true,
  sealOutgoing: true,
  enableCompression: true,
  udpBufferSize: 1400,
}

export const WAN: MemberlistConfig = {
  ...LAN,
  tcpTimeoutMs: 30_000,
  suspicionMult: 6,
  pushPullIntervalMs: 60_000,
  probeIntervalMs: 5000,
  probeTimeoutMs: 3000,
  gossipIntervalMs: 500,
  gossipNodes: 4,
  gossipToTheDeadMs: 60_000,
}

/** Section 6.6: a crash is noticed in 1.0 to 1.5 s between our own speakers; Go peers are judged with LAN timing. */
export const FAST_LAN: MemberlistConfig = {
  ...LAN,
  gossipIntervalMs: 50,
  fast: { probeIntervalMs: 250, probeTimeoutMs: 100, suspicionMult: 3 },
}
