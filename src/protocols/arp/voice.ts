/** ARP as a station speaks it. Addresses are signed 32-bit numbers: those never need memory of their own. */
import { formatAddress, macFromBytes } from '../../core/ip/index.ts'
import {
  arpIneligible,
  decodeFrame,
  type Exchange,
  MINIMUM_FRAME,
  type Responder,
  type Voice,
} from '../ethernet/index.ts'
import { decodeArp, REPLY, REQUEST } from './packet.ts'
import { answer, answeredIp, type Claims, claimed, writeGratuitous } from './responder.ts'

export class ArpVoice implements Voice<number> {
  readonly ineligible = arpIneligible
  readonly reply = new Uint8Array(MINIMUM_FRAME)
  readonly claimed = claimed
  /** A request and a reply, because hosts differ in which of them they believe. */
  readonly frames = 2

  get asked(): number {
    return answeredIp(this.reply)
  }

  answer(frame: Uint8Array, length: number, responder: Responder, claims: Claims): string {
    return answer(frame, length, responder, claims, this.reply)
  }

  exchange(frame: Uint8Array, length: number, { name, mac }: Responder, announced: 'asked' | 'claimed'): Exchange {
    const { senderIp, senderMac, targetIp } = decodeArp(decodeFrame(frame.subarray(0, length)).payload)
    return {
      interface: name,
      ip: formatAddress(announced === 'asked' ? targetIp : senderIp),
      senderIP: formatAddress(senderIp),
      senderMAC: senderMac,
      responseMAC: macFromBytes(mac),
    }
  }

  gratuitous(place: number, key: number, responder: Responder): Uint8Array {
    writeGratuitous(place === 0 ? REQUEST : REPLY, responder.mac, key, this.reply)
    return this.reply
  }

  text(key: number): string {
    return formatAddress({ family: 'ipv4', value: BigInt(key >>> 0) })
  }
}
