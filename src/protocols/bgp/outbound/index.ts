export { chooseNextHop, isLinkLocal, type LocalAddresses, type NextHopChoice } from './next-hop.ts'
export { Outbound, type OutboundSettings } from './outbound.ts'
export { attributesKey, type Route, type RouteAttributes } from './route.ts'
