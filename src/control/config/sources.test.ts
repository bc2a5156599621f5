import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigSources, changeMatters } from './sources.ts'

const object = (annotations: Record<string, string>) => ({ metadata: { name: 'x', generation: 1, annotations } })

for (const source of ['pools', 'peers', 'bgpAdvertisements'] as const)
  test(`an option of ours on ${source} matters, another annotation does not`, () => {
    const sources = { l2Advertisements: {} } as unknown as ConfigSources
    const matters = (after: Record<string, string>) =>
      changeMatters(sources, source, { kind: 'updated', before: object({}), object: object(after) })
    assert.equal(matters({ 'metallb.io/ttl-security': '1' }), true)
    assert.equal(matters({ 'example.com/note': '1' }), false)
  })
