/**
 * The shape of the cluster, worked out before anything is made: which namespaces, links and addresses there are.
 * Two networks, kept apart so that losing one differs from losing the other:
 *
 *   LAN  192.168.10.0/24  bridge in the namespace `switch`: router .1, client .2, nodes .11 and up; Services live here
 *   mgmt 10.254.0.0/24    bridge in the namespace `control`: API server and controller .1, nodes .11 and up
 *
 * Each node also has a bridge `cni0` for the pods it runs, 10.244.N.0/24. The LAN and pods have IPv6 too: fd00:192:168:10::/64
 * and fd00:10:244:N::/64, with the same last numbers.
 */

/** A machine on the LAN. */
export interface Machine {
  readonly name: string
  readonly netns: string
  readonly address: string
  readonly address6: string
  readonly mac: string
}

export interface NodePlan extends Machine {
  /** From 1. */
  readonly index: number
  readonly mgmt: string
  readonly podCidr: string
  readonly podGateway: string
  readonly podCidr6: string
  readonly podGateway6: string
}

export interface Plan {
  readonly name: string
  /** Namespace of the LAN's bridge; its ports are named after the machines. */
  readonly switch: string
  /** Namespace of the control plane, with the bridge of the management network. */
  readonly control: string
  readonly router: Machine
  readonly client: Machine
  readonly nodes: readonly NodePlan[]
}

export const CONTROL_ADDRESS = '10.254.0.1'
/** The part of the LAN that no machine uses: a pool for Services. */
export const SERVICE_RANGE = '192.168.10.200-192.168.10.250'
/** The same of IPv6. */
export const SERVICE_RANGE6 = 'fd00:192:168:10::200-fd00:192:168:10::250'
export const POD_CIDR = '10.244.0.0/16'
export const POD_CIDR6 = 'fd00:10:244::/48'
export const MAX_NODES = 50

/** Throws a RangeError that says what is wrong with the name or the number of nodes. */
export function planLab(name: string, nodes: number): Plan {
  if (!/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(name))
    throw new RangeError(`lab name '${name}': up to 20 lower-case letters, digits and inner dashes`)
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new RangeError(`a lab has 1 to ${MAX_NODES} nodes, not ${nodes}`)
  return {
    name,
    switch: netnsOf(name, 'switch'),
    control: netnsOf(name, 'control'),
    router: machine(name, 'router', 1),
    client: machine(name, 'client', 2),
    nodes: Array.from({ length: nodes }, (_, i) => nodePlan(name, i + 1)),
  }
}

/** Everything a lab of this name makes starts with this. */
export function netnsPrefix(name: string): string {
  return `metallb-${name}.`
}

export function netnsOf(name: string, part: string): string {
  return netnsPrefix(name) + part
}

/** All namespaces of the plan; those of pods come later. */
export function namespacesOf(plan: Plan): string[] {
  return [plan.switch, plan.control, plan.router.netns, plan.client.netns, ...plan.nodes.map(node => node.netns)]
}

function machine(lab: string, name: string, host: number): Machine {
  const mac = `02:00:00:00:00:${String(host).padStart(2, '0')}` // the digits of the address, for readers of captures
  const addresses = { address: `192.168.10.${host}`, address6: `fd00:192:168:10::${host}` }
  return { name, netns: netnsOf(lab, name), ...addresses, mac }
}

function nodePlan(lab: string, index: number): NodePlan {
  const host = index + 10
  return {
    ...machine(lab, `node${index}`, host),
    index,
    mgmt: `10.254.0.${host}`,
    podCidr: `10.244.${index}.0/24`,
    podGateway: `10.244.${index}.1`,
    podCidr6: `fd00:10:244:${index}::/64`,
    podGateway6: `fd00:10:244:${index}::1`,
  }
}
