/**
 * The words of a hand-over in ARP. The field for the target's hardware address means nothing in a request (RFC 826), so it
 * carries the mark and the number of the question; the answer has them there too. Senders name their own address, never
 * the one that is handed over: no host learns anything from either but what is true.
 */
import { type Mac, macBytes, macFromBytes } from '../../core/ip/index.ts'
import type { HandoverVoice, Responder } from '../ethernet/index.ts'
import { REPLY, REQUEST } from './packet.ts'
import { readMarked, writeMarked } from './responder.ts'

export const handover: HandoverVoice<number> = {
  poll: (key, to, id, responder) => marked(REQUEST, key, to, id, responder),
  pollOf: (frame, length) => {
    const read = readMarked(frame, length, REQUEST)
    return read && { id: read.id, from: macFromBytes(frame, read.at) }
  },
  release: (key, to, id, responder) => marked(REPLY, key, to, id, responder),
  releaseOf: (frame, length) => {
    const read = readMarked(frame, length, REPLY)
    return read && { key: read.target, from: macFromBytes(frame, read.at), id: read.id }
  },
}

function marked(operation: number, key: number, to: Mac, id: number, { mac, ipv4 = 0 }: Responder): Uint8Array {
  const frame = new Uint8Array(60)
  writeMarked(operation, macBytes(to), mac, ipv4, key, id, frame)
  return frame
}
