/** Makes and removes the namespaces and links of a plan, by `ip`: one call a namespace, each a batch. */
import { CommandError, must, type RunOptions, run } from './command.ts'
import { CONTROL_ADDRESS, type Machine, type NodePlan, namespacesOf, netnsPrefix, type Plan } from './topology.ts'

/** The words before a command that make it run inside the namespace; the process keeps its pid. */
export function inside(netns: string): string[] {
  return ['nsenter', `--net=/run/netns/${netns}`]
}

/** Runs `ip` commands, one a line, all or an error; inside a namespace where one is named. */
export async function ip(netns: string | undefined, lines: readonly string[], options: RunOptions = {}): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns]
  await must(['ip', ...where, '-batch', '-'], { ...options, input: `${lines.join('\n')}\n` })
}

/** `uplinks`: each node also has a cable of its own to the router, without addresses: for BGP unnumbered. */
export async function buildNetwork(plan: Plan, { uplinks = false } = {}): Promise<void> {
  await ip(
    undefined,
    namespacesOf(plan).map(netns => `netns add ${netns}`),
  )
  await Promise.all([ip(plan.switch, switchLinks(plan)), ip(plan.control, controlLinks(plan))])
  await Promise.all([
    setUpMachine(plan.router, [], ['ipv4/ip_forward=1', 'ipv6/conf/all/forwarding=1']),
    setUpMachine(plan.client, defaultRoutes(plan.router), ['ipv6/conf/eth0/accept_redirects=0']),
    ...plan.nodes.map(node => setUpMachine(node, nodeLinks(node, plan), NODE_SYSCTLS)),
  ])
  if (uplinks) await addUplinks(plan)
}

/** Removes every namespace of the lab, pods included, whatever is left of them and whoever else removes them too. */
export async function removeNetwork(name: string): Promise<void> {
  const left = await namespacesLeft(name)
  if (left.length === 0) return
  const input = left.map(netns => `netns delete ${netns}\n`).join('')
  const { stderr } = await run(['ip', '-force', '-batch', '-'], { input })
  if ((await namespacesLeft(name)).length > 0) throw new CommandError(`cannot remove namespaces: ${stderr.trim()}`)
}

async function namespacesLeft(name: string): Promise<string[]> {
  const { stdout } = await run(['ip', 'netns', 'list'])
  const names = stdout.split('\n').map(line => line.split(' ')[0] ?? '')
  return names.filter(netns => netns.startsWith(netnsPrefix(name)))
}

/** A namespace for a pod, on the node's pod bridge, with the node as its way out. */
export async function addPod(node: NodePlan, { netns, address, address6, mac }: Machine): Promise<void> {
  const port = portOf(address)
  await ip(undefined, [`netns add ${netns}`])
  await ip(node.netns, [
    `link add ${port} type veth peer name eth0 address ${mac} netns ${netns}`,
    `link set dev ${port} master cni0`,
    `link set dev ${port} up`,
  ])
  const way = { address: node.podGateway, address6: node.podGateway6 }
  await ip(netns, ['link set dev lo up', ...lanLinks({ address, address6 }), ...defaultRoutes(way)])
}

/** Removes a pod's namespace; its link goes with it. */
export async function removePod(netns: string): Promise<void> {
  await ip(undefined, [`netns delete ${netns}`])
}

/** Interface names are at most 15 characters: a port is named after the pod's address. */
function portOf(address: string): string {
  return `veth${address.split('.').slice(2).join('-')}`
}

const BRIDGE = 'type bridge stp_state 0 forward_delay 0 mcast_snooping 0'

function port(bridge: string, name: string, netns: string, peer: string): string[] {
  return [
    `link add ${name} type veth peer name ${peer} netns ${netns}`,
    `link set dev ${name} master ${bridge}`,
    `link set dev ${name} up`,
  ]
}

function switchLinks({ router, client, nodes }: Plan): string[] {
  const ports = [router, client, ...nodes].flatMap(({ name, netns, mac }) =>
    port('br0', name, netns, `eth0 address ${mac}`),
  )
  return [`link add br0 ${BRIDGE}`, 'link set dev br0 up', ...ports]
}

function controlLinks({ nodes }: Plan): string[] {
  const ports = nodes.flatMap(({ name, netns }) => port('mgmt', name, netns, 'mgmt0'))
  const bridge = [`link add mgmt ${BRIDGE}`, `addr add ${CONTROL_ADDRESS}/24 dev mgmt`, 'link set dev mgmt up']
  return ['link set dev lo up', ...bridge, ...ports]
}

/** `uplink` on the node; on the router it has the node's name. */
async function addUplinks({ router, nodes }: Plan): Promise<void> {
  const ends = nodes.flatMap(({ name, netns }) => [
    `link add ${name} type veth peer name uplink netns ${netns}`,
    `link set dev ${name} up`,
  ])
  await ip(router.netns, ends)
  await Promise.all(nodes.map(({ netns }) => ip(netns, ['link set dev uplink up'])))
}

function nodeLinks(node: NodePlan, { nodes, router }: Plan): string[] {
  const others = nodes.filter(other => other !== node)
  return [
    `addr add ${node.mgmt}/24 dev mgmt0`,
    'link set dev mgmt0 up',
    `link add cni0 ${BRIDGE}`,
    `addr add ${node.podGateway}/24 dev cni0`,
    `addr add ${node.podGateway6}/64 dev cni0 nodad`,
    'link set dev cni0 up',
    ...defaultRoutes(router),
    ...others.map(other => `route add ${other.podCidr} via ${other.address}`),
    ...others.map(other => `route add ${other.podCidr6} via ${other.address6}`),
  ]
}

/**
 * The node forwards for its pods, without telling clients of a shorter way: a redirect would lead them past the node
 * that translates their connection.
 */
const NODE_SYSCTLS = [
  'ipv4/ip_forward=1',
  'ipv4/conf/all/send_redirects=0',
  'ipv4/conf/eth0/send_redirects=0',
  'ipv4/conf/all/rp_filter=0',
  'ipv6/conf/all/forwarding=1',
]

type Addresses = Pick<Machine, 'address' | 'address6'>

/** Nobody else has these addresses: nothing waits for duplicate address detection. */
function lanLinks({ address, address6 }: Addresses): string[] {
  return [`addr add ${address}/24 dev eth0`, `addr add ${address6}/64 dev eth0 nodad`, 'link set dev eth0 up']
}

function defaultRoutes({ address, address6 }: Addresses): string[] {
  return [`route add default via ${address}`, `route add default via ${address6}`]
}

async function setUpMachine(machine: Machine, lines: string[], sysctls: string[]): Promise<void> {
  await ip(machine.netns, ['link set dev lo up', ...lanLinks(machine), ...lines])
  const writes = sysctls.map(setting => setting.split('=')).map(([key, value]) => `echo ${value} >/proc/sys/net/${key}`)
  if (writes.length > 0) await must([...inside(machine.netns), 'sh', '-ec', writes.join('\n')])
}
