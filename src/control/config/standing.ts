/** Which configuration is in force, for those who ask from outside: a JSON value. */
import type { ConfigSnapshot } from '../../api/index.ts'
import type { KubeObject } from '../../core/object.ts'
import { objectKey } from '../../core/object.ts'

export interface ConfigStanding {
  /** Since when the configuration in force is, RFC 3339; absent where none is. */
  readonly since?: string
  /** Why what the cluster says now is not in force; absent where it is. */
  readonly refused?: string
  /** Objects of MetalLB that are others in force than in the cluster, e.g. `IPAddressPool blue changed`, sorted. */
  readonly differs: readonly string[]
}

/** The generation of each object of MetalLB by kind and name; what others say of nodes and namespaces does not count. */
export type Generations = ReadonlyMap<string, string>

const KINDS = {
  pools: 'IPAddressPool',
  communities: 'Community',
  l2Advertisements: 'L2Advertisement',
  peers: 'BGPPeer',
  bgpAdvertisements: 'BGPAdvertisement',
  bfdProfiles: 'BFDProfile',
} as const satisfies Partial<Record<keyof ConfigSnapshot, string>>

export function generationsOf(snapshot: ConfigSnapshot): Generations {
  const generations = new Map<string, string>()
  for (const [list, kind] of Object.entries(KINDS) as [keyof typeof KINDS, string][])
    for (const { metadata } of (snapshot[list] ?? []) as readonly KubeObject[])
      generations.set(`${kind} ${objectKey(metadata)}`, String(metadata.generation ?? metadata.resourceVersion))
  return generations
}

export function differences(inForce: Generations, now: Generations): string[] {
  const added = [...now.keys()].filter(name => !inForce.has(name)).map(name => `${name} added`)
  const removed = [...inForce.keys()].filter(name => !now.has(name)).map(name => `${name} removed`)
  const changed = [...now].filter(([name, generation]) => (inForce.get(name) ?? generation) !== generation)
  return [...added, ...removed, ...changed.map(([name]) => `${name} changed`)].sort()
}
