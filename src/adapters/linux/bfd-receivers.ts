/** The sockets that receive for all sessions: opened when the first session needs one, closed with the last. */
import type { LivenessTarget } from '../../ports/index.ts'
import { BfdReceiver, type ReceiveKey } from './bfd-sockets.ts'
import { SystemError } from './ffi.ts'

export class BfdReceivers {
  readonly #open = new Map<string, BfdReceiver>()
  readonly #failed: (key: ReceiveKey, error: SystemError) => void

  constructor(failed: (key: ReceiveKey, error: SystemError) => void) {
    this.#failed = failed
  }

  list(): readonly BfdReceiver[] {
    return [...this.#open.values()]
  }

  /** Opens and closes until there is what the sessions need. False where something could not be opened. */
  provide(targets: Iterable<LivenessTarget>): boolean {
    const wanted = new Map([...targets].map(target => [nameOf(keyOf(target)), keyOf(target)]))
    for (const [name, receiver] of this.#open)
      if (!wanted.has(name)) {
        receiver.close()
        this.#open.delete(name)
      }
    return [...wanted].map(([name, key]) => this.#open.has(name) || this.#add(name, key)).every(open => open)
  }

  close(): void {
    for (const receiver of this.#open.values()) receiver.close()
  }

  #add(name: string, key: ReceiveKey): boolean {
    const shared = this.list().some(
      ({ key: { family, multihop } }) => family === key.family && multihop === key.multihop,
    )
    try {
      this.#open.set(name, new BfdReceiver(key, shared))
      return true
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#failed(key, error)
      return false
    }
  }
}

function keyOf({ peer, multihop, interface: device }: LivenessTarget): ReceiveKey {
  return { family: peer.family, multihop, device }
}

function nameOf({ family, multihop, device = '' }: ReceiveKey): string {
  return `${family} ${multihop} ${device}`
}
