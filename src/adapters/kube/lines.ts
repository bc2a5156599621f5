import { KubeError } from '../../ports/index.ts'

const NEWLINE = 0x0a

/** Cuts a byte stream into lines, however the bytes come; a character cut in two arrives whole. */
export class LineSplitter {
  readonly #limit: number
  #pending: Uint8Array[] = []
  #length = 0

  /** Longest line in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The lines these bytes complete. Throws MALFORMED as soon as a line exceeds the limit. */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#keep(bytes.subarray(start, end))
      lines.push(this.#take())
      start = end + 1
    }
    this.#keep(bytes.subarray(start))
    return lines
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length > this.#limit) throw new KubeError('MALFORMED', `line is longer than ${this.#limit} bytes`)
    if (part.length > 0) this.#pending.push(part)
  }

  #take(): string {
    const line =
      this.#pending.length === 1
        ? Buffer.from(this.#pending[0]!.buffer, this.#pending[0]!.byteOffset, this.#length)
        : Buffer.concat(this.#pending)
    this.#pending = []
    this.#length = 0
    return line.toString('utf8')
  }
}
