/** metallb.io/v1beta1 IPAddressPool, chapter 01 section 1.2. */
import type { LabelSelector } from '../core/labels.ts'
import type { KubeObject, ResourceType } from '../core/object.ts'
import { crdVersion, defineCrd, flag, int64, record, selectors, texts } from './schema.ts'

export interface IPAddressPoolResource extends KubeObject {
  spec: {
    addresses: string[]
    /** Absent means true. */
    autoAssign?: boolean
    avoidBuggyIPs?: boolean
    serviceAllocation?: {
      priority?: number
      namespaces?: string[]
      namespaceSelectors?: LabelSelector[]
      serviceSelectors?: LabelSelector[]
    }
  }
  status?: IPAddressPoolStatus
}

/** Counters of addresses; int64, so beyond 2^53 they are bigints. */
export interface IPAddressPoolStatus {
  assignedIPv4: number | bigint
  assignedIPv6: number | bigint
  availableIPv4: number | bigint
  availableIPv6: number | bigint
}

export const ipAddressPools: ResourceType<IPAddressPoolResource> = {
  group: 'metallb.io',
  version: 'v1beta1',
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  namespaced: true,
}

const serviceAllocation = record(
  {
    namespaces: texts('Namespaces whose services may use the pool.'),
    namespaceSelectors: selectors('Namespaces whose services may use the pool, by label; added to namespaces.'),
    priority: { type: 'integer', description: 'Lower numbers are tried first; 0 or unset is tried last.' },
    serviceSelectors: selectors('Services that may use the pool, by label; any selector may match.'),
  },
  'Restricts the pool to some services and gives it a priority.',
)

const spec = record(
  {
    addresses: texts('CIDRs (192.0.2.0/24) and ranges (192.0.2.10-192.0.2.20) of addresses the pool owns.'),
    autoAssign: flag('Whether services that ask for nothing get addresses from this pool.', { default: true }),
    avoidBuggyIPs: flag('Do not hand out IPv4 addresses ending in .0 and .255.', { default: false }),
    serviceAllocation,
  },
  'What the pool owns and who may use it.',
  { required: ['addresses'] },
)

const status = record(
  {
    assignedIPv4: int64('Distinct IPv4 addresses in use.'),
    assignedIPv6: int64('Distinct IPv6 addresses in use.'),
    availableIPv4: int64('IPv4 addresses left.'),
    availableIPv6: int64('IPv6 addresses left.'),
  },
  'How full the pool is; written by the controller.',
  { required: ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'] },
)

export const ipAddressPoolCrd = defineCrd(ipAddressPools, [
  crdVersion('v1beta1', true, {
    description: 'A pool of addresses that services of type LoadBalancer can get.',
    properties: { spec, status },
    required: ['spec'],
    columns: [
      { name: 'Auto Assign', type: 'boolean', jsonPath: '.spec.autoAssign' },
      { name: 'Avoid Buggy IPs', type: 'boolean', jsonPath: '.spec.avoidBuggyIPs' },
      { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses' },
    ],
  }),
])
