import type { Prefix } from '../../../core/ip/index.ts'
import type { Nlri } from '../nlri.ts'
import type { Wire } from '../wire.ts'
import type { RouteAttributes } from './route.ts'

/**
 * What a peer is told one by one: the copies of a path are alike but for their identifiers, 1 to k without a gap
 * (RFC 7911 section 3). To a peer that takes no identifiers there is one path, and none is written.
 */
export function pathsOf(prefix: Nlri, { paths = 1 }: RouteAttributes, { addPath }: Wire): Nlri[] {
  if (!addPath.includes(prefix.family)) return [prefix]
  return Array.from({ length: paths }, (_, index) => copyOf(prefix, index + 1))
}

export function copyOf(prefix: Prefix, pathId: number): Nlri {
  return { ...prefix, pathId }
}

/** The only path to a prefix has the key of the first copy. */
export function keyOf({ family, network, length, pathId = 1 }: Nlri): string {
  const key = `${family} ${network.toString(36)}/${length}`
  return pathId === 1 ? key : `${key} ${pathId}`
}

export function isFirst({ pathId = 1 }: Nlri): boolean {
  return pathId === 1
}

/** Paths by key, and of how many prefixes they are. */
export class PathTable<P extends { readonly prefix: Nlri }> extends Map<string, P> {
  #copies = 0

  /** Paths that are not the first of their prefix. */
  get copies(): number {
    return this.#copies
  }

  get prefixes(): number {
    return this.size - this.#copies
  }

  override set(key: string, path: P): this {
    if (!isFirst(path.prefix) && !this.has(key)) this.#copies++
    return super.set(key, path)
  }

  override delete(key: string): boolean {
    const path = this.get(key)
    if (path !== undefined && !isFirst(path.prefix)) this.#copies--
    return super.delete(key)
  }

  override clear(): void {
    this.#copies = 0
    super.clear()
  }
}
