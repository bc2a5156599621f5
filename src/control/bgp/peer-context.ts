import type {
  Clock,
  EventRecorder,
  Interfaces,
  Liveness,
  Logger,
  Metrics,
  Random,
  StreamPort,
} from '../../ports/index.ts'
import type { ListenAt } from './listener.ts'
import type { Sharers } from './metrics.ts'
import type { Routers } from './routers.ts'

/** What sessions with BGPPeers need of the world. */
export interface PeerContext {
  readonly node: string
  /** MetalLB's own namespace: events on BGPPeers go there. */
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly streams: StreamPort
  readonly interfaces: Interfaces
  readonly metrics: Metrics
  readonly recorder: EventRecorder
  readonly log: Logger
  /** Absent: BFD profiles have no effect. */
  readonly liveness?: Liveness
  /** Where routers may connect to us. Absent: nowhere, we dial. */
  readonly listenAt?: ListenAt
  /** Absent: unnumbered peers are never found. */
  readonly routers?: Routers
  /** How long routers are told to prefer others before a stop ends the sessions. Absent: 0, not at all. */
  readonly shutdownGraceMs?: number
  /** Sessions that show the same series. */
  readonly sharers?: Sharers
}
