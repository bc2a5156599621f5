import type { BgpError } from '../errors.ts'
import type { Notification, Open, RouteRefresh } from '../message/index.ts'

/** RFC 4271 section 8.1, with its numbers. DelayOpen (12, 20) is not used. */
export type Event =
  /** 1, 3 to 7: which of them is a matter of the settings. */
  | { readonly kind: 'start' }
  /** 2, 8: for good. What the peer is told, or nothing, so that it keeps our routes (RFC 4724 section 4). */
  | { readonly kind: 'stop'; readonly notification?: Notification }
  /** 9 */
  | { readonly kind: 'connect retry expired' }
  /** 10 */
  | { readonly kind: 'hold expired' }
  /** 11 */
  | { readonly kind: 'keepalive expired' }
  /** 13 */
  | { readonly kind: 'idle hold expired' }
  /** 29, RFC 9687: what we sent does not get through. */
  | { readonly kind: 'send hold expired' }
  /** Established long enough to be trusted (chapter 04 section 2.2). */
  | { readonly kind: 'stable expired' }
  /** 16, 17: ours or the peer's. */
  | { readonly kind: 'connected' }
  /** 18 */
  | { readonly kind: 'disconnected'; readonly message: string }
  /** 19, or 22 where its content cannot be agreed to */
  | { readonly kind: 'open'; readonly open: Open }
  /** 21, 22, 28: bytes that end the session. */
  | { readonly kind: 'malformed'; readonly error: BgpError }
  /** 23 */
  | { readonly kind: 'collision lost' }
  /** 24, 25 */
  | { readonly kind: 'notification'; readonly notification: Notification }
  /** 26 */
  | { readonly kind: 'keepalive' }
  /** 27 */
  | { readonly kind: 'update' }
  /** RFC 2918 section 4 */
  | { readonly kind: 'route refresh'; readonly refresh: RouteRefresh }
  /** What a session can bear of its settings has changed, its keys among them: none of the RFC's. */
  | { readonly kind: 'reconfigured' }
  /** An 8 that is not for good: BFD says that the peer is gone (RFC 9384), or `why` says that its link is. */
  | { readonly kind: 'liveness lost'; readonly why?: string }
  /** BFD hears the peer again: the next attempt need not wait. None of the RFC's. */
  | { readonly kind: 'liveness found' }
