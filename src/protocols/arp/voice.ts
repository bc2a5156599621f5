/** ARP as a station speaks it. Addresses are signed 32-bit numbers: those never need memory of their own. */
import { BROADCAST, formatAddress, type Mac, macFromBytes } from '../../core/ip/index.ts'
import {
  arpIneligible,
  decodeFrame,
  ETHERTYPE_ARP,
  type Exchange,
  encodeFrame,
  MINIMUM_FRAME,
  type Responder,
  type Voice,
} from '../ethernet/index.ts'
import { handover } from './handover.ts'
import { decodeArp, encodeArp, REPLY, REQUEST } from './packet.ts'
import { answer, answeredIp, answererOf, type Claims, claimed, writeGratuitous } from './responder.ts'

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

  /** Without an address of its own the interface asks as a probe does, with none (RFC 5227 section 1.1). */
  question(target: number, { mac, ipv4 = 0 }: Responder, to = BROADCAST): Uint8Array {
    const source = macFromBytes(mac)
    const ips = { senderIp: addressOf(ipv4), targetIp: addressOf(target) }
    const payload = encodeArp({ operation: REQUEST, senderMac: source, targetMac: NOBODY, ...ips })
    return encodeFrame({ destination: to, source, etherType: ETHERTYPE_ARP, payload })
  }

  answerer(frame: Uint8Array, length: number): { target: number; mac: Mac } | undefined {
    return answererOf(frame, length)
  }

  readonly handover = handover

  text(key: number): string {
    return formatAddress(addressOf(key))
  }
}

const NOBODY = '00:00:00:00:00:00' as Mac

const addressOf = (key: number) => ({ family: 'ipv4', value: BigInt(key >>> 0) }) as const
