import type { BgpAdvertisement, Peer } from '../core/config/index.ts'
import { type Address, parseAddress } from '../core/ip/index.ts'
import { NODES } from './layer2-world.ts'

type AddressedPeer = Peer & { readonly endpoint: { readonly address: Address } }

/** The peer of the acceptance examples of chapter 04: AS 64500 with 192.0.2.1 in AS 64501. */
export function aBgpPeer(change: Partial<AddressedPeer> = {}): AddressedPeer {
  return {
    name: 'tor-a',
    myAsn: 64500,
    remoteAs: 64501,
    endpoint: { address: parseAddress('192.0.2.1')! },
    port: 179,
    nodeSelectors: [],
    gracefulRestart: false,
    ebgpMultiHop: false,
    disableMP: false,
    dualStackAddressFamily: false,
    ...change,
  }
}

/** One for every peer and Service on every node of `NODES` and on worker-a, from pool `p4`. */
export function aBgpAdvertisement(change: Partial<BgpAdvertisement> = {}): BgpAdvertisement {
  return {
    name: 'A',
    nodes: new Set([...NODES, 'worker-a']),
    pools: new Set(['p4']),
    peers: 'all',
    aggregationLength: { ipv4: 32, ipv6: 128 },
    communities: [],
    serviceSelectors: [],
    ...change,
  }
}
