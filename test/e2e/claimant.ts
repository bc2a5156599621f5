// A host that advertises an IPv6 address as its own, once. Run in a namespace, on its eth0: claimant.ts MAC ADDRESS
import { NdpSocket } from '../../src/adapters/linux/ndp-socket.ts'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { ETHERTYPE_IPV6, encodeFrame } from '../../src/protocols/ethernet/index.ts'
import { ALL_NODES, encodePacket, groupMac } from '../../src/protocols/ndp/index.ts'

const [mac = '', text = ''] = process.argv.slice(2)
const reader = new NetlinkReader()
const { index } = reader.current().find(({ name }) => name === 'eth0')!
reader.close()
const source = mac as Mac
const target = parseAddress(text)!.value
const flags = { router: false, solicited: false, override: true }
const message = { kind: 'advertisement', target, ...flags, linkLayer: source } as const
const payload = encodePacket({ source: target, destination: ALL_NODES, message })
const socket = new NdpSocket(index)
socket.send(encodeFrame({ destination: groupMac(ALL_NODES), source, etherType: ETHERTYPE_IPV6, payload }))
socket.close()
