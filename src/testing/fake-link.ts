import type { Link } from '../ports/index.ts'

export const QUEUE_LENGTH = 256

/** Two ends of a wire without a network. Like a socket, an end that is not read loses what does not fit its queue. */
export class FakeLink implements Link {
  readonly #waiting: Uint8Array[] = []
  #peer: FakeLink | undefined
  #closed = false
  #dropped = 0
  /** A cable that is pulled: sending throws. */
  down = false

  static pair(): { left: FakeLink; right: FakeLink } {
    const left = new FakeLink()
    const right = new FakeLink()
    left.#peer = right
    right.#peer = left
    return { left, right }
  }

  send(frame: Uint8Array): void {
    if (this.#closed) throw new Error('the link is closed')
    if (this.down) throw new Error('the link is down')
    const peer = this.#peer
    if (peer === undefined || peer.#closed) return
    if (peer.#waiting.length < QUEUE_LENGTH) peer.#waiting.push(frame.slice())
    else peer.#dropped++
  }

  receive(into: Uint8Array): number {
    const frame = this.#waiting.shift()
    if (frame === undefined) return -1
    const length = Math.min(frame.length, into.length)
    into.set(frame.subarray(0, length))
    return length
  }

  dropped(): number {
    const dropped = this.#dropped
    this.#dropped = 0
    return dropped
  }

  close(): void {
    this.#closed = true
    this.#waiting.length = 0
  }

  get closed(): boolean {
    return this.#closed
  }
}
