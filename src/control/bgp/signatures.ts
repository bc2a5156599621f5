/** Why a peer seems silent: the kernel drops segments with a wrong signature without a word (issue 6, point 4). */
import type { SignatureFaults, StreamPort, StreamTarget } from '../../ports/index.ts'
import type { CloseReason } from '../../protocols/bgp/index.ts'

type Signed = Pick<StreamTarget, 'md5Password' | 'aoKeys'>

const NONE: SignatureFaults = { missing: 0, unexpected: 0, wrong: 0 }

/** What the kernel has rejected since the peer was heard last. It counts for the whole node, and not by peer. */
export class SignatureWatch {
  readonly #read: () => SignatureFaults
  #before: SignatureFaults
  #heard = 0

  constructor({ signatureFaults = () => NONE }: Pick<StreamPort, 'signatureFaults'>) {
    this.#read = signatureFaults
    this.#before = this.#read()
  }

  /** `messages`: how many the peer has sent. What was rejected before the last of them was not what keeps it away. */
  heard(messages: number): void {
    if (messages === this.#heard) return
    this.#heard = messages
    this.#before = this.#read()
  }

  /** What could be the peer's, in words, each rejection once; undefined where there was none. */
  take(target: Signed): string | undefined {
    const [before, now] = [this.#before, this.#read()]
    this.#before = now
    return describe(target, {
      missing: now.missing - before.missing,
      unexpected: now.unexpected - before.unexpected,
      wrong: now.wrong - before.wrong,
    })
  }
}

function describe(target: Signed, { missing, unexpected, wrong }: SignatureFaults): string | undefined {
  const kind = target.aoKeys === undefined ? 'MD5' : 'TCP-AO'
  const parts: [count: number, words: string][] = isSigned(target)
    ? [
        [wrong, 'with another password'],
        [missing, 'without a signature'],
        [unexpected, 'with a signature that nobody expected'],
      ]
    : [[unexpected, 'signed, and no password is configured here']]
  const found = parts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`)
  return found.length === 0 ? undefined : `${kind} signature rejected (segments: ${found.join(', ')})`
}

function isSigned({ md5Password, aoKeys }: Signed): boolean {
  return md5Password !== undefined || aoKeys !== undefined
}

/** What a silence may be about, to be added to a reason; undefined for reasons that speak for themselves. */
export function signatureNote(reason: CloseReason, target: Signed, watch: SignatureWatch): string | undefined {
  const rejected = watch.take(target)
  const silent =
    reason.kind === 'transport' || (reason.kind === 'error' && reason.error.code.endsWith('HOLD_TIMER_EXPIRED'))
  if (!silent) return undefined
  const unanswered = reason.kind === 'transport' && /did not answer|ETIMEDOUT/.test(reason.message)
  return rejected ?? (unanswered && isSigned(target) ? 'as it does where its password is another one' : undefined)
}
