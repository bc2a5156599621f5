/** The two kinds of status, and where each gets what it says. */
import { serviceBGPStatuses, serviceL2Statuses } from '../../api/index.ts'
import type { StatusKind } from './controller.ts'

/** What this node announces by layer 2 (`Layer2Protocol`). */
export interface Layer2Announcements {
  /** Interfaces, names sorted; undefined where the Service is not announced. */
  announcedOn(service: string): readonly string[] | 'all' | undefined
  onChange(listener: (service: string) => void): () => void
}

/** ServiceL2Status; the interfaces are those that exist here, sorted (REF-BUG 17). */
export function layer2Status(announcements: Layer2Announcements): StatusKind<{ interfaces: object[] | null }> {
  return {
    type: serviceL2Statuses,
    generateName: 'l2-',
    controller: 'Layer2StatusReconciler',
    noun: 'layer 2 status',
    exclusive: true,
    stateOf: service => {
      const interfaces = announcements.announcedOn(service)
      if (interfaces === undefined) return undefined
      return { interfaces: interfaces === 'all' ? null : interfaces.map(name => ({ name })) }
    },
    onChange: listener => announcements.onChange(listener),
  }
}

/** To whom this node announces by BGP (`BgpProtocol`). */
export interface BgpAnnouncements {
  /** Names of BGPPeers, ascending; empty where the Service is not announced to anybody. */
  peersOf(service: string): readonly string[]
  onChange(listener: (service: string) => void): () => void
}

/** ServiceBGPStatus (chapter 04 section 1.11): what is meant, not what sessions have achieved. */
export function bgpStatus(announcements: BgpAnnouncements): StatusKind<{ peers: readonly string[] }> {
  return {
    type: serviceBGPStatuses,
    generateName: 'bgp-',
    controller: 'BGPStatusReconciler',
    noun: 'BGP status',
    exclusive: false,
    stateOf: service => {
      const peers = announcements.peersOf(service)
      return peers.length === 0 ? undefined : { peers }
    },
    onChange: listener => announcements.onChange(listener),
  }
}
