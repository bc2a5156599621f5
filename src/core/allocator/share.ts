/** Which Services may hold one address together (chapter 02 section 2.6). */
import { type Address, formatAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { annotationOf, type Service } from '../service.ts'
import { quote } from './text.ts'

/** What a Service brings to a shared address. */
export interface ShareKey {
  /** The annotation; empty: shares with nobody. */
  readonly sharing: string
  /** With traffic policy Local the selector as sorted `k=v` pairs; otherwise empty. */
  readonly backend: string
  /** Equal texts may share. Names the namespace where the back ends matter (D7); empty where nothing is shared. */
  readonly group: string
}

export function shareKeyOf(service: Service): ShareKey {
  const sharing = annotationOf(service, 'allow-shared-ip') ?? ''
  const backend = service.localTrafficPolicy ? selectorText(service) : ''
  const group = sharing === '' ? '' : JSON.stringify([sharing, backend, backend === '' ? '' : service.namespace])
  return { sharing, backend, group }
}

function selectorText({ selector }: Service): string {
  const pairs = Object.entries(selector).map(([key, value]) => `${key}=${value}`)
  return pairs.sort().join(',')
}

/** Whether two Services may share. `learned`: the older rule, without the namespace, for what a status already says (D7). */
export function sharesWith(a: ShareKey, b: ShareKey, learned: boolean): boolean {
  if (a.sharing === '' || a.sharing !== b.sharing) return false
  return learned ? a.backend === b.backend : a.group === b.group
}

/** `TCP/80`: identity of a port on an address. */
export function portNames({ ports }: Service): string[] {
  return ports.map(({ protocol, port }) => `${protocol}/${port}`)
}

/** The precise cause behind `can't change sharing key`, in words. */
export function sharingReason(service: Service, mine: ShareKey, other: string, theirs: ShareKey): Reason {
  const field = 'metadata.annotations[metallb.io/allow-shared-ip]'
  const [namespace, name] = other.split('/') as [string, string]
  const object = { kind: 'Service', namespace, name }
  const because = (code: string, message: string, at = field): Reason => ({ code, message, object, field: at })
  if (mine.sharing === '') {
    const hint = annotationInLabels(service) ? ' (the key is among its labels, it must be an annotation)' : ''
    return because('noSharingKey', `holds the address and ${service.key} has no sharing key${hint}`)
  }
  if (theirs.sharing === '') return because('noSharingKey', 'holds the address and has no sharing key')
  if (theirs.sharing !== mine.sharing)
    return because('sharingKeyDiffers', `has sharing key ${quote(theirs.sharing)}, not ${quote(mine.sharing)}`)
  const wanted = 'externalTrafficPolicy Local needs the same namespace and selector on both'
  return because('backendsDiffer', wanted, 'spec.externalTrafficPolicy')
}

function annotationInLabels({ labels }: Service): boolean {
  return ['metallb.io', 'metallb.universe.tf'].some(prefix => Object.hasOwn(labels, `${prefix}/allow-shared-ip`))
}

export function portClashText(port: string, address: Address): string {
  return `port ${port} is already in use on ${quote(formatAddress(address))}`
}
