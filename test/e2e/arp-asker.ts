// A client that asks for one address by ARP every millisecond, each time as somebody else, until SIGTERM; then prints how
// many requests had how many answers, and from whom. Run in a namespace: arp-asker.ts INTERFACE_INDEX MAC ADDRESS
import { HOST_AND_BROADCAST, PacketSocket } from '../../src/adapters/linux/packet-socket.ts'
import { type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { decodeArp, encodeArp, REPLY, REQUEST } from '../../src/protocols/arp/index.ts'
import { decodeFrame, ETHERTYPE_ARP, encodeFrame } from '../../src/protocols/ethernet/index.ts'

export interface Asked {
  /** Requests by the number of their answers: [0] had none. */
  readonly answers: readonly number[]
  /** Whoever answered, in order of the first answer. */
  readonly macs: readonly string[]
}

const LATE_MS = 1500
const [index = '', mac = '', text = ''] = process.argv.slice(2)
const target = parseAddress(text)!
const source = mac as Mac
const socket = new PacketSocket(Number(index), ETHERTYPE_ARP, HOST_AND_BROADCAST)
/** Requests are told apart by the address they say they come from: answers repeat it. */
const FIRST = parseAddress('10.0.0.1')!.value
const answers: number[] = []
const macs = new Set<string>()
const buffer = new Uint8Array(256)

function ask(): void {
  const senderIp = { family: 'ipv4', value: FIRST + BigInt(answers.push(0) - 1) } as const
  const payload = encodeArp({
    ...{ operation: REQUEST, senderMac: source, senderIp },
    ...{ targetMac: '00:00:00:00:00:00' as Mac, targetIp: target },
  })
  socket.send(encodeFrame({ destination: 'ff:ff:ff:ff:ff:ff' as Mac, source, etherType: ETHERTYPE_ARP, payload }))
}

function read(): void {
  for (let length = socket.receive(buffer); length >= 0; length = socket.receive(buffer)) {
    const { operation, targetIp, senderIp, senderMac } = decodeArp(decodeFrame(buffer.subarray(0, length)).payload)
    const request = Number(targetIp.value - FIRST)
    if (operation !== REPLY || senderIp.value !== target.value || answers[request] === undefined) continue
    answers[request]++
    macs.add(senderMac)
  }
}

const asking = setInterval(ask, 1)
const reading = setInterval(read, 5)
process.on('SIGTERM', () => {
  clearInterval(asking)
  setTimeout(() => {
    clearInterval(reading)
    read()
    const counts: number[] = [0, 0, 0]
    for (const count of answers) counts[count] = (counts[count] ?? 0) + 1
    console.log(JSON.stringify({ answers: counts, macs: [...macs] } satisfies Asked))
    socket.close()
  }, LATE_MS)
})
