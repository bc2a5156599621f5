/** Who may read metrics: TokenReview, then SubjectAccessReview, with the caches of chapter 05 section 1.10. */
import { createHash } from 'node:crypto'
import type { KubeObject, ResourceType } from '../../core/object.ts'
import { type Clock, isTransient, type KubeApi, type Logger, type Random } from '../../ports/index.ts'

interface UserInfo {
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

interface TokenReview extends Partial<KubeObject> {
  spec: { token: string }
  status?: { authenticated?: boolean; user?: UserInfo; error?: string }
}

interface SubjectAccessReview extends Partial<KubeObject> {
  spec: {
    user?: string
    uid?: string
    groups?: string[]
    extra?: Record<string, string[]>
    nonResourceAttributes: { path: string; verb: string }
  }
  status?: { allowed?: boolean; reason?: string; evaluationError?: string }
}

const tokenReviews = reviewType('authentication.k8s.io', 'TokenReview')
const subjectAccessReviews = reviewType('authorization.k8s.io', 'SubjectAccessReview')

function reviewType(group: string, kind: string): ResourceType {
  return { group, version: 'v1', kind, plural: `${kind.toLowerCase()}s`, namespaced: false }
}

export interface AccessReviewOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** `ok`, or what to answer instead. */
export type AccessDecision = 'ok' | { readonly status: 401 | 403 | 500; readonly text: string }
export type Authorize = (token: string | undefined, verb: string, path: string) => Promise<AccessDecision>

const TOKEN_MS = 60_000
const ALLOW_MS = 300_000
const DENY_MS = 30_000
const CACHE_SIZE = 1024
const RETRY_STEPS = 5
const RETRY_FIRST_MS = 500
const REVIEW_MS = 10_000

export function reviewAccess(options: AccessReviewOptions): Authorize {
  const users = new ExpiringCache<UserInfo | undefined>(options.clock)
  const verdicts = new ExpiringCache<boolean>(options.clock)
  return async (token, verb, path) => {
    if (token === undefined) return { status: 401, text: 'Unauthorized' }
    const user = await users
      .get(hash(token), () => authenticate(options, token))
      .catch(failed(options.log, 'TokenReview'))
    if (user === FAILED) return { status: 500, text: 'Authentication failed' }
    if (user === undefined) return { status: 401, text: 'Unauthorized' }
    const question = hash(JSON.stringify([user, verb, path]))
    const allowed = await verdicts
      .get(question, () => mayDo(options, user, verb, path))
      .catch(failed(options.log, 'SubjectAccessReview'))
    if (allowed === FAILED) return { status: 500, text: `Authorization for user ${user.username} failed` }
    return allowed ? 'ok' : { status: 403, text: `Authorization denied for user ${user.username}` }
  }
}

const FAILED = Symbol('failed')

function failed(log: Logger, review: string): (error: unknown) => typeof FAILED {
  return error => {
    log.error({ op: 'authorizeScrape', review, error, msg: 'review failed' })
    return FAILED
  }
}

async function authenticate(options: AccessReviewOptions, token: string): Promise<Kept<UserInfo | undefined>> {
  const review: TokenReview = { spec: { token } }
  const { status } = (await create(options, tokenReviews, review)) as TokenReview
  const user = status?.authenticated === true ? (status.user ?? {}) : undefined
  return { value: user, forMs: TOKEN_MS }
}

async function mayDo(options: AccessReviewOptions, user: UserInfo, verb: string, path: string): Promise<Kept<boolean>> {
  const { username, uid, groups, extra } = user
  const review: SubjectAccessReview = {
    spec: { user: username, uid, groups, extra, nonResourceAttributes: { path, verb } },
  }
  const { status } = (await create(options, subjectAccessReviews, review)) as SubjectAccessReview
  const allowed = status?.allowed === true
  return { value: allowed, forMs: allowed ? ALLOW_MS : DENY_MS }
}

/** Five steps from 500 ms, times 1.5 and up to a fifth by chance, within ten seconds. */
async function create(
  { api, clock, random }: AccessReviewOptions,
  type: ResourceType,
  review: object,
): Promise<unknown> {
  const endMs = clock.monotonic() + REVIEW_MS
  for (let step = 1; ; step++) {
    try {
      return await api.create(type, { metadata: { name: '' }, ...review } as KubeObject)
    } catch (error) {
      const delayMs = RETRY_FIRST_MS * 1.5 ** (step - 1) * (1 + random.next() / 5)
      if (step === RETRY_STEPS || !isTransient(error) || clock.monotonic() + delayMs > endMs) throw error
      await new Promise<void>(resolve => clock.after(delayMs, resolve))
    }
  }
}

/** Neither tokens nor users are kept as they are. */
function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

interface Kept<V> {
  readonly value: V
  readonly forMs: number
}

/** Answers worth keeping for a time; those who ask at once share one question, failures are not kept. */
class ExpiringCache<V> {
  readonly #clock: Clock
  readonly #entries = new Map<string, { answer: Promise<V>; untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string, ask: () => Promise<Kept<V>>): Promise<V> {
    const known = this.#entries.get(key)
    if (known !== undefined && this.#clock.monotonic() < known.untilMs) return known.answer
    const entry = { answer: this.#ask(key, ask), untilMs: Number.POSITIVE_INFINITY }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size > CACHE_SIZE) this.#entries.delete(this.#entries.keys().next().value!)
    return entry.answer
  }

  async #ask(key: string, ask: () => Promise<Kept<V>>): Promise<V> {
    try {
      await null // the entry is in place first
      const { value, forMs } = await ask()
      const entry = this.#entries.get(key)
      if (entry !== undefined) entry.untilMs = this.#clock.monotonic() + forMs
      return value
    } catch (error) {
      this.#entries.delete(key)
      throw error
    }
  }
}
