import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeJson } from './object.ts'
import { fieldFilter, labelFilter } from './selectors.ts'

const object: KubeJson = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { app: 'web', tier: 'gold', 'example.com/size': '7', empty: '' },
  },
  spec: { nodeName: 'n1' },
}

const labels: [selector: string, matches: boolean][] = [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app = web', true],
  ['app=api', false],
  ['app!=api', true],
  ['missing!=api', true],
  ['app', true],
  ['!app', false],
  ['!missing', true],
  ['app in (api, web)', true],
  ['app in (api)', false],
  ['app notin (api)', true],
  ['missing in (a)', false],
  ['missing notin (a)', true],
  ['tier in (gold,silver),app=web', true],
  ['tier in (gold,silver),app=api', false],
  ['example.com/size>5', true],
  ['example.com/size<5', false],
  ['app>5', false],
  ['empty=', true],
]
for (const [selector, matches] of labels)
  test(`label selector "${selector}" ${matches ? 'matches' : 'does not match'}`, () => {
    assert.equal(labelFilter(selector)?.(object) ?? true, matches)
  })

for (const selector of ['a b', 'app in web', 'app in (', '=web', 'app=a b', 'app=-x', '!!app', 'size>big', '-a=b'])
  test(`label selector "${selector}" is refused with 400`, () => {
    assert.throws(() => labelFilter(selector), { code: 400, reason: 'BadRequest' })
  })

const fields: [selector: string, matches: boolean][] = [
  ['', true],
  ['metadata.name=web', true],
  ['metadata.name==api', false],
  ['metadata.name!=api', true],
  ['metadata.namespace=shop,spec.nodeName=n1', true],
  ['metadata.namespace=shop,spec.nodeName=n2', false],
]
for (const [selector, matches] of fields)
  test(`field selector "${selector}" ${matches ? 'matches' : 'does not match'}`, () => {
    assert.equal(fieldFilter(selector, ['spec.nodeName'])?.(object) ?? true, matches)
  })

test('a field that a kind cannot be selected by is refused by name', () => {
  assert.throws(() => fieldFilter('spec.color=red', []), {
    code: 400,
    message: 'field label not supported: spec.color',
  })
  assert.throws(() => fieldFilter('metadata.name', []), { code: 400 })
})
