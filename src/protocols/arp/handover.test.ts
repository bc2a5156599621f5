import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { type Mac, parseAddress } from '../../core/ip/index.ts'
import type { NetworkInterface, Random } from '../../ports/index.ts'
import { FakeLink } from '../../testing/fake-link.ts'
import { COUNTERS, decodeFrame, ETHERTYPE_ARP, encodeFrame, Station } from '../ethernet/index.ts'
import { ArpVoice, decodeArp, encodeArp, REPLY, REQUEST } from './index.ts'

const VIP = '192.168.1.240'
const OLD = { mac: '02:00:00:00:00:0a' as Mac, ip: '192.168.1.10' }
const NEW = { mac: '02:00:00:00:00:0b' as Mac, ip: '192.168.1.11' }
const middling: Random = { next: () => 0.5, bytes: length => new Uint8Array(length) }

/** Two speakers and a client on one segment that delivers at once. `cut` loses what it says so of. */
class Segment {
  now = 0
  readonly answers: string[] = []
  readonly old = this.#station(OLD)
  readonly new = this.#station(NEW)
  oldSpeaks = true
  oldForwards = true
  cut: (frame: Uint8Array) => boolean = () => false
  gratuitous = 0
  polls = 0

  constructor() {
    this.old.station.change([[key(VIP), { interfaces: 'all', slot: 0 }]], [], 0)
    this.run(5000)
    this.gratuitous = 0
  }

  #station({ mac, ip }: typeof OLD) {
    const { left, right } = FakeLink.pair()
    const station = new Station<number, FakeLink>({
      ...{ voice: new ArpVoice(), open: () => left, excluded: () => false, report: () => {}, verbose: false },
      ...{ counts: new Uint32Array(COUNTERS), refreshMs: 0, random: middling },
    })
    const link: NetworkInterface = {
      ...{ index: 1, name: 'eth0', mac, up: true, carrier: true, broadcast: true, noArp: false },
      addresses: [{ address: parseAddress(ip)!, length: 24 }],
    }
    station.setInterfaces([link], 0)
    return { station, wire: right, mac }
  }

  takeOver(): void {
    this.new.station.follow(new Map([['old', [key(OLD.ip)]]]))
    this.new.station.change([[key(VIP), { interfaces: 'all', slot: 0, after: ['old'] }]], [], this.now)
  }

  /** A client asks; both speakers hear it. */
  ask(client: number): void {
    const mac = `02:00:00:00:01:${client.toString(16).padStart(2, '0')}` as Mac
    this.#deliver(arp(REQUEST, { mac, ip: '192.168.1.35' }, VIP, 'ff:ff:ff:ff:ff:ff' as Mac))
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now++) {
      for (const { station } of [this.new, ...(this.oldSpeaks ? [this.old] : [])]) station.announce(this.now, 32)
      this.#settle()
    }
  }

  #settle(): void {
    const buffer = new Uint8Array(256)
    for (let moved = true; moved; ) {
      moved = false
      for (const { wire } of [this.old, this.new]) {
        const length = wire.receive(buffer)
        if (length < 0) continue
        moved = true
        this.#deliver(buffer.slice(0, length))
      }
    }
  }

  #deliver(frame: Uint8Array): void {
    if (this.cut(frame)) return
    const { destination, source, payload } = decodeFrame(frame)
    const { operation, senderIp, targetIp, targetMac } = decodeArp(payload)
    const speaksForVip = Number(senderIp.value) === Number(parseAddress(VIP)!.value)
    if (speaksForVip && destination === 'ff:ff:ff:ff:ff:ff') this.gratuitous++
    if (targetMac.startsWith('4d:48') && operation === REQUEST) this.polls++
    if (speaksForVip && destination.startsWith('02:00:00:00:01'))
      this.answers.push(`${Number.parseInt(destination.slice(-2), 16)} ${source === OLD.mac ? 'old' : 'new'}`)
    for (const { station, mac } of [this.old, this.new]) {
      if (source === mac || (destination !== mac && destination !== 'ff:ff:ff:ff:ff:ff')) continue
      if (mac === NEW.mac || this.oldSpeaks) station.receive(1, frame, frame.length)
      const forKernel = mac === OLD.mac && this.oldForwards && operation === REQUEST
      if (forKernel && Number(targetIp.value) === Number(parseAddress(OLD.ip)!.value))
        this.#deliver(arp(REPLY, OLD, '192.168.1.11', NEW.mac))
    }
    this.#settle()
  }
}

function arp(operation: number, sender: typeof OLD, target: string, destination: Mac): Uint8Array {
  const ips = { senderIp: parseAddress(sender.ip)!, targetIp: parseAddress(target)! }
  const payload = encodeArp({ operation, senderMac: sender.mac, targetMac: '00:00:00:00:00:00' as Mac, ...ips })
  return encodeFrame({ destination, source: sender.mac, etherType: ETHERTYPE_ARP, payload })
}

const key = (text: string) => Number(parseAddress(text)!.value) | 0
const isMarked = (operation: number) => (frame: Uint8Array) => {
  const packet = decodeArp(decodeFrame(frame).payload)
  return packet.operation === operation && packet.targetMac.startsWith('4d:48')
}

let segment: Segment
let asked: number
beforeEach(() => {
  segment = new Segment()
  asked = 0
})

/** Asks once a millisecond, a new client each time. */
function stream(ms: number): void {
  for (let count = 0; count < ms; count++) {
    segment.ask(asked++ % 256)
    segment.run(1)
  }
}
const by = (who: string) => segment.answers.filter(answer => answer.endsWith(who)).length
function everyoneOnce(): void {
  assert.deepEqual(
    segment.answers.map(answer => Number.parseInt(answer, 10)).sort((a, b) => a - b),
    Array.from({ length: asked }, (_, client) => client),
  )
}

test('a planned stop: every request is answered once, first by the one and then by the other, and nobody is told', () => {
  stream(20)
  segment.old.station.leave()
  stream(20)
  assert.equal(by('new'), 0)
  segment.takeOver()
  stream(40)
  segment.oldSpeaks = false
  stream(40)
  everyoneOnce()
  assert.ok(by('old') >= 40 && by('new') >= 75, `${by('old')} and ${by('new')}`)
  assert.equal(segment.old.station.hasLeft, true)
  assert.equal(segment.gratuitous, 0)
})

test('while the other does not let go, the successor waits for it', () => {
  segment.takeOver()
  stream(100)
  assert.deepEqual([by('old'), by('new')], [100, 0])
  segment.old.station.leave()
  stream(40)
  everyoneOnce()
  assert.ok(by('new') >= 15)
})

test('one that dies without letting go is noticed within 0.1 s, and what was asked since is answered', () => {
  segment.takeOver()
  stream(30)
  segment.oldSpeaks = false
  stream(130)
  assert.ok(by('new') >= 125, `${by('new')}`)
  const missing = asked - new Set(segment.answers.map(answer => Number.parseInt(answer, 10))).size
  assert.equal(missing, 0)
})

test('where the answer to a question is lost, it is given again, and each request is still answered once', () => {
  segment.old.station.leave()
  let lost = 3
  segment.cut = frame => isMarked(REPLY)(frame) && lost-- > 0
  segment.takeOver()
  stream(120)
  assert.ok(lost <= 0)
  everyoneOnce()
})

test('where questions are lost the one that leaves goes on answering', () => {
  segment.old.station.leave()
  let lost = 3
  segment.cut = frame => isMarked(REQUEST)(frame) && lost-- > 0
  segment.takeOver()
  stream(120)
  everyoneOnce()
})

test('whoever holds on is not waited for longer than a second', () => {
  segment.takeOver()
  segment.run(1100)
  stream(10)
  assert.equal(by('new'), 10)
})

test('a node that is not on the segment is waited for 0.1 s', () => {
  segment.oldSpeaks = false
  segment.oldForwards = false
  segment.takeOver()
  stream(120)
  everyoneOnce()
  assert.equal(by('new'), 120)
})

test('once the node is known to be gone, what was kept is answered at once', () => {
  segment.oldSpeaks = false
  segment.takeOver()
  stream(10)
  assert.equal(by('new'), 0)
  segment.new.station.change([[key(VIP), { interfaces: 'all', slot: 0 }]], [], segment.now)
  segment.run(1)
  everyoneOnce()
  assert.ok(segment.gratuitous >= 2)
})

test('nothing is asked any more once the address has moved', () => {
  segment.old.station.leave()
  segment.takeOver()
  segment.run(100)
  const { polls } = segment
  segment.run(1000)
  assert.deepEqual([polls, segment.polls], [1, 1])
})
