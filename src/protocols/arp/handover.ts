/**
 * The words of a hand-over in ARP. The field for the target's hardware address means nothing in a request (RFC 826), so it
 * carries a mark, the number of the question and, in the answer, the fingerprint of the last request that was answered.
 * Senders name their own address, never the one that is handed over: no host learns from either but what is true.
 */
import { type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import { type HandoverVoice, MINIMUM_FRAME, type Release, type Responder } from '../ethernet/index.ts'
import { REPLY, REQUEST } from './packet.ts'
import { fingerprint, readMarked, writeMarked } from './responder.ts'

export const handover: HandoverVoice<number> = {
  settleMs: 0, // broadcasts reach everybody
  poll: (key, to, { id, isEarly }, responder) => marked(REQUEST, key, to, { id, last: isEarly ? EARLY : 0 }, responder),
  pollOf: (frame, length) => {
    const read = readMarked(frame, length, REQUEST)
    return (
      read && { id: read.mark >>> 24, isEarly: (read.mark & 0xffffff) === EARLY, from: macFromBytes(frame, read.at) }
    )
  },
  release: (key, to, release, responder) => marked(REPLY, key, to, release, responder),
  releaseOf: (frame, length) => {
    const read = readMarked(frame, length, REPLY)
    if (read === undefined) return undefined
    const { mark, target: key, at } = read
    return { key, from: macFromBytes(frame, at), id: mark >>> 24, last: mark & 0xffffff }
  },
  fingerprint,
}

/** In a question, where an answer has the fingerprint. */
const EARLY = 1

function marked(
  operation: number,
  key: number,
  to: Mac,
  { id, last }: Release,
  { mac, ipv4 = 0 }: Responder,
): Uint8Array {
  const frame = new Uint8Array(MINIMUM_FRAME)
  writeMarked(operation, macBytes(to), mac, ipv4, key, (id << 24) | last, frame)
  return frame
}
