/** Which test holds which example of chapter 04 (section 8) and which defect (section 10), and why some have none. */
import { type Held, holds, range } from './held-examples.ts'

const EXAMPLES: Held = {
  'src/core/plan/bgp.test.ts': [
    [[1], '1 an endpoint elsewhere'],
    [[2], '2 Local without'],
    [[3], '3 a local endpoint'],
    [[4], '4 no endpoint'],
    [[5], '5 an endpoint without'],
    [[7], '7 network unavailable'],
    [[8], '8 excluded, and that ignored'],
    [[9], '9 cordoned'],
    [[10], '10 an advertisement'],
    [[11], '11 relabelled'],
    [[12], '12 preferences for different peers'],
    [[14], '14 the conflict in words'],
    [[16], '16 dual stack'],
    [[17], '17 peers that nobody'],
    [[23], '23 no advertisement'],
  ],
  'src/api/kubernetes/endpoint-slice.test.ts': [[[6], '6 ready, without an address']],
  'src/api/parse/bgp-advertisements.test.ts': [
    [[13], '81 different local preferences'],
    [[13], '83 a dual-stack pool'],
    [[18], '62 an alias and a literal'],
    [[19], '63 an unknown alias'],
  ],
  'src/control/bgp/rib.test.ts': [[[15], '15 a prefix goes']],
  'src/control/announce/speaker.test.ts': [[[20], 'loadBalancerIPChanged']],
  'src/control/service-status/bgp.test.ts': [
    [[21], '21 a peer that is gone'],
    [[22], '22 one status names'],
  ],
  'src/control/bgp/acceptance.test.ts': [
    [[24], '24, D6'],
    [[110], '110 a peer replaced'],
  ],
  'src/protocols/bgp/outbound/outbound.test.ts': [
    [[25], '25: another local'],
    [[43], '43: a thousand'],
    [[52], '52: a refresh'],
  ],
  'src/protocols/bgp/outbound/add-path.test.ts': [[[106], '106: IPv4, with its identifier']],
  'src/control/bgp/protocol.test.ts': [
    [[26], '26 a change of one peer'],
    [[61], '61 a source address'],
    [[64], '64 a prefix'],
    [[66], '66 after a restart'],
    [[102, 103], '102, 103'],
  ],
  'src/protocols/bgp/message/message.test.ts': [
    [[27], '27: '],
    [[28], '28: '],
    [[30], '30: '],
    [[33], '33: '],
    [[36], '36: '],
    [[37], '37: '],
    [[38], '38: '],
    [[39], '39: '],
    [[40], '40: '],
    [[41], '41: '],
    [[42], '42: '],
    [[44], '44: '],
    [[45], '45: '],
    [[46], '46: '],
    [[47], '47: '],
    [[48], '48: '],
    [[49], '49: '],
    [[50], '50: '],
    [[57], '57: '],
    [[106], '106'],
  ],
  'src/control/bgp/settings.test.ts': [
    [[29], '29 a router ID'],
    [[104], '2001:db8:1::1:179'],
    [[107], '107 TTL'],
  ],
  'src/protocols/bgp/fsm/step.test.ts': [
    [[31], '31: the smaller hold'],
    [[35], '35: pauses'],
  ],
  'src/protocols/bgp/negotiation.test.ts': [
    [[32], '32: a peer without'],
    [[51], '51: the OPEN'],
    [[62], '62: internal'],
    [[63], '63: localASN'],
  ],
  'src/protocols/bgp/session/session.test.ts': [
    [[34], '34: another AS'],
    [[53, 58], '53, 58: '],
    [[54], '54: '],
    [[55], '55: shutdown'],
    [[59], '59: '],
    [[60], '60: '],
  ],
  'src/protocols/bgp/notification.test.ts': [[[56], '56']],
  'src/protocols/ndp/router-discovery.test.ts': [[[65], '86 00']],
  'src/control/bgp/unnumbered.test.ts': [[[65], 'is dialled on its interface']],
  'src/protocols/bfd/session.test.ts': [
    [[89, 90, 91], '(acceptance 89 to 91)'],
    [[92], '(acceptance 92)'],
    [[93], '(acceptance 93)'],
    [[95], '(acceptance 95)'],
    [[96], '(acceptance 96)'],
    [[97], '(acceptance 97)'],
    [[100], '(acceptance 100)'],
    [[101], '(acceptance 101)'],
  ],
  'src/protocols/bfd/session-table.test.ts': [[[94], '(acceptance 94)']],
  'src/protocols/bfd/packet.test.ts': [[[98], 'acceptance 98']],
  'src/adapters/linux/bfd-sockets.test.ts': [[[99], '(acceptance 99)']],
  'test/interop/bgp-transport.test.ts': [[[108], '108 a device']],
  'src/control/bgp/listener.test.ts': [[[109], '109 a password']],
}

const DEFECTS: Held = {
  'src/protocols/bgp/session/session.test.ts': [[[1], '54: ']],
  'src/control/bgp/acceptance.test.ts': [
    [[2], 'D2 '],
    [[5], 'D5 '],
    [[6], '24, D6'],
    [[11], 'D11 '],
    [[13], 'D13 '],
    [[22], 'D22 '],
  ],
  'src/protocols/bgp/negotiation.test.ts': [
    [[3], '32: a peer without'],
    [[8], 'localAsn: 65536'],
  ],
  'test/interop/bgp.test.ts': [[[4], 'both families, signed; announced and withdrawn']],
  'src/protocols/bgp/outbound/outbound.test.ts': [[[7], '43: a thousand']],
  'src/api/parse/peers.test.ts': [[[9], 'is not an IPv4 address and is not used']],
  'src/control/bgp/protocol.test.ts': [[[10], '61 a source address']],
  'src/control/config/loader.test.ts': [[[12], 'a transient failure of the handler is retried with back-off']],
  'src/control/webhooks/webhooks.test.ts': [[[14], 'hides nothing (defect 16)']],
  'src/control/bgp/rib.test.ts': [[[24], 'D24 ']],
}

/** FRR modes are not built (decision 7). */
const FRR_EXAMPLES = [...range(67, 88), 105]
const FRR_DEFECTS = range(15, 21)
/** No dump of an OPEN: nothing in protocols and control can print, `console` does not compile there. */
const NO_DUMP = 23

const without = (last: number, ...left: number[]) => range(1, last).filter(one => !left.includes(one))
holds('example of chapter 04', EXAMPLES, without(110, ...FRR_EXAMPLES))
holds('defect of chapter 04', DEFECTS, without(24, ...FRR_DEFECTS, NO_DUMP))
