import { readFileSync, statSync } from 'node:fs'
import { CredentialsError } from './access.ts'

/** The text of a file that others replace at any time, as kubelet does: read again whenever the file changed. */
export class WatchedFile {
  readonly #path: string
  #seen = ''
  #text = ''

  constructor(path: string) {
    this.#path = path
  }

  /** Trimmed. While the file is missing for a moment the last text stays in use. */
  read(): string {
    try {
      const { ino, mtimeMs, size } = statSync(this.#path)
      const seen = `${ino} ${mtimeMs} ${size}`
      if (seen !== this.#seen) this.#text = readFileSync(this.#path, 'utf8').trim()
      this.#seen = seen
    } catch (error) {
      if (this.#text === '') throw new CredentialsError(`${this.#path}: ${(error as Error).message}`)
    }
    if (this.#text === '') throw new CredentialsError(`${this.#path}: the file is empty`)
    return this.#text
  }
}
