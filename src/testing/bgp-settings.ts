/** Both ends of the session of chapter 04 section 8, as settings and as OPEN. */
import { parseAddress } from '../core/ip/index.ts'
import { type Open, offeredOpen, type Settings } from '../protocols/bgp/index.ts'

const OURS: Settings = {
  localAsn: 64500,
  identifier: parseAddress('192.0.2.10')!,
  remoteAs: 64501,
  holdMs: 90_000,
  connectRetryMs: 120_000,
  families: ['ipv4', 'ipv6'],
  extendedNextHop: false,
  extendedMessage: false,
  passive: false,
  listens: false,
}

/** AS 64500 with router ID 192.0.2.10: both families, and nothing that is an option. */
export function ourSettings(change: Partial<Settings> = {}): Settings {
  return { ...OURS, ...change }
}

/** The router: AS 64501 with router ID 192.0.2.1, and the rest as ours. */
export function theirSettings(change: Partial<Settings> = {}): Settings {
  return ourSettings({ localAsn: 64501, identifier: parseAddress('192.0.2.1')!, remoteAs: 64500, ...change })
}

/** What the router offers. */
export function theirOpen(change: Partial<Settings> = {}): Open {
  return offeredOpen(theirSettings(change))
}
