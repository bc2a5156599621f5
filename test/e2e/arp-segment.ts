// An Ethernet segment for the ARP tests: a bridge in a namespace of its own, nodes in theirs, and the test process as
// the client on it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { NetlinkReader } from '../../src/adapters/linux/netlink.ts'
import { HOST_AND_BROADCAST, PacketSocket } from '../../src/adapters/linux/packet-socket.ts'
import { formatAddress, type Mac, parseAddress } from '../../src/core/ip/index.ts'
import { type ArpPacket, decodeArp, encodeArp, REQUEST } from '../../src/protocols/arp/index.ts'
import { decodeFrame, ETHERTYPE_ARP, encodeFrame } from '../../src/protocols/ethernet/index.ts'
import { enterFreshNetwork } from '../contract/fresh-network.ts'
import type { Command } from './arp-node.ts'

const GIVE_UP_MS = Number(process.env.GIVE_UP_MS ?? 30_000)
const PROGRAM = fileURLToPath(new URL('./arp-node.ts', import.meta.url))
export const BRIDGE = `l2e${process.pid}br`
const CLIENT_IP = '10.77.0.35'
const BROADCAST = 'ff:ff:ff:ff:ff:ff' as Mac
const NOBODY = '00:00:00:00:00:00' as Mac

const made: string[] = []
const running = new Set<ChildProcess>()

export function ip(...words: string[]): void {
  execFileSync('ip', words.join(' ').split(' '), { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Call once, first: the process becomes the client. */
export function buildSegment(): void {
  enterFreshNetwork()
  addNamespace(BRIDGE)
  ip('-n', BRIDGE, 'link add br0 type bridge mcast_snooping 0')
  ip('-n', BRIDGE, 'link set br0 up')
  ip('link add eth0 type veth peer name client netns', BRIDGE)
  ip('-n', BRIDGE, 'link set client master br0 up')
  ip('addr add', `${CLIENT_IP}/24 dev eth0`)
  ip('link set eth0 up')
}

export async function tearDown(): Promise<void> {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map(child => once(child, 'exit')))
  for (const name of made.reverse()) ip('netns del', name)
}

function addNamespace(name: string): void {
  ip('netns add', name)
  made.push(name)
}

export class Node {
  readonly namespace: string
  readonly child: ChildProcess
  readonly lines: Record<string, unknown>[] = []
  readonly #port: string

  private constructor(namespace: string, port: string, child: ChildProcess) {
    this.namespace = namespace
    this.#port = port
    this.child = child
    running.add(child)
    child.on('exit', () => running.delete(child))
    createInterface({ input: child.stdout! }).on('line', line => this.lines.push(JSON.parse(line)))
  }

  /** `wrapper` is put before the program, e.g. to take capabilities away. */
  static async start(name: string, options: { wrapper?: string[]; worker?: URL; env?: object } = {}): Promise<Node> {
    const namespace = `l2e${process.pid}${name}`
    if (!made.includes(namespace)) {
      addNamespace(namespace)
      Node.#addInterface(namespace, 'eth0', `port-${name}`)
    }
    const words = ['netns', 'exec', namespace, ...(options.wrapper ?? []), process.execPath, PROGRAM]
    if (options.worker !== undefined) words.push(options.worker.href)
    const env = { ...process.env, ...options.env }
    const child = spawn('ip', words, { stdio: ['pipe', 'pipe', process.env.ARP_DEBUG ? 'inherit' : 'ignore'], env })
    const node = new Node(namespace, `port-${name}`, child)
    await node.line(line => line.ready === true)
    return node
  }

  static #addInterface(namespace: string, name: string, port: string): void {
    // From inside: before Linux 6.13 the name must be free where the command runs, too.
    ip('-n', namespace, 'link add', name, 'type veth peer name', port, 'netns', BRIDGE)
    ip('-n', BRIDGE, 'link set', port, 'master br0 up')
    ip('-n', namespace, 'link set', name, 'up')
  }

  addInterface(name: string): void {
    Node.#addInterface(this.namespace, name, `${this.#port}${name}`)
  }

  /** `ip link set DEVICE …` inside the node. */
  setLink(...words: string[]): void {
    ip('-n', this.namespace, 'link set', ...words)
  }

  mac(name = 'eth0'): Mac {
    const out = execFileSync('ip', ['-n', this.namespace, '-j', 'link', 'show', name], { encoding: 'utf8' })
    return (JSON.parse(out) as { address: Mac }[])[0]!.address
  }

  send(command: Command): void {
    this.child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  async update(...table: [ip: string, interfaces: 'all' | string[]][]): Promise<void> {
    const from = this.lines.length
    this.send({ do: 'update', table })
    await this.line(line => line.applied === table.length, from)
  }

  /** The first line from that place on that is looked for, once it has been said. */
  line(wanted: (line: Record<string, unknown>) => boolean, from = 0): Promise<Record<string, unknown>> {
    return until(`a line of ${this.namespace}`, () => this.lines.slice(from).find(wanted))
  }

  logged(event: string, from = 0): Promise<Record<string, unknown>> {
    return this.line(line => (line.fields as { event?: string } | undefined)?.event === event, from)
  }
}

export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const end = performance.now() + GIVE_UP_MS; ; ) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** Everything ARP that reaches an interface of the client, and a voice. */
export class Client {
  readonly heard: ArpPacket[] = []
  readonly #socket: PacketSocket
  readonly #mac: Mac
  readonly #buffer = new Uint8Array(128)

  constructor(name = 'eth0') {
    const reader = new NetlinkReader()
    const { index, mac } = reader.current().find(link => link.name === name)!
    reader.close()
    this.#mac = mac!
    this.#socket = new PacketSocket(index, ETHERTYPE_ARP, HOST_AND_BROADCAST)
  }

  listen(): ArpPacket[] {
    for (let length = this.#socket.receive(this.#buffer); length >= 0; length = this.#socket.receive(this.#buffer))
      this.heard.push(decodeArp(decodeFrame(this.#buffer.slice(0, length)).payload))
    return this.heard
  }

  /** Forgets what was heard so far. */
  clear(): void {
    this.listen()
    this.heard.length = 0
  }

  /** With a VLAN tag (IEEE 802.1Q) where one is given. */
  say(packet: ArpPacket, vlan?: number): void {
    const ends = { destination: BROADCAST, source: packet.senderMac, etherType: ETHERTYPE_ARP }
    const frame = encodeFrame({ ...ends, payload: encodeArp(packet) })
    const tag = vlan === undefined ? [] : [0x81, 0x00, vlan >> 8, vlan & 255]
    this.#socket.send(Uint8Array.of(...frame.subarray(0, 12), ...tag, ...frame.subarray(12)))
  }

  ask(text: string, vlan?: number): void {
    const ends = { senderIp: parseAddress(CLIENT_IP)!, targetMac: NOBODY, targetIp: parseAddress(text)! }
    this.say({ operation: REQUEST, senderMac: this.#mac, ...ends }, vlan)
  }

  close(): void {
    this.#socket.close()
  }

  /** MACs that answered for the address. */
  answers(text: string): Mac[] {
    const mine = this.listen().filter(
      ({ targetMac, senderIp }) => targetMac === this.#mac && formatAddress(senderIp) === text,
    )
    return mine.map(({ senderMac }) => senderMac)
  }

  /** MACs that told everybody about the address. */
  gratuitous(text: string): Mac[] {
    const told = this.listen().filter(
      ({ targetMac, senderIp }) => targetMac === BROADCAST && formatAddress(senderIp) === text,
    )
    return told.map(({ senderMac }) => senderMac)
  }

  /** Asks again and again until one answers. */
  resolve(text: string): Promise<Mac> {
    this.clear()
    return this.resolveMore(text)
  }

  /** The same, and what was heard before is kept. */
  resolveMore(text: string): Promise<Mac> {
    return until(`an answer for ${text}`, () => {
      this.ask(text)
      return this.answers(text)[0]
    })
  }
}
