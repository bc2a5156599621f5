/** The key of memberlist and heartbeats: read from the mounted Secret, and followed. */
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { Logger, Task } from '../../ports/index.ts'
import { Fatal } from '../daemon.ts'

const SECRET = 'secretkey'

/**
 * The secret, and further ones that are believed while keys are changed: files `secretkey-…` beside it (IMP-20). Empty
 * where nothing is to be encrypted.
 */
export function readSecrets(directory: string): Uint8Array[] {
  if (directory === '') return []
  try {
    const others = readdirSync(directory).filter(name => name.startsWith(`${SECRET}-`))
    const [own, ...rest] = [SECRET, ...others.sort()].map(name => new Uint8Array(readFileSync(join(directory, name))))
    return own!.length === 0 ? [] : [own!, ...rest.filter(({ length }) => length > 0)]
  } catch (error) {
    throw new Fatal({ op: 'startup', error, msg: 'failed to read memberlist secret key file' })
  }
}

/** Follows the mounted Secret: kubelet replaces it by turning a link. */
export class KeyReload implements Task {
  readonly name = 'memberlist keys'
  readonly #directory: string
  readonly #log: Logger
  readonly #apply: (secrets: readonly Uint8Array[]) => void
  #watcher: FSWatcher | undefined

  constructor(directory: string, log: Logger, apply: (secrets: readonly Uint8Array[]) => void) {
    this.#directory = directory
    this.#log = log
    this.#apply = apply
  }

  /** A node may allow no further watch (`fs.inotify`): the keys that were read serve all the same. */
  start(): void {
    const failed = (error: unknown) => this.#log.error({ op: 'memberlistKeys', error, msg: 'keys are not followed' })
    try {
      this.#watcher = watch(this.#directory, () => this.#reload())
      this.#watcher.on('error', failed)
    } catch (error) {
      failed(error)
    }
  }

  stop(): void {
    this.#watcher?.close()
  }

  ready(): true {
    return true
  }

  /** A Secret that is gone or empty for a moment changes nothing: encryption is not turned off in a running process. */
  #reload(): void {
    try {
      const secrets = readSecrets(this.#directory)
      if (secrets.length > 0) this.#apply(secrets)
    } catch (error) {
      this.#log.debug({ op: 'memberlistKeys', error, msg: 'keys are not readable now' })
    }
  }
}
