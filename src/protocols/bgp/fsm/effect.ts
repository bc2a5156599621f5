import type { BgpError } from '../errors.ts'
import type { Message, Notification, RouteRefresh } from '../message/index.ts'
import type { Agreed } from '../negotiation.ts'
import { describeNotification } from '../notification.ts'

export type TimerName = 'connect retry' | 'hold' | 'keepalive' | 'idle hold' | 'stable'

/** What the driver does, in the order given. */
export type Effect =
  | { readonly kind: 'dial' }
  | { readonly kind: 'send'; readonly message: Message }
  /** Closes the connection, if there is one, after what was sent. */
  | { readonly kind: 'drop' }
  /** The timer starts, or starts anew; the driver adds jitter where it is due. */
  | { readonly kind: 'arm'; readonly timer: TimerName; readonly ms: number }
  /** All timers stop. */
  | { readonly kind: 'cancel' }
  /** Settles how further bytes are read. */
  | { readonly kind: 'agreed'; readonly agreed: Agreed }
  | { readonly kind: 'established'; readonly agreed: Agreed }
  /** The routes of the family are wanted again, or the peer told us about its own. */
  | { readonly kind: 'refresh'; readonly refresh: RouteRefresh }
  /** An attempt, or an established session, has ended. */
  | { readonly kind: 'closed'; readonly reason: CloseReason; readonly established: boolean }

/** Why. */
export type CloseReason =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'notification received'; readonly notification: Notification }
  /** The peer's fault, or a timer; it was told. */
  | { readonly kind: 'error'; readonly error: BgpError }
  | { readonly kind: 'transport'; readonly message: string }
  | { readonly kind: 'collision lost' }
  | { readonly kind: 'liveness lost'; readonly why?: string }

/** One sentence for people. */
export function describeClose(reason: CloseReason): string {
  switch (reason.kind) {
    case 'stopped':
      return 'stopped'
    case 'notification received':
      return `got BGP notification code ${describeNotification(reason.notification)}`
    case 'error':
      return `sent BGP notification code ${describeNotification({ kind: 'notification', ...reason.error.answer })}: ${reason.error.message}`
    case 'transport':
      return reason.message
    case 'collision lost':
      return 'another connection with the same peer was kept'
    case 'liveness lost':
      return reason.why ?? 'BFD session down'
  }
}

export function send(message: Message): Effect {
  return { kind: 'send', message }
}

export function arm(timer: TimerName, ms: number): Effect {
  return { kind: 'arm', timer, ms }
}
