/** A Service, its endpoints and the nodes as the decisions see them: parsed once, at the border (src/api). */
import type { Address, Family } from './ip/index.ts'
import type { Labels } from './labels.ts'

export type IPFamilyPolicy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'

export interface ServicePort {
  readonly protocol: string
  readonly port: number
}

/** One entry of `status.loadBalancer.ingress`. */
export interface Ingress {
  /** As written; empty for hostname-only entries. */
  readonly text: string
  /** Absent where the text is no address. */
  readonly address?: Address
}

export interface Service {
  /** `namespace/name`. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** `metadata.creationTimestamp`; sorts as text. */
  readonly created: string
  readonly labels: Labels
  readonly annotations: Labels
  /** `spec.type`. */
  readonly type: string
  readonly loadBalancerClass?: string
  /** `spec.clusterIPs`, or `spec.clusterIP` alone; as written, `None` included. */
  readonly clusterIPs: readonly string[]
  readonly ipFamilyPolicy: IPFamilyPolicy
  /** `spec.ipFamilies[0]`. */
  readonly primaryFamily?: Family
  readonly ports: readonly ServicePort[]
  readonly localTrafficPolicy: boolean
  /** `spec.selector`. */
  readonly selector: Labels
  /** `spec.loadBalancerIP` as written; empty where absent. */
  readonly loadBalancerIP: string
  readonly ingress: readonly Ingress[]
}

/** One endpoint of a Service's EndpointSlices. */
export interface Endpoint {
  readonly addresses: readonly string[]
  /** Absent where the slice does not say. */
  readonly nodeName?: string
  /** `ready` is absent or true, or `serving` is true: a terminating endpoint that still serves counts. */
  readonly canServe: boolean
}

export interface Node {
  readonly name: string
  readonly labels: Labels
  /** Condition NetworkUnavailable is True. */
  readonly networkUnavailable: boolean
  /** Condition Ready is True; informational, the election does not look at it. */
  readonly ready: boolean
  /** `spec.unschedulable`; informational. */
  readonly unschedulable: boolean
  /** A taint says that the machine is off: SHUTDOWN_TAINTS. */
  readonly shutDown?: boolean
  readonly addresses: readonly Address[]
}

/** The label that takes a node out of load balancing, whatever its value. */
export const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** On a Node, with any value but `false`: traffic should leave it, because it is about to be taken out of service. */
export const DRAIN_LABEL = 'metallb.io/drain'

export const POOL_ANNOTATION = 'metallb.io/ip-allocated-from-pool'

/** The value of an annotation under the current or the deprecated prefix: the new key, where present, hides the old one. */
export function annotationOf(service: Pick<Service, 'annotations'>, name: string): string | undefined {
  const { annotations } = service
  return annotations[`metallb.io/${name}`] ?? annotations[`metallb.universe.tf/${name}`]
}
