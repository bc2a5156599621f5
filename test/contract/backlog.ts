import { readFileSync } from 'node:fs'

/**
 * Frames that the kernel lost so far between the two ends of veth pairs, before any socket was asked: a processor takes up to
 * net.core.netdev_max_backlog (1000) frames it has no time for. The second column of /proc/net/softnet_stat, a line a processor.
 */
export function backlogDrops(): number {
  const lines = readFileSync('/proc/net/softnet_stat', 'utf8').trim().split('\n')
  return lines.reduce((sum, line) => sum + Number.parseInt(line.split(' ')[1]!, 16), 0)
}
