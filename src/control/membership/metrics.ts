import type { Clock, Gauge, Metrics, Task, Timer } from '../../ports/index.ts'
import type { MemberlistMembership } from './memberlist.ts'

const COLLECT_MS = 1000

/** Brings what memberlist knows into metrics (IMP-23, chapter 05 section 7.9). */
export class MemberlistMetrics implements Task {
  readonly name = 'memberlist metrics'
  readonly #memberlist: Pick<MemberlistMembership, 'present' | 'health'>
  readonly #clock: Clock
  readonly #members: Gauge
  readonly #health: Gauge
  #timer: Timer | undefined

  constructor(memberlist: Pick<MemberlistMembership, 'present' | 'health'>, metrics: Metrics, clock: Clock) {
    this.#memberlist = memberlist
    this.#clock = clock
    this.#members = metrics.gauge({
      name: 'metallb_memberlist_members',
      help: 'Number of speakers that memberlist knows, this one included, by state: alive or suspect',
      labels: ['state'],
    })
    this.#health = metrics.gauge({
      name: 'metallb_memberlist_health_score',
      help: 'Health of this node as memberlist sees it: 0 is well, higher is a node that hears others too late',
    })
  }

  start(): void {
    const members = [...this.#memberlist.present().values()]
    const suspect = members.filter(member => member.suspect).length
    this.#members.set(members.length - suspect, { state: 'alive' })
    this.#members.set(suspect, { state: 'suspect' })
    this.#health.set(this.#memberlist.health)
    this.#timer = this.#clock.after(COLLECT_MS, () => this.start())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  ready(): true {
    return true
  }
}
