import type { Link } from './link.ts'

/**
 * A way into the segment of an interface that hears Router Solicitations and Advertisements (RFC 4861) and no other
 * frames. @throws where the interface is gone, or may not be used
 */
export type OpenRouterLink = (interfaceIndex: number) => Link
