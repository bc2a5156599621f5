// A client that asks for one address every millisecond, by ARP or NDP and each time as somebody else, until SIGTERM. Prints a line
// for each hundred answers; at last how many requests had how many answers, and from whom.
// Run in a namespace: asker.ts INTERFACE_INDEX MAC ADDRESS
import { NdpSocket } from '../../src/adapters/linux/ndp-socket.ts'
import { HOST_AND_BROADCAST, PacketSocket } from '../../src/adapters/linux/packet-socket.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { decodeArp, encodeArp, REPLY, REQUEST } from '../../src/protocols/arp/index.ts'
import { decodeFrame, ETHERTYPE_ARP, ETHERTYPE_IPV6, encodeFrame } from '../../src/protocols/ethernet/index.ts'
import { encodePacket, groupMac, readFrame, solicitedNode, speaker } from '../../src/protocols/ndp/index.ts'

export interface Asked {
  /** Requests by the number of their answers: [0] had none. */
  readonly answers: readonly number[]
  /** Whoever answered, in order of the first answer. */
  readonly macs: readonly string[]
}

/** Requests are told apart by the address they say they come from: answers repeat it. */
interface Asker {
  readonly socket: PacketSocket
  request(number: number): Uint8Array
  answered(frame: Uint8Array): { readonly request: number; readonly mac: string } | undefined
}

const LATE_MS = 1500
const TELL_EVERY = 100
const [index = '', mac = '', text = ''] = process.argv.slice(2)
const target = parseAddress(text)!
const source = mac as Mac

function arpAsker(): Asker {
  const first = parseAddress('10.0.0.1')!.value
  return {
    socket: new PacketSocket(Number(index), ETHERTYPE_ARP, HOST_AND_BROADCAST),
    request(number) {
      const senderIp = { family: 'ipv4', value: first + BigInt(number) } as const
      const targetMac = '00:00:00:00:00:00' as Mac
      const payload = encodeArp({ operation: REQUEST, senderMac: source, senderIp, targetMac, targetIp: target })
      return encodeFrame({ destination: 'ff:ff:ff:ff:ff:ff' as Mac, source, etherType: ETHERTYPE_ARP, payload })
    },
    answered(frame) {
      const { operation, targetIp, senderIp, senderMac } = decodeArp(decodeFrame(frame).payload)
      if (operation !== REPLY || senderIp.value !== target.value) return undefined
      return { request: Number(targetIp.value - first), mac: senderMac }
    },
  }
}

function ndpAsker(): Asker {
  const first = parseAddress('fe80::a5c:0:1')!.value
  const destination = solicitedNode(target.value)
  const message = { kind: 'solicitation', target: target.value, linkLayer: source } as const
  return {
    socket: new NdpSocket(Number(index)),
    request(number) {
      const payload = encodePacket({ source: first + BigInt(number), destination, message })
      return encodeFrame({ destination: groupMac(destination), source, etherType: ETHERTYPE_IPV6, payload })
    },
    answered(frame) {
      const received = readFrame(frame)
      if (received?.packet.message.kind !== 'advertisement') return undefined
      if (received.packet.message.target !== target.value) return undefined
      return { request: Number(received.packet.destination - first), mac: speaker(received) }
    },
  }
}

const { socket, request, answered } = target.family === 'ipv4' ? arpAsker() : ndpAsker()
const answers: number[] = []
const macs = new Set<string>()
let heard = 0
const buffer = new Uint8Array(256)

function read(): void {
  for (let length = socket.receive(buffer); length >= 0; length = socket.receive(buffer)) {
    const answer = answered(buffer.slice(0, length))
    if (answer === undefined || answers[answer.request] === undefined) continue
    answers[answer.request]!++
    macs.add(answer.mac)
    if (++heard % TELL_EVERY === 0) tell()
  }
}

function tell(): void {
  const counts: number[] = [0, 0, 0]
  for (const count of answers) counts[count] = (counts[count] ?? 0) + 1
  console.log(JSON.stringify({ answers: counts, macs: [...macs] } satisfies Asked))
}

const asking = setInterval(() => socket.send(request(answers.push(0) - 1)), 1)
const reading = setInterval(read, 5)
process.on('SIGTERM', () => {
  clearInterval(asking)
  setTimeout(() => {
    clearInterval(reading)
    read()
    tell()
    socket.close()
  }, LATE_MS)
})
