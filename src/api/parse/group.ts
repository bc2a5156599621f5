/** Objects of mixed kinds, as a file holds them, sorted into the lists of a snapshot. */
import type { KubeObject } from '../../core/object.ts'
import type { ConfigSnapshot } from './snapshot.ts'

const LISTS: Readonly<Record<string, keyof ConfigSnapshot>> = {
  IPAddressPool: 'pools',
  L2Advertisement: 'l2Advertisements',
  Community: 'communities',
  Node: 'nodes',
  Namespace: 'namespaces',
  BGPPeer: 'peers',
  BGPAdvertisement: 'bgpAdvertisements',
  BFDProfile: 'bfdProfiles',
  Secret: 'secrets',
  ConfigMap: 'configMaps',
}

/** Kinds that have no part in the configuration are left out; the lists that are given nothing are empty. */
export function groupObjects(objects: readonly KubeObject[]): ConfigSnapshot {
  const snapshot = Object.fromEntries(Object.values(LISTS).map(list => [list, [] as KubeObject[]]))
  for (const object of objects) {
    const kind = object?.kind ?? ''
    if (Object.hasOwn(LISTS, kind)) snapshot[LISTS[kind]!]!.push(object)
  }
  return snapshot as ConfigSnapshot
}
