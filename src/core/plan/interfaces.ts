import type { L2Advertisement } from '../config/index.ts'
import type { Address } from '../ip/index.ts'
import { formatAddress } from '../ip/index.ts'
import type { AnnouncedAs } from './diff.ts'

export interface LocalInterface {
  readonly name: string
  /** It exists and can carry packets now. */
  readonly usable: boolean
}

/**
 * How each address would be announced on this node. Where none of the selected interfaces can be used, the address is
 * not announced and says why (IMP-7). Another node takes over where one can and all publish their interfaces (IMP-25).
 */
export function announceOn(
  addresses: readonly Address[],
  selected: ReadonlySet<string> | 'all',
  local: readonly LocalInterface[],
  node: string,
): AnnouncedAs[] {
  const problem = selected === 'all' ? undefined : whyUnusable(selected, local)
  return addresses.map(address => {
    if (problem === undefined) return { address, interfaces: selected }
    const text = `the interfaces specified by LB IP "${formatAddress(address)}" ${problem} in assigned node "${node}"`
    const failure = { code: 'announceFailed', message: `${text} with protocol "layer2"` }
    return { address, interfaces: selected, failure, localInterfaces: local.map(({ name }) => name).sort() }
  })
}

function whyUnusable(selected: ReadonlySet<string>, local: readonly LocalInterface[]): string | undefined {
  const present = local.filter(({ name }) => selected.has(name))
  if (present.length === 0) return "doesn't exist" // the reference's event text (chapter 03 section 1.12)
  return present.some(({ usable }) => usable) ? undefined : 'cannot be used (down or without carrier)'
}

/** The selected interfaces that exist here, sorted: what is true of this node. */
export function presentInterfaces(selected: ReadonlySet<string>, local: readonly LocalInterface[]): string[] {
  return local
    .map(({ name }) => name)
    .filter(name => selected.has(name))
    .sort()
}

/** Names that any advertisement selects, ascending: those that other speakers want to know of. */
export function namedInterfaces(ads: readonly L2Advertisement[]): string[] {
  return [...new Set(ads.flatMap(({ interfaces }) => (interfaces === 'all' ? [] : [...interfaces])))].sort()
}
