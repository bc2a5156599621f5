import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { crds } from './crds.ts'
import type { Schema } from './schema.ts'

const root = new URL('../..', import.meta.url)

test('deploy/crds is what src/api says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/generate-crds.ts', '--check'], { cwd: root })
  assert.equal(status, 0, String(stderr))
})

/** The schema and all schemas inside it. */
function* schemas(schema: Schema, path = ''): Generator<[string, Schema]> {
  yield [path, schema]
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* schemas(field, `${path}.${name}`)
  if (schema.items) yield* schemas(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* schemas(schema.additionalProperties, `${path}[*]`)
}

for (const { spec, metadata } of crds) {
  test(`${metadata.name} is a definition that an API server takes`, () => {
    assert.equal(metadata.name, `${spec.names.plural}.${spec.group}`)
    assert.equal(spec.versions.filter(({ storage }) => storage).length, 1)
    for (const version of spec.versions) {
      assert.deepEqual(version.subresources, { status: {} })
      for (const [path, schema] of schemas(version.schema.openAPIV3Schema)) {
        const properties = Object.keys(schema.properties ?? {})
        assert.ok(
          (schema.required ?? []).every(name => properties.includes(name)),
          `${path} requires what it lacks`,
        )
        assert.ok(schema.type !== 'array' || schema.items, `${path} is a list of nothing`)
        if (path !== '.metadata') assert.ok(schema.description || /\[\*?\]$/.test(path), `${path} says nothing`)
      }
      const ajv = new Ajv({ strict: false, validateFormats: false })
      assert.equal(ajv.validateSchema(version.schema.openAPIV3Schema), true)
    }
  })
}
