/** From a Service and what is held to what the Service should look like (chapter 02 section 1.6). */
import { type Address, formatAddress, sameAddress } from '../ip/index.ts'
import type { Reason } from '../reason.ts'
import { POOL_ANNOTATION, type Service } from '../service.ts'
import { Account } from './account.ts'
import type { Allocation, Allocator } from './allocator.ts'
import { shownIngress, wantedOf } from './ingress.ts'
import type { Outcome } from './outcome.ts'
import { Refusal } from './refusal.ts'
import {
  addressesPerFamily,
  familiesOf,
  firstOfEachFamily,
  prefersDual,
  requestedAddresses,
  requestedPool,
  requestMet,
  type Want,
  wantOf,
} from './request.ts'
import { selectAddresses } from './select-addresses.ts'
import { quoteAddresses, quoteList } from './text.ts'
import { whyUnserved } from './unserved.ts'

export interface ConvergeOptions {
  /** An address stays until the one that is requested instead can be had (D17). Default: it is given up. */
  readonly keepUntilReplaced?: boolean
}

/** Brings the allocator in line with the Service; the caller writes the outcome back and files its needs. */
export function converge(allocator: Allocator, service: Service, options: ConvergeOptions = {}): Outcome {
  return new Convergence(allocator, service, options).run()
}

/** One run; the numbers are the steps of section 1.6. */
class Convergence {
  readonly #allocator: Allocator
  readonly #service: Service
  readonly #options: ConvergeOptions
  readonly #account: Account

  constructor(allocator: Allocator, service: Service, options: ConvergeOptions) {
    this.#allocator = allocator
    this.#service = service
    this.#options = options
    this.#account = new Account(service)
  }

  run(): Outcome {
    const service = this.#service
    const unserved = whyUnserved(service, this.#allocator.hasPools, this.#account) // 1 to 5
    if (unserved !== undefined) return this.#clear(unserved.result, unserved.reason)
    const want = wantOf(service)
    const shown = shownIngress(service)
    if (shown.length === 0) return this.#retake(want) ? this.#keep(want) : this.#allocate(want)
    const current = this.#validFamilies(shown)
    if (want instanceof Refusal) return this.#unknownFamily(want) // 6c
    this.#adopt(wantedOf(current, want, service))
    return this.#keep(want)
  }

  /** An allocation that no status has shown yet: an empty status is a stale one (D2), anything else was emptied (6a). */
  #retake(want: Want | Refusal): boolean {
    const { key } = this.#service
    const held = this.#allocator.allocationOf(key)
    if (held === undefined) return false
    const unseen = held.confirmed || want instanceof Refusal ? [] : wantedOf(held.addresses, want, this.#service)
    if (unseen.length === 0 || this.#allocator.assign(this.#service, unseen) instanceof Refusal) {
      this.#allocator.release(key)
      return false
    }
    this.#assigned(unseen)
    return true
  }

  /** Step 6b: nothing where the status holds no possible set of addresses. */
  #validFamilies(shown: readonly (Address | undefined)[]): readonly Address[] {
    const ours = this.#several(shown)
    if (ours !== undefined) return ours
    const texts = shown.map(address => (address === undefined ? '<nil>' : formatAddress(address)))
    const families = familiesOf(shown.map((address, index) => ({ text: texts[index]!, address })))
    if (!(families instanceof Refusal)) return shown as Address[]
    const message = `Failed to retrieve LBIPs IPFamily for ${quoteList(texts)}: ${families.message}`
    this.#account.event({ type: 'Warning', reason: 'nolbIPsIPFamily', message })
    this.#account.log('error', {
      event: 'clearAssignment',
      reason: 'nolbIPsIPFamily',
      error: families.message,
      msg: message,
    })
    return []
  }

  /** Several of one family, where the Service asks for them, or holds what it asked for before: as many as it wants now. */
  #several(shown: readonly (Address | undefined)[]): readonly Address[] | undefined {
    const addresses = shown.filter(address => address !== undefined)
    if (addresses.length < shown.length) return undefined
    const count = addressesPerFamily(this.#service)
    const held = this.#allocator.allocationOf(this.#service.key)?.addresses ?? []
    const known = addresses.every(address => held.some(other => sameAddress(address, other)))
    return count > 1 || known ? firstOfEachFamily(addresses, count) : undefined
  }

  #unknownFamily({ message: error, reasons }: Refusal): Outcome {
    const { clusterIPs } = this.#service
    const message = `Failed to retrieve ClusterIPs IPFamily for ${quoteList(clusterIPs)} ${clusterIPs[0]}: ${error}`
    this.#account.event({ type: 'Warning', reason: 'noclusterIPsIPFamily', message, standing: true })
    this.#account.log('error', { event: 'clearAssignment', reason: 'noclusterIPsIPFamily', error, msg: message })
    this.#account.reasons.push(...reasons)
    this.#account.verdict = { reason: 'UnknownFamily', message }
    return {
      ...this.#outcome([], 'error, no retry'),
      addresses: shownIngress(this.#service).filter(address => address !== undefined),
      pool: this.#service.annotations[POOL_ANNOTATION],
      changed: false,
    }
  }

  /** Step 7: what the status shows is held again, or what of it still can be (D3). */
  #adopt(current: readonly Address[]): void {
    const { key } = this.#service
    if (current.length === 0) {
      this.#allocator.release(key)
      return
    }
    const claim = this.#allocator.assign(this.#service, current)
    if (!(claim instanceof Refusal)) {
      this.#allocator.confirm(key)
      return
    }
    const message = `current IP for "${key}" not allowed by config, will attempt for new IP assignment: ${claim.text}`
    this.#account.event({ type: 'Normal', reason: 'ClearAssignment', message })
    const msg = 'current IP not allowed by config, clearing'
    this.#account.log('info', { event: 'clearAssignment', error: claim.wholeText, msg })
    this.#account.reasons.push(...claim.reasons)
    const keeps = (address: Address) => !(this.#allocator.assign(this.#service, [address]) instanceof Refusal)
    if (current.length < 2 || !current.some(keeps)) this.#allocator.release(key)
  }

  /** Steps 8 to 10: an address that is held stays, unless the Service asks for another. */
  #keep(want: Want | Refusal): Outcome {
    const { key } = this.#service
    const held = this.#allocator.allocationOf(key)
    const pool = requestedPool(this.#service)
    const otherPool = held !== undefined && pool !== undefined && pool !== held.pool
    if (otherPool && !this.#options.keepUntilReplaced) this.#abandon('differentPoolRequested', 'a different pool')
    const requested = requestedAddresses(this.#service)
    if (requested instanceof Refusal) return this.#badRequest(requested) // 9
    const otherAddress = requested.length > 0 && held !== undefined && !this.#meets(requested, held, want)
    if ((otherPool || otherAddress) && this.#options.keepUntilReplaced) return this.#replace(want, held)
    if (otherAddress) this.#abandon('differentIPRequested', 'a different IP')
    return this.#allocator.allocationOf(key) === undefined ? this.#allocate(want) : this.#complete(want)
  }

  #meets(requested: readonly Address[], held: Allocation, want: Want | Refusal): boolean {
    const dual = !(want instanceof Refusal) && want.families === 'dual'
    const otherFamilyFree = dual && prefersDual(this.#service) // D15
    if (dual && !otherFamilyFree && requested.length === 1) return false
    return requestMet(requested, held.addresses, otherFamilyFree)
  }

  #abandon(reason: string, what: string): void {
    if (!this.#allocator.release(this.#service.key)) return
    const msg = `user requested ${what} than the one currently assigned`
    this.#account.log('info', { event: 'clearAssignment', reason, msg })
    this.#account.reasons.push({ code: reason, message: msg })
  }

  #badRequest({ message: error, reasons }: Refusal): Outcome {
    const message = `invalid requested loadbalancer IPs: ${error}`
    this.#account.event({ type: 'Warning', reason: 'LoadBalancerFailed', message, standing: true })
    this.#account.log('error', { event: 'loadbalancerIP', error, msg: 'invalid requested loadbalancer IPs' })
    this.#account.reasons.push(...reasons)
    this.#account.verdict = { reason: 'LoadBalancerFailed', message }
    const held = this.#allocator.allocationOf(this.#service.key)
    return this.#outcome(held?.addresses ?? [], 'error, no retry')
  }

  /** D17: the exchange is one step, or does not happen. */
  #replace(want: Want | Refusal, held: Allocation): Outcome {
    const claim = this.#claim(want)
    if (claim instanceof Refusal) {
      this.#refused(claim)
      return this.#outcome(held.addresses, 'error, no retry')
    }
    this.#assigned(claim.addresses)
    return this.#complete(want)
  }

  /** Step 12. */
  #allocate(want: Want | Refusal): Outcome {
    const claim = this.#claim(want)
    if (claim instanceof Refusal) return this.#failed(claim)
    this.#assigned(claim.addresses)
    return this.#complete(want)
  }

  /** What is to be had now, held at once. */
  #claim(want: Want | Refusal): Allocation | Refusal {
    const addresses = want instanceof Refusal ? want : selectAddresses(this.#allocator, this.#service, want)
    return addresses instanceof Refusal ? addresses : this.#allocator.assign(this.#service, addresses)
  }

  #assigned(addresses: readonly Address[]): void {
    this.#account.event({ type: 'Normal', reason: 'IPAllocated', message: `Assigned IP ${quoteAddresses(addresses)}` })
    const ip = addresses.map(formatAddress)
    this.#account.log('info', { event: 'ipAllocated', ip, msg: 'IP address assigned by controller' })
  }

  #failed(refusal: Refusal): Outcome {
    this.#refused(refusal)
    this.#allocator.release(this.#service.key)
    return this.#outcome([], 'error, no retry')
  }

  #refused(refusal: Refusal): void {
    const message = `Failed to allocate IP for "${this.#service.key}": ${refusal.text}`
    this.#account.event({ type: 'Warning', reason: 'AllocationFailed', message, standing: true })
    this.#account.log('error', { op: 'allocateIPs', error: refusal.wholeText, msg: 'IP allocation failed' })
    this.#account.lacks('AllocationFailed', refusal)
  }

  /** Step 11: the second family, only where there are two cluster IPs (D4); RequireDualStack has both or none. */
  #complete(want: Want | Refusal): Outcome {
    const held = this.#allocator.allocationOf(this.#service.key)!
    const both = new Set(held.addresses.map(({ family }) => family)).size > 1
    const single = want instanceof Refusal || want.families !== 'dual' || both
    if (single || this.#service.ipFamilyPolicy === 'SingleStack') return this.#multiply(held)
    const other = this.#allocator.chooseOther(this.#service, held)
    const pair = other instanceof Refusal ? other : this.#allocator.assign(this.#service, [...held.addresses, other])
    if (pair instanceof Refusal) return this.#incomplete(want, held, pair)
    const added = quoteAddresses(pair.addresses.slice(1)).slice(1, -1)
    this.#account.event({ type: 'Normal', reason: 'IPAllocated', message: `Assigned additional IP ${added}` })
    const ip = pair.addresses.map(formatAddress)
    this.#account.log('info', { event: 'ipAllocated', ip, msg: 'Additional IP address assigned by controller' })
    return this.#multiply(pair)
  }

  /** As many addresses of each family as the Service asks for, as far as the pool has them. */
  #multiply(held: Allocation): Outcome {
    const count = addressesPerFamily(this.#service)
    let all = held
    for (const family of new Set(held.addresses.map(address => address.family)))
      while (all.addresses.filter(address => address.family === family).length < count) {
        const more = this.#allocator.chooseMore(all, family)
        const claim = more instanceof Refusal ? more : this.#allocator.assign(this.#service, [...all.addresses, more])
        if (claim instanceof Refusal) return this.#short(all, 'cannot assign as many addresses as asked for', claim)
        all = claim
        const [added] = quoteAddresses(claim.addresses.slice(-1)).slice(1, -1).split(' ')
        this.#account.event({ type: 'Normal', reason: 'IPAllocated', message: `Assigned additional IP ${added}` })
      }
    return this.#outcome(all.addresses, 'success')
  }

  #incomplete(want: Want, held: Allocation, refusal: Refusal): Outcome {
    if (!prefersDual(this.#service)) {
      this.#allocator.release(this.#service.key) // D3: the pool held cannot give the missing family, another may
      return this.#allocate(want)
    }
    return this.#short(held, 'cannot assign additional IP in PreferDualStack', refusal)
  }

  /** What is held stays, and is less than the Service asks for. */
  #short(held: Allocation, what: string, refusal: Refusal): Outcome {
    const message = `${what}: ${refusal.text}`
    this.#account.event({ type: 'Normal', reason: 'AdditionalAssignFailed', message, standing: true })
    this.#account.log('info', { event: 'tryAssignAdditionalIP', error: refusal.wholeText, msg: message })
    this.#account.lacks('AdditionalAssignFailed', refusal)
    return this.#outcome(held.addresses, 'success')
  }

  #clear(result: Outcome['result'], reason: Reason): Outcome {
    this.#allocator.release(this.#service.key)
    this.#account.reasons.push(reason)
    return this.#outcome([], result)
  }

  #outcome(addresses: readonly Address[], result: Outcome['result']): Outcome {
    return this.#account.close(addresses, this.#allocator.allocationOf(this.#service.key)?.pool, result)
  }
}
