/** Which test holds which acceptance example of chapter 03 (section 7) and which vectors of its appendix A. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

/** By file: numbers, and text by which their test is found. */
const HELD: Readonly<Record<string, readonly (readonly [numbers: readonly (number | string)[], text: string])[]>> = {
  'src/core/plan/layer2.test.ts': [
    [[1], "'1 all alive'"],
    [[2], "'2 node-a leaves'"],
    [[3], "'3 node-b leaves'"],
    [[4], "'4 another address'"],
    [[6], "'6 dual stack'"],
    [[7], "'7 canonical text'"],
    [[8], "'8 preferred node leaves'"],
    [[9], "'9 preferences add up"],
    [[10], "'10 a preference for"],
    [[11], "'11 identical"],
    [[12], "'12 Local'"],
    [[13], "'13 Local without"],
    [[15], "'15 no endpoint can"],
    [[16], "'16 no endpoint at all'"],
    [[19], "'19 label ignored'"],
    [[20], "'20 node selectors'"],
    [[21], "'21 advertisements with"],
    [[22], "'22 a sharing Service"],
    [[23], '`23 class '],
    [[24], "'24 another type'"],
    [[25], "'25 outside every pool'"],
    [[28], "'28 membership off'"],
    [[29], "'29 a member in no"],
    [[37], "'interfaces: the union"],
  ],
  'src/core/plan/sharing.test.ts': [[[5], "'5 two Services on one"]],
  'src/api/kubernetes/endpoint-slice.test.ts': [[[15], "'6 no conditions'"]],
  'src/control/announce/speaker.test.ts': [
    [[2, 26], "'2 ownership follows the members, 26 "],
    [[14], "'14 a terminating"],
    [[16], "'16 the first endpoint"],
    [[17], "'17 the network comes back"],
    [[18], "'18 whether the network"],
    [[27], "'27 a configuration that"],
    [[40], "'40 missing interfaces"],
    [[66], "'66 an announcement"],
    [[67], "'67 a hundred"],
    [[68], "'68 a speaker that owns nothing"],
  ],
  'src/control/membership/memberlist.test.ts': [[[30], "'30 whom memberlist suspects"]],
  'src/protocols/ethernet/acceptance.test.ts': [
    [[31], "'31 a broadcast"],
    [[32], "'32 a node that does not"],
    [[33], '`33 a request to'],
    [[34], '`34 '],
    [[35], "'35 a probe"],
    [[36], "'36 announced on eth1"],
    [[37], "'37 announced on"],
    [[38], "'38 a first announcement"],
    [[39], "'39 no gratuitous"],
    [[41], "'41 a bond"],
    [[42], "'42 a bridge"],
    [[42, 45], "'42, 45 an interface"],
    [[44], "'44 a VLAN"],
    [[46], "'46 a solicitation"],
    [[47], "'47 without a link-layer"],
    [[48, 49], "'48, 49 requests for"],
    [[50], "'50 unsolicited"],
    [[51], "'51 an interface that"],
  ],
  'src/adapters/linux/exclusions.test.ts': [[[43], "'the shipped list keeps"]],
  'test/e2e/stacked-interfaces.test.ts': [
    [[41], "'a bond answers once"],
    [[42], "'a bridge answers once"],
  ],
  'test/e2e/arp-responder.test.ts': [
    [[31, 32, 38], 'arping sees the owner and nobody else'],
    [[45], 'one for a new interface is, with its MAC'],
  ],
  'test/e2e/ndp-responder.test.ts': [
    [[46], "'the kernel of a client finds"],
    [[48, 49], "'solicited-node groups are joined"],
    [[50], "'a new address is announced to all nodes"],
    [[51], "'an interface that appears after"],
  ],
  'test/interop/memberlist.test.ts': [
    [[52], 'scenario(`52 serf'],
    [[53], "scenario('53"],
    [[54, 55], '`54 serf'],
    [[56], "scenario('56"],
    [[57], "scenario('57"],
    [[58], "scenario('58"],
    [[59], "scenario('59"],
  ],
  'src/protocols/memberlist/vectors.test.ts': [
    [[53, 'A.3', 'A.4', 'A.5', 'A.6'], 'Appendix A: made with the Go library'],
  ],
  'src/protocols/memberlist/members.test.ts': [[[60], "'60 another address"]],
  'src/control/membership/config.test.ts': [[[61], "'61 all 19 keys"]],
  'src/control/membership/heartbeat.test.ts': [[[62], "'62 peers come from pods"]],
  'src/control/service-status/layer2.test.ts': [
    [[63], "'202 announced on every interface"],
    [[63], "'203 interfaces are written"],
    [[64], "'64, 204 the owner moves"],
    [[65], "'65 deleted by hand"],
  ],
  'src/protocols/arp/packet.test.ts': [[['A.1'], 'appendix A.1']],
  'src/protocols/arp/responder.test.ts': [[['A.1'], 'appendix A.1']],
  'src/protocols/ndp/packet.test.ts': [[['A.2'], 'appendix A.2']],
}
const LAST = 68
const APPENDIX = ['A.1', 'A.2', 'A.3', 'A.4', 'A.5', 'A.6']

for (const [file, rows] of Object.entries(HELD)) {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  for (const [numbers, found] of rows)
    test(`example ${numbers.join(', ')}: ${file}`, () => assert.ok(text.includes(found), `no test with: ${found}`))
}

test('every example of chapter 03 and every part of appendix A has a test', () => {
  const held = new Set(Object.values(HELD).flatMap(rows => rows.flatMap(([numbers]) => numbers)))
  const all = [...Array.from({ length: LAST }, (_, index) => index + 1), ...APPENDIX]
  assert.deepEqual(
    all.filter(one => !held.has(one)),
    [],
  )
})
