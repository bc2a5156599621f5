import type { OpenRouterLink } from '../../ports/index.ts'
import { ETHERTYPE_IPV6 } from '../../protocols/ethernet/index.ts'
import { ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION } from '../../protocols/ndp/index.ts'
import { icmpv6Frames, PacketSocket } from './packet-socket.ts'

const MOST_BYTES = 512
const ROUTER_MESSAGES = icmpv6Frames([ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT], MOST_BYTES)

/** Needs CAP_NET_RAW. @throws SystemError */
export const openRouterLink: OpenRouterLink = index => new PacketSocket(index, ETHERTYPE_IPV6, ROUTER_MESSAGES)
