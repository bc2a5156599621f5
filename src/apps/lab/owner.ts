import type { Host } from './machine.ts'
import type { NodePlan } from './topology.ts'

/** Lets the kernel resolve an IPv6 address anew: ndisc6 does not hear answers from link-local addresses, as speakers give. */
const RESOLVE = `ip neigh flush to "$0" dev eth0
bash -c 'echo >/dev/udp/'"$0"/9
for i in 1 2 3 4 5 6 7 8 9 10; do
  ip -6 neigh show "$0" dev eth0 | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p' | grep . && exit
  sleep 0.1
done`

/** Which node answers ARP or NDP for the address, asked from a machine on the LAN; undefined where nobody does. */
export async function ownerOf(address: string, asker: Host, nodes: readonly NodePlan[]): Promise<string | undefined> {
  const arping = ['arping', '-r', '-C', '1', '-w', '1', '-i', 'eth0', address]
  const { stdout } = await asker.exec(address.includes(':') ? ['sh', '-c', RESOLVE, address] : arping)
  return nodes.find(({ mac }) => mac === stdout.trim())?.name
}
