import type { NodeState } from './message/index.ts'

type Versions = readonly [pMin: number, pMax: number, pCur: number, dMin: number, dMax: number, dCur: number]

/** Why two clusters cannot speak with one another, or undefined (section 4.9, version negotiation). */
export function incompatibility(nodes: readonly NodeState[]): string | undefined {
  const alive = nodes.filter(({ state, vsn }) => state === 'alive' && vsn.length >= 6).map(({ vsn }) => versionsOf(vsn))
  const protocol = [Math.max(...alive.map(v => v[0])), Math.min(...alive.map(v => v[1]))] as const
  const delegate = [Math.max(...alive.map(v => v[3])), Math.min(...alive.map(v => v[4]))] as const
  for (const { name, vsn } of nodes) {
    if (vsn.length < 6 || alive.length === 0) continue
    const [, , pCur, , , dCur] = versionsOf(vsn)
    if (pCur < protocol[0] || pCur > protocol[1]) return `${name} speaks protocol ${pCur}, not ${protocol.join(' to ')}`
    if (dCur < delegate[0] || dCur > delegate[1]) return `${name} speaks delegate ${dCur}, not ${delegate.join(' to ')}`
  }
  return undefined
}

const versionsOf = (vsn: Uint8Array) => [...vsn.subarray(0, 6)] as unknown as Versions
