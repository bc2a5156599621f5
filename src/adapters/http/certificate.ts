/** The certificate of a server: from a directory, read again whenever it changes, or self-signed in memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Clock, Logger, Timer } from '../../ports/index.ts'
import { type KeyPair, selfSigned } from './self-signed.ts'

export interface CertificateOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Holds tls.crt and tls.key. */
  readonly dir: string
  /** Names of the self-signed one, used while the directory has no usable pair. */
  readonly names: readonly string[]
}

const POLL_MS = 5_000

export class ServingCertificate {
  readonly #options: CertificateOptions
  #current: KeyPair | undefined
  #problem = ''
  #timer: Timer | undefined

  constructor(options: CertificateOptions) {
    this.#options = options
  }

  current(): KeyPair {
    this.#current ??= this.#load() ?? selfSigned(this.#options.names, this.#options.clock.now())
    return this.#current
  }

  /** Calls back with each new pair until `stop`. Polls: kubelet swaps symlinks, which file events report badly. */
  watch(changed: (pair: KeyPair) => void): void {
    this.#timer = this.#options.clock.after(POLL_MS, () => {
      const before = this.current()
      const loaded = this.#load()
      if (loaded !== undefined && loaded.cert !== before.cert) {
        this.#current = loaded
        this.#options.log.info({ op: 'certificate', path: this.#options.dir, msg: 'serving certificate reloaded' })
        changed(loaded)
      }
      this.watch(changed)
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** Undefined where there is no pair, or none that fits together: half of a swap may be seen. */
  #load(): KeyPair | undefined {
    const { dir, log } = this.#options
    try {
      const cert = readFileSync(join(dir, 'tls.crt'), 'utf8')
      const key = readFileSync(join(dir, 'tls.key'), 'utf8')
      createSecureContext({ cert, key })
      this.#problem = ''
      return { cert, key }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && message !== this.#problem)
        log.error({ op: 'certificate', path: dir, error, msg: 'serving certificate cannot be used' })
      this.#problem = message
      return undefined
    }
  }
}
