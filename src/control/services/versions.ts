/** Resource versions that the cache has still to reach: our own writes, and what a list showed (D2). */
import type { Clock } from '../../ports/index.ts'

/** A cache that is further behind than this has gone back in time, with the server: believe it. */
const PATIENCE_MS = 30_000

export class AwaitedVersions {
  readonly #clock: Clock
  readonly #awaited = new Map<string, { version: string; until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  expect(key: string, version: string | undefined): void {
    if (version !== undefined) this.#awaited.set(key, { version, until: this.#clock.monotonic() + PATIENCE_MS })
  }

  /** Whether the object with this version is older than what was seen already. */
  isStale(key: string, version: string | undefined): boolean {
    const awaited = this.#awaited.get(key)
    if (awaited === undefined) return false
    if (isOlder(version, awaited.version) && this.#clock.monotonic() < awaited.until) return true
    this.#awaited.delete(key)
    return false
  }

  forget(key: string): void {
    this.#awaited.delete(key)
  }

  clear(): void {
    this.#awaited.clear()
  }
}

/** Versions are decimal numbers of one sequence (KEP-5504); others cannot be compared and count as current. */
function isOlder(version: string | undefined, than: string): boolean {
  const decimal = /^[0-9]+$/
  return version !== undefined && decimal.test(version) && decimal.test(than) && BigInt(version) < BigInt(than)
}
