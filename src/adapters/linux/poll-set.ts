/** The descriptors that a thread sleeps on. */
import { endianness } from 'node:os'
import { ERRNO, errno, POLLIN, poll, ppoll, SystemError } from './ffi.ts'

/** struct pollfd {int fd; short events; short revents}, once for each descriptor. */
export class PollSet {
  readonly #bytes: Uint8Array
  readonly #revents: Int16Array
  readonly #count: number
  /** struct timespec {long seconds; long nanoseconds} */
  readonly #timeout = new BigInt64Array(2)
  readonly #timeoutBytes = new Uint8Array(this.#timeout.buffer)

  constructor(fds: readonly number[]) {
    this.#bytes = Buffer.allocUnsafeSlow(8 * fds.length)
    this.#revents = new Int16Array(this.#bytes.buffer)
    this.#count = fds.length
    const view = new DataView(this.#bytes.buffer)
    const little = endianness() === 'LE'
    for (const [place, fd] of fds.entries()) {
      view.setInt32(8 * place, fd, little)
      view.setInt16(8 * place + 4, POLLIN, little)
      view.setInt16(8 * place + 6, 0, little)
    }
  }

  /** How many are ready. @throws SystemError */
  wait(timeoutMs: number): number {
    return checked('poll', poll(this.#bytes, this.#count, timeoutMs))
  }

  /** The same, to the microsecond and below a second. @throws SystemError */
  waitPrecisely(timeoutMs: number): number {
    this.#timeout[1] = BigInt(Math.ceil(timeoutMs * 1000)) * 1000n
    return checked('ppoll', ppoll(this.#bytes, this.#count, this.#timeoutBytes, null))
  }

  isReady(place: number): boolean {
    return this.#revents[4 * place + 3] !== 0
  }
}

function checked(call: string, ready: number): number {
  if (ready < 0 && errno() !== ERRNO.EINTR) throw new SystemError(call, errno())
  return ready
}
