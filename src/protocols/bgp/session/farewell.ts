import type { Notification } from '../message/index.ts'
import type { Agreed } from '../negotiation.ts'
import { cease, hardReset } from '../notification.ts'

/** Why we end a session, and with which words where there is room for some (RFC 9003). */
export type Farewell =
  /** The process stops, and another will take its place. */
  | { readonly kind: 'shutdown'; readonly text: string }
  /** A person wants the session to start anew. */
  | { readonly kind: 'reset'; readonly text: string }
  /** The peer is no longer configured. */
  | { readonly kind: 'deconfigured' }
  /** Other settings need another session. */
  | { readonly kind: 'reconfigured' }

/**
 * What the peer is told, undefined for nothing: a peer that waits for our restart keeps our routes when the connection
 * just ends (RFC 4724 section 4), and one that keeps them over a NOTIFICATION too must be told to let go where they are
 * gone for good (RFC 8538 section 3.1; chapter 04 sections 1.12 and 6.8).
 */
export function farewellNotification(farewell: Farewell, agreed: Agreed | undefined): Notification | undefined {
  if (farewell.kind === 'shutdown')
    return agreed?.gracefulRestart ? undefined : cease('administrative shutdown', farewell.text)
  if (farewell.kind === 'reconfigured') return cease('other configuration change')
  const words = farewell.kind === 'reset' ? cease('administrative reset', farewell.text) : cease('peer de-configured')
  return agreed?.notificationKeepsRoutes ? hardReset(words) : words
}
