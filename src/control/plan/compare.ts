/** Who gains, loses or moves an address or an announcement from one plan to another. */
import type { PlannedAnnouncement, PlannedService } from './plan.ts'

export interface PlannedChange {
  readonly namespace: string
  readonly name: string
  /** `addresses`, or the nodes that announce by a protocol. */
  readonly what: 'addresses' | 'layer2' | 'bgp'
  /** `gains`: had none; `loses`: has none afterwards; `moves`: has others. */
  readonly kind: 'gains' | 'loses' | 'moves'
  /** Addresses, or `address@node` (BGP: `prefix@node`, with ` drained` where peers are told to prefer others), sorted. */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

type Shown = Pick<PlannedService, 'namespace' | 'name' | 'addresses' | 'announcements'>

/** In order of namespace and name; nothing for a Service that stays as it is. */
export function comparePlans(before: readonly Shown[], after: readonly Shown[]): PlannedChange[] {
  const [old, now] = [byKey(before), byKey(after)]
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap(key => changesOf(old.get(key), now.get(key)))
}

function byKey(services: readonly Shown[]): Map<string, Shown> {
  return new Map(services.map(service => [`${service.namespace}/${service.name}`, service]))
}

function changesOf(before: Shown | undefined, after: Shown | undefined): PlannedChange[] {
  const { namespace, name } = (after ?? before)!
  return (['addresses', 'layer2', 'bgp'] as const).flatMap(what => {
    const [had, has] = [valuesOf(before, what), valuesOf(after, what)]
    if (had.join() === has.join()) return []
    const kind = had.length === 0 ? 'gains' : has.length === 0 ? 'loses' : 'moves'
    return [{ namespace, name, what, kind, before: had, after: has }]
  })
}

function valuesOf(service: Shown | undefined, what: PlannedChange['what']): string[] {
  if (service === undefined) return []
  if (what === 'addresses') return [...service.addresses].sort()
  return service.announcements
    .filter(({ protocol }) => protocol === what)
    .map(placeOf)
    .sort()
}

function placeOf(announcement: PlannedAnnouncement): string {
  const { node } = announcement
  if (announcement.protocol === 'layer2') return `${announcement.address}@${node}`
  return `${announcement.prefix}@${node}${announcement.drained ? ' drained' : ''}`
}
