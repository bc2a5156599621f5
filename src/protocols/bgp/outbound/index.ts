export { isLinkLocal, type LocalAddresses } from './next-hop.ts'
export { Outbound } from './outbound.ts'
export type { Route } from './route.ts'
