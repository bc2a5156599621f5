/** NDP as a station speaks it. Addresses are 128-bit numbers. */
import { type Mac, macFromBytes } from '../../core/ip/index.ts'
import { type Exchange, ndpIneligible, type Responder, type Voice } from '../ethernet/index.ts'
import { textOf } from './address.ts'
import { handover } from './handover.ts'
import { InPlace, mayBe, mayClaim } from './in-place.ts'
import { ADVERTISEMENT } from './message.ts'
import { answerNdp, claimedNdp, type NdpClaims, questionNdp, readFrame, speaker } from './responder.ts'

export class NdpVoice implements Voice<bigint> {
  readonly ineligible = ndpIneligible
  readonly frames = 1
  reply: Uint8Array = new Uint8Array(0)
  asked = 0n
  readonly #inPlace = new InPlace()

  answer(frame: Uint8Array, length: number, responder: Responder, claims: NdpClaims): string {
    if (this.#inPlace.answer(frame, length, responder, claims)) {
      this.reply = this.#inPlace.frame
      this.asked = this.#inPlace.asked
      return 'answer'
    }
    const bytes = frame.subarray(0, length)
    const answer = answerNdp(bytes, responder, claims)
    if (typeof answer === 'string') return answer
    this.reply = answer
    this.asked = readFrame(bytes)!.packet.message.target
    return 'answer'
  }

  claimed(frame: Uint8Array, length: number, responder: Responder, claims: NdpClaims): bigint | undefined {
    if (!mayClaim(frame, length)) return undefined
    return claimedNdp(frame.subarray(0, length), responder, claims)
  }

  /** Both kinds of message have what is asked for or claimed in one place: the target. */
  exchange(frame: Uint8Array, length: number, { name, mac }: Responder): Exchange {
    const received = readFrame(frame.subarray(0, length))!
    return {
      interface: name,
      ip: textOf(received.packet.message.target),
      senderIP: textOf(received.packet.source),
      senderMAC: speaker(received),
      responseMAC: macFromBytes(mac),
    }
  }

  gratuitous(_place: number, key: bigint, responder: Responder): Uint8Array {
    return this.#inPlace.gratuitous(key, responder)
  }

  question(target: bigint, responder: Responder, to?: Mac): Uint8Array {
    return questionNdp(target, responder, to)
  }

  answerer(frame: Uint8Array, length: number): { target: bigint; mac: Mac } | undefined {
    if (!mayBe(frame, length, ADVERTISEMENT)) return undefined
    const received = readFrame(frame.subarray(0, length))
    if (received?.packet.message.kind !== 'advertisement') return undefined
    return { target: received.packet.message.target, mac: speaker(received) }
  }

  readonly handover = handover

  text(key: bigint): string {
    return textOf(key)
  }
}
