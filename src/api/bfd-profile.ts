/** metallb.io/v1beta1 BFDProfile, chapter 01 section 1.6. */
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, flag, int32, NO_STATUS, record } from './schema.ts'

/** What is absent is left to the default of the BFD implementation. */
export interface BFDProfileResource extends KubeObject {
  spec?: {
    /** Milliseconds, as all intervals. */
    receiveInterval?: number
    transmitInterval?: number
    detectMultiplier?: number
    echoInterval?: number
    echoMode?: boolean
    passiveMode?: boolean
    minimumTtl?: number
  }
}

export const bfdProfiles: ResourceType<BFDProfileResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  namespaced: true,
}

const interval = (description: string) => int32(description, { minimum: 10, maximum: 60000 })

const spec = record(
  {
    detectMultiplier: int32('Packets that may be lost before the session is down.', { minimum: 2, maximum: 255 }),
    receiveInterval: interval('Shortest interval between packets that can be received, milliseconds.'),
    transmitInterval: interval('Shortest interval between packets that are sent, milliseconds.'),
    minimumTtl: int32('Multihop sessions only: lowest TTL that is accepted.', { minimum: 1, maximum: 254 }),
    echoInterval: interval('Shortest interval between echo packets that can be handled, milliseconds.'),
    echoMode: flag('Send echo packets; not possible with IPv6.'),
    passiveMode: flag('Wait for the peer to start the session.'),
  },
  'Timers and modes of the BFD session.',
)

export const bfdProfileCrd = defineCrd(bfdProfiles, [
  crdVersion('v1beta1', true, {
    description: 'Settings of BFD sessions, for BGPPeers to refer to.',
    properties: { spec, status: NO_STATUS },
    columns: [
      { name: 'Passive Mode', type: 'boolean', jsonPath: '.spec.passiveMode' },
      { name: 'Transmit Interval', type: 'integer', jsonPath: '.spec.transmitInterval' },
      { name: 'Receive Interval', type: 'integer', jsonPath: '.spec.receiveInterval' },
      { name: 'Multiplier', type: 'integer', jsonPath: '.spec.detectMultiplier' },
    ],
  }),
])
