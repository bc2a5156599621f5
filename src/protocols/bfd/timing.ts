/** The arithmetic of RFC 5880 sections 6.8.2 to 6.8.7. All times in milliseconds. */
import type { BfdProfile } from '../../core/config/index.ts'

/** Not less than this while the session is not up, section 6.8.3. */
export const SLOW_MS = 1000

/** A profile with its defaults (chapter 04 section 5.1). */
export interface BfdSettings {
  readonly receiveMs: number
  readonly transmitMs: number
  readonly multiplier: number
  readonly echoMs: number
  readonly echo: boolean
  readonly passive: boolean
  /** Lowest TTL or hop limit of multihop packets. */
  readonly minimumTtl: number
}

export function settingsOf(profile: BfdProfile): BfdSettings {
  return {
    receiveMs: profile.receiveIntervalMs ?? 300,
    transmitMs: profile.transmitIntervalMs ?? 300,
    multiplier: profile.detectMultiplier ?? 3,
    echoMs: profile.echoIntervalMs ?? 50,
    echo: profile.echoMode,
    passive: profile.passiveMode,
    minimumTtl: profile.minimumTtl ?? 254,
  }
}

/** Between periodic packets, before jitter, section 6.8.2; `never` where the remote system wants none (section 6.8.7). */
export function transmitInterval(desiredMinTxMs: number, remoteMinRxMs: number): number | 'never' {
  return remoteMinRxMs === 0 ? 'never' : Math.max(desiredMinTxMs, remoteMinRxMs)
}

/**
 * What part of the interval passes before the next packet: 75 to 100 percent, and to 90 where a single lost packet ends
 * the session (section 6.8.7). `chance` is in [0, 1).
 */
export function jitter(multiplier: number, chance: number): number {
  return 0.75 + chance * (multiplier === 1 ? 0.15 : 0.25)
}

/** In asynchronous mode, section 6.8.4. */
export function detectionTime(remoteMultiplier: number, requiredMinRxMs: number, remoteDesiredMinTxMs: number): number {
  return remoteMultiplier * Math.max(requiredMinRxMs, remoteDesiredMinTxMs)
}

/** Between echo packets, section 6.8.9; `never` where the remote system does not send them back. */
export function echoInterval(wantedMs: number, remoteMinEchoRxMs: number): number | 'never' {
  return remoteMinEchoRxMs === 0 ? 'never' : Math.max(wantedMs, remoteMinEchoRxMs)
}
