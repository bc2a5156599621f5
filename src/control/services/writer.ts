import { type ServiceResource, services } from '../../api/index.ts'
import { type Address, formatAddress, parseAddress } from '../../core/ip/index.ts'
import { objectKey } from '../../core/object.ts'
import { type KubeApi, KubeError, type Logger } from '../../ports/index.ts'
import type { AwaitedVersions } from './versions.ts'
import { type Written, withOutcome } from './write-back.ts'

/**
 * Writes status and annotation. A Service that takes an address over from another waits until the write that takes it
 * away from that one has ended, so that no two Services ever show an address they do not share.
 */
export class ServiceWriter {
  readonly #api: KubeApi
  readonly #log: Logger
  readonly #versions: AwaitedVersions
  /** Address to the write that takes it away from the Service that showed it. */
  readonly #leaving = new Map<string, Promise<unknown>>()

  constructor(api: KubeApi, log: Logger, versions: AwaitedVersions) {
    this.#api = api
    this.#log = log
    this.#versions = versions
  }

  /** `mayWrite` is asked again right before the request: leadership may have ended while waiting. */
  async write(resource: ServiceResource, outcome: Written, mayWrite: () => boolean): Promise<'done' | 'retry'> {
    const { leaving, coming } = difference(resource, outcome.addresses)
    const before = coming.flatMap(address => this.#leaving.get(address) ?? [])
    const writing = this.#replace(withOutcome(resource, outcome), before, mayWrite)
    for (const address of leaving) this.#leaving.set(address, writing)
    const result = await writing
    for (const address of leaving) if (this.#leaving.get(address) === writing) this.#leaving.delete(address)
    return result
  }

  async #replace(updated: ServiceResource, before: Promise<unknown>[], mayWrite: () => boolean) {
    await Promise.all(before)
    if (!mayWrite()) return 'done'
    const key = objectKey(updated.metadata)
    try {
      const written = await this.#api.replace(services, updated, 'status')
      this.#versions.expect(key, written.metadata.resourceVersion)
      this.#log.info({ event: 'serviceUpdated', service: key, msg: 'updated service object' })
      return 'done'
    } catch (error) {
      if (error instanceof KubeError && error.code === 'NOT_FOUND') return 'done' // the deletion is on its way to us
      this.#log.error({ op: 'updateServiceStatus', service: key, error, msg: 'failed to update service' })
      return 'retry'
    }
  }
}

function difference({ status }: ServiceResource, addresses: readonly Address[]) {
  const shown = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '' }) => parseAddress(ip) ?? [])
  const before = new Set(shown.map(formatAddress))
  const after = new Set(addresses.map(formatAddress))
  return {
    leaving: [...before].filter(address => !after.has(address)),
    coming: [...after].filter(address => !before.has(address)),
  }
}
