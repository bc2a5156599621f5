/** A key pair in a directory, as Kubernetes mounts a Secret: tls.crt and tls.key, read again whenever they change. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock, KeyPair, Logger, Timer } from '../../ports/index.ts'

export interface CertificateDirectoryOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly dir: string
}

const POLL_MS = 5_000

export class CertificateDirectory {
  readonly #options: CertificateDirectoryOptions
  #last: KeyPair | undefined
  #problem = ''
  #timer: Timer | undefined

  constructor(options: CertificateDirectoryOptions) {
    this.#options = options
  }

  /** Undefined where there is no pair, or none that fits together: half of a swap may be seen. */
  read(): KeyPair | undefined {
    const { dir, log } = this.#options
    try {
      const cert = readFileSync(join(dir, 'tls.crt'), 'utf8')
      const key = readFileSync(join(dir, 'tls.key'), 'utf8')
      if (cert === '' && key === '') return undefined // the Secret as it is shipped
      createSecureContext({ cert, key })
      this.#problem = ''
      this.#last = { cert, key }
      return this.#last
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && message !== this.#problem)
        log.error({ op: 'certificate', path: dir, error, msg: 'serving certificate cannot be used' })
      this.#problem = message
      return undefined
    }
  }

  /** Calls back with each new pair until `stop`. Polls: kubelet swaps symlinks, which file events report badly. */
  watch(changed: (pair: KeyPair) => void): void {
    this.#timer = this.#options.clock.after(POLL_MS, () => {
      const before = this.#last?.cert
      const pair = this.read()
      if (pair !== undefined && pair.cert !== before) {
        this.#options.log.info({ op: 'certificate', path: this.#options.dir, msg: 'serving certificate reloaded' })
        changed(pair)
      }
      this.watch(changed)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
