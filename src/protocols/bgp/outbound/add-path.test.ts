/** Copies of a path for peers that take several (RFC 7911, chapter 04 section 6.15). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Family, formatPrefix, parseAddress, parsePrefix } from '../../../core/ip/index.ts'
import { ourSettings, theirOpen } from '../../../testing/bgp-settings.ts'
import { endOfRib } from '../../../testing/end-of-rib.ts'
import { hex } from '../../../testing/hex.ts'
import { Framer } from '../framing.ts'
import { decodeMessage, encodeMessage, type RouteRefresh, type Update } from '../message/index.ts'
import { type Agreed, agree } from '../negotiation.ts'
import type { Nlri } from '../nlri.ts'
import { type LocalAddresses, Outbound, type Route } from './index.ts'
import type { RouteAttributes } from './route.ts'

const ip = (text: string) => parseAddress(text)!
const prefix = (text: string) => parsePrefix(text)!
const community = (a: number, b: number) => ({ kind: 'standard', parts: [a, b] }) as const
const route = (text: string, paths?: number, attributes: RouteAttributes = { communities: [] }): Route => ({
  prefix: prefix(text),
  attributes: { ...attributes, ...(paths !== undefined && { paths }) },
})
const local: LocalAddresses = { connection: ip('192.0.2.10'), ipv6: ip('2001:db8:1::10') }
const M = 'ffffffffffffffffffffffffffffffff'
const BOTH: readonly Family[] = ['ipv4', 'ipv6']

/** A session in which the peer takes several paths of these families. */
function agreedOn(addPath: readonly Family[], settings = ourSettings({ addPath: true })): Agreed {
  const agreed = agree(settings, theirOpen())
  return { ...agreed, wire: { ...agreed.wire, addPath } }
}

function opened(addPath = BOTH): Outbound {
  const outbound = new Outbound({ localAsn: 64500, defaultLocalPref: 100 })
  outbound.open(agreedOn(addPath), local)
  return outbound
}

function* messages(outbound: Outbound): Iterable<Update | RouteRefresh> {
  for (let next = outbound.next(); next !== undefined; next = outbound.next()) yield next
}

/** What the peer makes of the bytes: its table as text, by prefix and identifier. */
class Peer {
  readonly table = new Map<string, string>()
  readonly ended: Family[] = []
  readonly #agreed: Agreed

  constructor(addPath: readonly Family[]) {
    this.#agreed = agreedOn(addPath)
  }

  hear(heard: Iterable<Update | RouteRefresh>): this {
    for (const message of heard) if (message.kind === 'update') this.#hear(message)
    return this
  }

  #hear(sent: Update): void {
    const { wire } = this.#agreed
    const framer = new Framer()
    framer.push(encodeMessage(sent, wire))
    const update = decodeMessage(framer.next()!, wire) as Update
    const ended = endOfRib(update)
    if (ended !== undefined) this.ended.push(ended)
    const path = update.attributes.filter(({ kind }) => !['mp reach', 'mp unreach', 'next hop'].includes(kind))
    for (const one of update.withdrawn) this.table.delete(pathText(one))
    for (const one of update.nlri) this.table.set(pathText(one), JSON.stringify(path))
    for (const attribute of update.attributes)
      if (attribute.kind === 'mp unreach') for (const one of attribute.nlri) this.table.delete(pathText(one))
      else if (attribute.kind === 'mp reach')
        for (const one of attribute.nlri) this.table.set(pathText(one), JSON.stringify(path))
  }
}

function pathText(one: Nlri): string {
  return one.pathId === undefined ? formatPrefix(one) : `${formatPrefix(one)} ${one.pathId}`
}

/** Of each UPDATE, in order: what it withdraws, and what it announces. */
function changes(outbound: Outbound): [withdrawn: string[], announced: string[]][] {
  return [...messages(outbound)].map(message => {
    assert.ok(message.kind === 'update')
    const { withdrawn, nlri, attributes } = message
    const of = (kind: string) => attributes.flatMap(one => (one.kind === kind && 'nlri' in one ? one.nlri : []))
    return [[...withdrawn, ...of('mp unreach')].map(pathText), [...nlri, ...of('mp reach')].map(pathText)]
  })
}

const ORIGIN_AND_PATH = '40010100 40020602010000fbf4'
const BYTES: [name: string, addPath: readonly Family[], route: string, announced: Uint8Array, withdrawn: Uint8Array][] =
  [
    [
      '106: IPv4, with its identifier',
      BOTH,
      '203.0.113.7/32',
      hex`${M} 0034 02 0000 0014 ${ORIGIN_AND_PATH} 400304c000020a 00000001 20cb007107`,
      hex`${M} 0020 02 0009 00000001 20cb007107 0000`,
    ],
    [
      '106: IPv4 to a peer that did not agree',
      [],
      '203.0.113.7/32',
      hex`${M} 0030 02 0000 0014 ${ORIGIN_AND_PATH} 400304c000020a 20cb007107`,
      hex`${M} 001c 02 0005 20cb007107 0000`,
    ],
    [
      'IPv6, with its identifier',
      BOTH,
      '2001:db8:beef::/48',
      hex`${M} 0047 02 0000 0030 800e2000020110 20010db8000100000000000000000010 00 00000001 3020010db8beef
        ${ORIGIN_AND_PATH}`,
      hex`${M} 0028 02 0000 0011 800f0e 000201 00000001 3020010db8beef`,
    ],
    [
      'IPv6 where IPv4 alone is agreed on',
      ['ipv4'],
      '2001:db8:beef::/48',
      hex`${M} 0043 02 0000 002c 800e1c00020110 20010db8000100000000000000000010 00 3020010db8beef ${ORIGIN_AND_PATH}`,
      hex`${M} 0024 02 0000 000d 800f0a 000201 3020010db8beef`,
    ],
  ]
for (const [name, addPath, text, announced, withdrawn] of BYTES)
  test(name, () => {
    const outbound = opened(addPath)
    const { wire } = agreedOn(addPath)
    const bytes = () => [...messages(outbound)].map(message => encodeMessage(message, wire))
    outbound.announce([route(text)])
    assert.deepEqual(bytes(), [announced])
    outbound.withdraw([prefix(text)])
    assert.deepEqual(bytes(), [withdrawn])
  })

test('a change of the number of copies tells the difference alone', () => {
  const outbound = opened()
  const now = (paths: number) => {
    outbound.announce([route('203.0.113.7/32', paths)])
    return changes(outbound)
  }
  assert.deepEqual(now(2), [[[], ['203.0.113.7/32 1', '203.0.113.7/32 2']]])
  assert.deepEqual(now(4), [[[], ['203.0.113.7/32 3', '203.0.113.7/32 4']]])
  assert.deepEqual(now(4), [])
  assert.deepEqual(now(1), [[['203.0.113.7/32 2', '203.0.113.7/32 3', '203.0.113.7/32 4'], []]])
  outbound.withdraw([prefix('203.0.113.7/32')])
  assert.deepEqual(changes(outbound), [[['203.0.113.7/32 1'], []]])
})

test('copies beyond the number go before the others say something new', () => {
  const outbound = opened()
  outbound.announce([route('203.0.113.7/32', 3), route('2001:db8::7/128', 2)])
  changes(outbound)
  const med = { communities: [], med: 5 }
  outbound.announce([route('203.0.113.7/32', 2, med), route('2001:db8::7/128', 1, med)])
  assert.deepEqual(changes(outbound), [
    [['203.0.113.7/32 3'], []],
    [['2001:db8::7/128 2'], []],
    [[], ['203.0.113.7/32 1', '203.0.113.7/32 2']],
    [[], ['2001:db8::7/128 1']],
  ])
})

test('counts are of prefixes and not of paths, as are the routes', () => {
  const outbound = opened()
  outbound.announce([route('203.0.113.7/32', 3), route('203.0.113.8/32', 2)])
  assert.deepEqual([outbound.wanted, outbound.told], [2, 0])
  changes(outbound)
  const texts = (routes: Iterable<Route>) => Array.from(routes, one => formatPrefix(one.prefix))
  assert.deepEqual([outbound.wanted, outbound.told], [2, 2])
  assert.deepEqual(texts(outbound.routes()), ['203.0.113.7/32', '203.0.113.8/32'])
  assert.deepEqual(texts(outbound.advertised()), ['203.0.113.7/32', '203.0.113.8/32'])
  outbound.replace([route('203.0.113.8/32', 2)])
  assert.deepEqual(changes(outbound), [[['203.0.113.7/32 1', '203.0.113.7/32 2', '203.0.113.7/32 3'], []]])
  assert.deepEqual([outbound.wanted, outbound.told], [1, 1])
  outbound.close()
  assert.deepEqual([outbound.wanted, outbound.told], [1, 0])
})

test('the next session may agree otherwise', () => {
  const outbound = opened([])
  outbound.announce([route('203.0.113.7/32', 2)])
  assert.deepEqual(changes(outbound), [[[], ['203.0.113.7/32']]])
  outbound.open(agreedOn(BOTH), local)
  assert.deepEqual(changes(outbound), [[[], ['203.0.113.7/32 1', '203.0.113.7/32 2']]])
  outbound.close()
  outbound.announce([route('203.0.113.7/32', 3)])
  outbound.open(agreedOn([]), local)
  assert.deepEqual(changes(outbound), [[[], ['203.0.113.7/32']]])
  outbound.open(agreedOn(['ipv4']), local)
  assert.deepEqual(changes(outbound), [[[], ['203.0.113.7/32 1', '203.0.113.7/32 2', '203.0.113.7/32 3']]])
})

test('messages are filled up to their limit, identifiers counted', () => {
  const hosts = Array.from({ length: 1000 }, (_, index) => route(`10.0.${index >> 8}.${index & 255}/32`, 3))
  const outbound = opened()
  outbound.announce(hosts)
  const sizes = (from: Outbound) => Array.from(messages(from), one => encodeMessage(one, agreedOn(BOTH).wire).length)
  const announced = sizes(outbound)
  assert.ok(Math.max(...announced) <= 4096 && Math.min(...announced.slice(0, -1)) > 4096 - 10, announced.join())
  outbound.replace([])
  const withdrawn = sizes(outbound)
  assert.ok(Math.max(...withdrawn) <= 4096 && Math.min(...withdrawn.slice(0, -1)) > 4096 - 10, withdrawn.join())
})

test('a refresh and a restart tell every copy, and End-of-RIB comes after the last', () => {
  const outbound = opened()
  outbound.announce([route('203.0.113.7/32', 2)])
  outbound.complete()
  const all = [[], ['203.0.113.7/32 1', '203.0.113.7/32 2']]
  const none = [[], []]
  assert.deepEqual(changes(outbound), [all, none, none])
  outbound.refresh({ kind: 'route refresh', afi: 1, safi: 1, subtype: 0 })
  const [begin, update, end] = messages(outbound)
  assert.deepEqual([begin?.kind, end?.kind], ['route refresh', 'route refresh'])
  assert.deepEqual((update as Update).nlri.map(pathText), all[1])
  outbound.open(agreedOn(BOTH), local)
  assert.deepEqual(changes(outbound), [all, none, none])
})

test('attributes that fit no message: no copy is sent, and older ones go', () => {
  const outbound = opened()
  outbound.announce([route('10.0.0.1/32', 2)])
  changes(outbound)
  const communities = Array.from({ length: 1100 }, (_, index) => community(1, index))
  outbound.announce([route('10.0.0.1/32', 3, { communities })])
  assert.deepEqual(changes(outbound), [[['10.0.0.1/32 1', '10.0.0.1/32 2'], []]])
  assert.match(outbound.reasonNotSent(prefix('10.0.0.1/32'))!, /do not fit/)
  outbound.announce([route('10.0.0.1/32', 2)])
  assert.deepEqual(changes(outbound), [[[], ['10.0.0.1/32 1', '10.0.0.1/32 2']]])
})

test('whatever happens in between, in the end the peer has every copy of every route and no other', () => {
  const texts = ['10.0.0.0/24', '10.0.0.1/32', '10.0.1.0/24', '2001:db8::/64', '2001:db8::1/128']
  const sets: RouteAttributes[] = [{ communities: [] }, { communities: [community(1, 1)] }, { communities: [], med: 5 }]
  const text = fc.constantFrom(...texts)
  const some = fc.record({ text, paths: fc.integer({ min: 1, max: 5 }), attributes: fc.constantFrom(...sets) })
  const agreement = fc.constantFrom<readonly Family[]>([], ['ipv4'], ['ipv6'], BOTH)
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('announce' as const), some }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), text }) },
    fc.record({ kind: fc.constant('replace' as const), all: fc.uniqueArray(some, { selector: one => one.text }) }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('send' as const), count: fc.nat({ max: 3 }) }) },
    fc.record({ kind: fc.constant('refresh' as const), afi: fc.constantFrom(1, 2) }),
    fc.record({ kind: fc.constant('open' as const), agreement }),
    fc.record({ kind: fc.constant('close' as const) }),
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), agreement, (actions, last) => {
      const outbound = new Outbound({ localAsn: 64500, defaultLocalPref: 100 })
      const wanted = new Map<string, Route>()
      let takes: readonly Family[] = last
      let peer = new Peer(takes)
      const open = (families: readonly Family[]) => {
        takes = families
        peer = new Peer(takes)
        outbound.open(agreedOn(takes), local)
      }
      open(last)
      for (const one of actions)
        if (one.kind === 'announce') {
          const { text, paths, attributes } = one.some
          wanted.set(text, route(text, paths, attributes))
          outbound.announce([wanted.get(text)!])
        } else if (one.kind === 'withdraw') {
          wanted.delete(one.text)
          outbound.withdraw([prefix(one.text)])
        } else if (one.kind === 'replace') {
          wanted.clear()
          for (const { text, paths, attributes } of one.all) wanted.set(text, route(text, paths, attributes))
          outbound.replace([...wanted.values()])
        } else if (one.kind === 'refresh')
          outbound.refresh({ kind: 'route refresh', afi: one.afi, safi: 1, subtype: 0 })
        else if (one.kind === 'open') open(one.agreement)
        else if (one.kind === 'close') {
          outbound.close()
          peer.table.clear()
        } else
          for (let sent = 0; sent < one.count; sent++)
            peer.hear([outbound.next()].filter(message => message !== undefined))
      if (outbound.reasonNotSent(prefix('10.0.0.0/24')) !== undefined) open(last)
      outbound.complete()
      peer.hear(messages(outbound))
      const expected = new Map<string, string>()
      for (const [text, { attributes, prefix }] of wanted) {
        const alone = opened([])
        alone.announce([route(text, undefined, attributes)])
        const [path] = new Peer([]).hear(messages(alone)).table.values()
        const ids = takes.includes(prefix.family)
          ? Array.from({ length: attributes.paths! }, (_, at) => ` ${at + 1}`)
          : ['']
        for (const id of ids) expected.set(`${text}${id}`, path!)
      }
      assert.deepEqual(new Map([...peer.table].sort()), new Map([...expected].sort()))
      assert.deepEqual([...peer.ended].sort(), ['ipv4', 'ipv6'])
      assert.deepEqual([outbound.wanted, outbound.told], [wanted.size, wanted.size])
    }),
    { numRuns: 500 },
  )
})
