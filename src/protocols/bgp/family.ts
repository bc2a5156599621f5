import type { Family } from '../../core/ip/index.ts'

/** Address family and subsequent address family as IANA numbers them. */
export interface AfiSafi {
  readonly afi: number
  readonly safi: number
}

export const AFI: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 2 }

const UNICAST = 1

export function unicast(family: Family): AfiSafi {
  return { afi: AFI[family], safi: UNICAST }
}

/** The family whose unicast routes the pair stands for; undefined for every other pair. */
export function unicastFamily({ afi, safi }: AfiSafi): Family | undefined {
  if (safi !== UNICAST) return undefined
  return afi === AFI.ipv4 ? 'ipv4' : afi === AFI.ipv6 ? 'ipv6' : undefined
}
