/** What a plan takes for granted, since no object says it. */
import { type Cluster, speakerNodes } from '../explain/index.ts'
import type { PlannedService } from './plan.ts'

/** One sentence each; nothing about protocols that announce nothing. */
export function planAssumptions({ pods }: Cluster, services: readonly PlannedService[]): string[] {
  const announcements = services.flatMap(service => service.announcements)
  const layer2 = announcements.filter(({ protocol }) => protocol === 'layer2')
  const selected = layer2.some(one => one.protocol === 'layer2' && one.interfaces !== 'all')
  return [
    ...(announcements.length > 0 && speakerNodes(pods) === undefined ? ['a speaker runs on every node'] : []),
    ...(layer2.length > 0
      ? ['layer 2: speakers see one another (--require-majority), none is held down (--hold-down)']
      : []),
    ...(selected ? ['layer 2: the interfaces that advertisements select are there and can be used'] : []),
    ...(layer2.length < announcements.length ? ['BGP: the sessions with the peers are established'] : []),
  ]
}
